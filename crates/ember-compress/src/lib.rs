//! Graph passes, calibration and quantization.
//!
//! A trained graph goes through [`passes::optimize`], is calibrated on a representative dataset, and becomes a
//! [`QuantizedGraph`](ember_graph::QuantizedGraph), in int8 or by a [`Recipe`]; a [`Variant`] is a recipe with a name:
//!
//! ```text
//! Graph --passes--> Graph --calibrate--> Graph + Calibration --quantize--> QuantizedGraph
//! ```
//!
//! [`prune`] and [`cluster`] make weights that take fewer bytes once they are written; they work on a graph, or during
//! training on the numbers of one tensor. [`debug`] says what each layer loses, [`describe()`] what came out,
//! [`summary`] what was done to the weights and what it cost.

pub mod calibrate;
mod clip;
pub mod cluster;
pub mod debug;
mod describe;
mod error;
pub mod passes;
pub mod prune;
pub mod quantize;
pub mod recipe;
pub mod scheme;
pub mod simulate;
mod single;
pub mod summary;
mod variant;

pub use calibrate::{Calibration, Calibrator, Range};
pub use clip::{Clipping, magnitude};
pub use describe::{LayerWeights, constant_bytes, describe};
pub use error::CompressError;
pub use passes::optimize;
pub use quantize::{quantize, quantize_by};
pub use recipe::Recipe;
pub use summary::Summary;
pub use variant::Variant;
