//! What can go wrong between a graph and its file.

use ember_graph::GraphError;
use ember_micro::PrepareError;
use ember_tflite::ReadError;
use ember_tflite::write::WriteError;

/// An error of this crate: where it is, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum CodegenError {
    /// A graph that is not valid.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// An attribute that the file's 32-bit fields cannot hold.
    #[error(
        "the {attribute} of {node:?} is {found}: a .tflite file holds at most {}",
        i32::MAX
    )]
    Attribute {
        /// The node's output.
        node: String,
        /// Which attribute.
        attribute: &'static str,
        /// Its value.
        found: usize,
    },
    /// An operator of the float graph that the format does not have.
    #[error(
        "a float .tflite file has no {op} ({node:?}): run the passes first, they fold away what they can"
    )]
    NoOperator {
        /// The node's output.
        node: String,
        /// The operator.
        op: &'static str,
    },
    /// A model that has integers already.
    #[error("the model is already quantized ({tensor:?} is {dtype}): start from the float model")]
    AlreadyQuantized {
        /// The first such tensor.
        tensor: String,
        /// Its type.
        dtype: ember_core::Dtype,
    },
    /// A model that the graph cannot express.
    #[error("the model cannot be taken over, {place}: {problem}")]
    Import {
        /// The operator or tensor.
        place: String,
        /// What was found.
        problem: String,
    },
    /// A file that cannot be written.
    #[error("the graph {graph:?} cannot be written: {problem}")]
    Write {
        /// The graph.
        graph: String,
        /// What the writer says.
        problem: WriteError,
    },
    /// Bytes that are no model.
    #[error("the bytes are not a model: {0}")]
    Read(#[from] ReadError),
    /// A model that the device runtime does not take.
    #[error("the device runtime does not take the model: {0}")]
    Prepare(#[from] PrepareError),
    /// An operator that only the interpreter runs.
    #[error(
        "operator {index} of subgraph {subgraph}, {op}, cannot be compiled: {problem}; use --engine interpreter"
    )]
    NotCompiled {
        /// Which subgraph: 0 is the main one.
        subgraph: u32,
        /// Which operator, in the order of execution.
        index: usize,
        /// What it is.
        op: ember_core::BuiltinOp,
        /// What is missing.
        problem: String,
    },
    /// A compiled model that cannot be built or run on the host.
    #[error("cannot {what} {}: {problem}", path.display())]
    Host {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: std::path::PathBuf,
        /// What the operating system, the compiler or the program says.
        problem: String,
    },
}
