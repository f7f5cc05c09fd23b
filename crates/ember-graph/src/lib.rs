//! The float graph: shapes, verifier, text form, evaluator, checkpoints.

mod builder;
mod error;
mod graph;
pub mod shape;
mod verify;

pub use builder::GraphBuilder;
pub use error::GraphError;
pub use graph::{Graph, Node, Op, Role, Source, Value, ValueId, Window};
pub use shape::ShapeError;
pub use verify::verify;
