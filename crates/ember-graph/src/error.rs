//! What can be wrong with a graph, its text or its file.

use std::path::PathBuf;

use crate::shape::ShapeError;

/// An error of this crate: where it is, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// No model of the registry has this name.
    #[error("there is no model \"{name}\"; {hint}")]
    UnknownModel {
        /// As given.
        name: String,
        /// The nearest names, or all of them.
        hint: String,
    },
    /// A name that the text form cannot carry.
    #[error(
        "the name {name:?} cannot be used: a name is one or more characters, none of them white space, a control character or one of , ( ) [ ] = #"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two values of one name.
    #[error("two values are named {name:?}: names are unique in a graph")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A value id that is not of this graph.
    #[error(
        "{user:?} refers to value number {index}, and the graph has {count} values: was the id made by another graph's builder?"
    )]
    UnknownValue {
        /// The node or graph that refers to it.
        user: String,
        /// The id's index.
        index: usize,
        /// Values in the graph.
        count: usize,
    },
    /// A dimension of zero, or more elements than can be counted.
    #[error("{value:?} has the shape {shape:?}: every dimension must be at least 1 and their product at most {limit}", limit = crate::shape::MAX_ELEMENTS)]
    Extent {
        /// The value.
        value: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A constant with too many or too few numbers.
    #[error("the constant {value:?} of shape {shape:?} needs {} numbers and has {got}", shape.iter().product::<usize>())]
    ConstantLength {
        /// The constant.
        value: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Numbers given.
        got: usize,
    },
    /// A constant that holds an infinity or a NaN.
    #[error(
        "the constant {value:?} holds {number} at position {position}: weights must be finite; did training diverge?"
    )]
    NotFinite {
        /// The constant.
        value: String,
        /// Row-major position of the first such number.
        position: usize,
        /// The number.
        number: f32,
    },
    /// A batch norm's variance that no data has.
    #[error(
        "the variance {value:?} holds {number} at position {position}: a variance is not negative"
    )]
    NegativeVariance {
        /// The constant.
        value: String,
        /// Position of the first such number.
        position: usize,
        /// The number.
        number: f32,
    },
    /// A value that should be a constant is not.
    #[error("{value:?} is not a constant")]
    NotConstant {
        /// The value.
        value: String,
    },
    /// A filter, weights or bias that the graph computes or receives.
    #[error("the {role} {value:?} of {node:?} must be a constant")]
    ParameterNotConstant {
        /// The node's output.
        node: String,
        /// `filter`, `weights` or `bias`.
        role: &'static str,
        /// The operand.
        value: String,
    },
    /// A node whose operands do not fit its operator.
    #[error("{op} {node:?}: {problem}")]
    Shape {
        /// The node's output.
        node: String,
        /// The operator.
        op: &'static str,
        /// What does not fit.
        problem: ShapeError,
    },
    /// A value whose stored shape is not what its node makes.
    #[error("{value:?} is stored with the shape {stored:?}, but its {op} makes {inferred:?}")]
    StoredShape {
        /// The value.
        value: String,
        /// The operator that makes it.
        op: &'static str,
        /// The shape in the graph.
        stored: Vec<usize>,
        /// The shape by inference.
        inferred: Vec<usize>,
    },
    /// An operand that does not stand before the node.
    #[error(
        "{node:?} uses {operand:?}, which does not stand before it: values and nodes stand in the order in which they run"
    )]
    Order {
        /// The node's output.
        node: String,
        /// The operand.
        operand: String,
    },
    /// A node whose result stands before an earlier node's.
    #[error(
        "the node {node:?} stands after a node whose result comes later: nodes stand in the order of their results"
    )]
    NodeOrder {
        /// The node's output.
        node: String,
    },
    /// A value that is made twice or by nobody, or a node that writes an input or a constant.
    #[error("{value:?} is made by {makers} nodes, expected {expected}")]
    Makers {
        /// The value.
        value: String,
        /// Nodes that write it.
        makers: usize,
        /// Nodes that should.
        expected: usize,
    },
    /// The list of inputs is not the values whose source is an input, each once.
    #[error("the list of inputs does not fit: {value:?} {problem}")]
    Inputs {
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An input whose first dimension is not 1.
    #[error(
        "the input {value:?} has the shape {shape:?}: its first dimension is the batch and must be 1 in a stored graph"
    )]
    Batch {
        /// The input.
        value: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A graph that gives nothing.
    #[error("the graph {graph:?} has no output")]
    NoOutput {
        /// Its name.
        graph: String,
    },
    /// Too many or too few inputs given to a run.
    #[error("the graph takes {expected} inputs and got {got}")]
    InputCount {
        /// Inputs of the graph.
        expected: usize,
        /// Inputs given.
        got: usize,
    },
    /// An input of another length given to a run.
    #[error("the input {value:?} of shape {shape:?} got {got} numbers for a batch of {batch}")]
    InputLength {
        /// The input.
        value: String,
        /// The shape of one.
        shape: Vec<usize>,
        /// How many at once.
        batch: usize,
        /// Numbers given.
        got: usize,
    },
    /// A batch whose elements the kernels cannot count.
    #[error("a batch of {batch} makes {value:?} too large: take a smaller batch")]
    BatchTooLarge {
        /// The value.
        value: String,
        /// The batch.
        batch: usize,
    },
    /// A kernel that refused its operands.
    #[error("{op} {node:?}: {problem}")]
    Kernel {
        /// The node's output.
        node: String,
        /// The operator.
        op: &'static str,
        /// What the kernel says.
        problem: ember_kernels::KernelError,
    },
    /// A quantized value that breaks a rule of the integer kernels.
    #[error("the quantization of {value:?}: {problem}")]
    Quantization {
        /// The value.
        value: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// A line of the text form that cannot be understood.
    #[error("line {line} of the graph's text: {problem}")]
    Text {
        /// Counted from 1.
        line: usize,
        /// What was found and what was expected.
        problem: String,
    },
    /// A file that could not be read or written.
    #[error("cannot {action} {path:?}: {source}")]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A checkpoint that is not whole or not ours.
    #[error("not a usable checkpoint: {problem}")]
    Checkpoint {
        /// What was found and what was expected.
        problem: String,
    },
    /// An error in the file of this name.
    #[error("{path:?}: {problem}")]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        problem: Box<GraphError>,
    },
}
