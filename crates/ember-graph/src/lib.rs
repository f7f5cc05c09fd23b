//! The float graph: shapes, verifier, text form, evaluator, checkpoints.

mod graph;

pub use graph::{Graph, Node, Op, Source, Value, ValueId, Window};
