//! The float graph: what a model is between training and the file.
//!
//! A [`Graph`] is a list of named f32 values and of the nodes that make them, in the order in which they run, NHWC. It is
//! built by [`GraphBuilder`], checked by [`verify()`], read and written by [`text`] and [`checkpoint`], run by [`eval`]. A
//! [`QuantizedGraph`] is the same in integers, every value with its parameters: the only thing that can be exported as a
//! full-integer model.
//!
//! **Invariants:** the first dimension of activations is the batch, 1 in every stored graph, and no operator moves it;
//! there is no arithmetic here: [`eval`] calls the kernels of `ember-kernels`.

pub mod batch_norm;
mod builder;
pub mod checkpoint;
mod cost;
mod error;
pub mod eval;
mod graph;
pub mod models;
pub mod quantized;
pub mod random;
pub mod shape;
pub mod text;
mod verify;
mod weightless;

pub use builder::GraphBuilder;
pub use cost::{macs, node_macs};
pub use error::GraphError;
pub use graph::{Graph, Node, Op, Role, Source, Value, ValueId, Window};
pub use quantized::{Elements, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue};
pub use shape::ShapeError;
pub use verify::verify;
pub use weightless::{Binary, Reduction, Resizing, Unary, Weightless};
