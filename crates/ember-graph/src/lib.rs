//! The float graph: shapes, verifier, text form, evaluator, checkpoints.

mod builder;
pub mod checkpoint;
mod error;
pub mod eval;
mod graph;
pub mod quantized;
pub mod random;
pub mod shape;
pub mod text;
mod verify;

pub use builder::GraphBuilder;
pub use error::GraphError;
pub use graph::{Graph, Node, Op, Role, Source, Value, ValueId, Window};
pub use quantized::{Integers, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue};
pub use shape::ShapeError;
pub use verify::verify;
