//! What can be wrong with an ONNX file, or be more than we have.

use std::path::PathBuf;

use ember_compress::CompressError;
use ember_graph::GraphError;

/// An error of this crate: where it is, what was found, what was expected.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// A file that could not be read.
    #[error("cannot read {path:?}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Bytes that are no ONNX model.
    #[error("not an ONNX model: {problem}")]
    NotOnnx {
        /// What was found and what was expected.
        problem: String,
    },
    /// An input or output of the model that cannot be one of a graph.
    #[error("the {direction} {name:?} of the model: {problem}")]
    Interface {
        /// `input` or `output`.
        direction: &'static str,
        /// As the file names it.
        name: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// A stored tensor that cannot be read.
    #[error("the tensor {tensor:?}: {problem}")]
    Tensor {
        /// As the file names it.
        tensor: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// An operator that there is nothing for.
    #[error("{node}: the operator {op} is not supported; supported are {supported}")]
    Operator {
        /// The node, as the file names it.
        node: String,
        /// Its operator, after its domain where that is not ONNX's own.
        op: String,
        /// The operators that are.
        supported: String,
    },
    /// A node of a supported operator that asks for more than there is, or is wrong.
    #[error("{node} ({op}): {problem}")]
    Node {
        /// The node, as the file names it.
        node: String,
        /// Its operator.
        op: String,
        /// What was found and what is supported.
        problem: String,
    },
    /// A quantization that no int8 model of ours can keep as it is.
    #[error("the quantization of {value:?} cannot be kept: {problem}")]
    Quantization {
        /// The value of the graph.
        value: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// A graph that breaks a rule of graphs.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A pass that failed.
    #[error(transparent)]
    Compress(#[from] CompressError),
    /// An error in the file of this name.
    #[error("{path:?}: {problem}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        problem: Box<OnnxError>,
    },
}
