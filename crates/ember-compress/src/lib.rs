//! Graph passes, calibration and quantization.
//!
//! A trained graph goes through [`passes::optimize`], is calibrated on a representative dataset, and becomes a
//! [`QuantizedGraph`](ember_graph::QuantizedGraph):
//!
//! ```text
//! Graph --passes--> Graph --calibrate--> Graph + Calibration --quantize--> QuantizedGraph
//! ```

pub mod calibrate;
mod error;
pub mod passes;
pub mod quantize;

pub use calibrate::{Calibration, Calibrator, Range};
pub use error::CompressError;
pub use passes::optimize;
pub use quantize::quantize;
