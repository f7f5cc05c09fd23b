//! What can go wrong between a trained graph and its integers.

use ember_graph::GraphError;

/// An error of this crate: where it is, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum CompressError {
    /// A graph that is not valid, before any pass.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A pass that made an invalid graph: a fault of the pass, not of the model.
    #[error("the pass {pass} made an invalid graph: {problem}")]
    Pass {
        /// The pass.
        pass: &'static str,
        /// What the verifier says.
        problem: GraphError,
    },
    /// A pass that finds something to do again and again.
    #[error("the pass {pass} did not come to an end after {changes} changes")]
    Endless {
        /// The pass.
        pass: &'static str,
        /// Changes made.
        changes: usize,
    },
    /// An operator that has no integers.
    #[error(
        "a {op} cannot be quantized ({node:?}): run the passes first, they fold it into its neighbours"
    )]
    NotFolded {
        /// The node's output.
        node: String,
        /// The operator.
        op: &'static str,
    },
    /// No sample was given.
    #[error(
        "calibration needs at least one sample: give it a representative dataset of some hundred images"
    )]
    NoSamples,
    /// A dataset whose images do not fit the model's input.
    #[error(
        "the images are {rows}x{cols} with one channel, and the input {input:?} has the shape {shape:?}"
    )]
    ImageShape {
        /// The model's input.
        input: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Rows of an image.
        rows: usize,
        /// Columns of an image.
        cols: usize,
    },
    /// A model with other than one input, where images are fed.
    #[error("images can be fed to a model with one input; {graph:?} has {inputs}")]
    Inputs {
        /// The graph.
        graph: String,
        /// How many inputs it has.
        inputs: usize,
    },
    /// A NaN or an infinity while calibrating.
    #[error(
        "{value:?} became {number} on sample {sample}: the samples or the weights are out of range"
    )]
    NotFinite {
        /// The value.
        value: String,
        /// The sample, counted from 0.
        sample: usize,
        /// The number.
        number: f32,
    },
    /// A value without a range.
    #[error("{value:?} has no calibrated range: calibrate the very graph that is quantized")]
    NoRange {
        /// The value.
        value: String,
    },
    /// A stored range of a value that the graph does not have.
    #[error(
        "there is a range for {value:?}, which is no value of the graph: calibrate the very graph that is quantized"
    )]
    StrangeRange {
        /// The name.
        value: String,
    },
    /// A range that no scale can represent.
    #[error("{value:?} reaches from {min} to {max}: no f32 scale represents that")]
    Unrepresentable {
        /// The value.
        value: String,
        /// The least number.
        min: f32,
        /// The greatest number.
        max: f32,
    },
}
