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
    /// A model whose activations are integers already.
    #[error(
        "{graph:?} is already quantized ({node:?} is a conversion between integers and real numbers): start from the float model"
    )]
    AlreadyQuantized {
        /// The graph.
        graph: String,
        /// The conversion found.
        node: String,
    },
    /// No sample was given.
    #[error(
        "calibration needs at least one sample: give it a representative dataset of some hundred images"
    )]
    NoSamples,
    /// Samples that say nothing about ranges.
    #[error(
        "the {samples} calibration samples are constant (all alike, or one number throughout in {input:?}): give it a representative dataset of some hundred different images"
    )]
    ConstantSamples {
        /// The model's input.
        input: String,
        /// How many samples.
        samples: usize,
    },
    /// A clipping that there is not.
    #[error(
        "there is no clipping {found:?}: it is min-max, mse, octav or percentile:P with P above 50 and at most 100"
    )]
    Clipping {
        /// As given.
        found: String,
    },
    /// A recipe that is none.
    #[error("not a recipe: {problem}")]
    Recipe {
        /// What was found and what was expected.
        problem: String,
    },
    /// A rule that cannot apply.
    #[error("rule {number} of the recipe {problem}")]
    Rule {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Types for which there is no kernel.
    #[error(
        "{node:?} would have {weights} weights with {activations} activations: there are float32, float16 and int8 weights with float32 activations, int8, int4 and int2 with int8, int8 with int16"
    )]
    Types {
        /// The layer.
        node: String,
        /// Its weights' type.
        weights: &'static str,
        /// Its activations' type.
        activations: &'static str,
    },
    /// A share of weights that is none.
    #[error("a sparsity of {found}: it is a share from 0 (nothing is pruned) to 1 (everything is)")]
    Sparsity {
        /// As given.
        found: f64,
    },
    /// Blocks or groups that hold nothing, or of which more stays than there is.
    #[error(
        "{found} cannot be pruned: blocks and groups hold at least one weight, and no more can stay than there are"
    )]
    Pattern {
        /// As given.
        found: String,
    },
    /// A text that is no pruning.
    #[error(
        "{found:?} does not say what to prune: a share as 0.8, a share of blocks of ROWSxCOLUMNS as 0.8/4x1, or KEEP:OF as 2:4"
    )]
    PruningText {
        /// As given.
        found: String,
    },
    /// A pruning schedule that cannot be followed.
    #[error("the pruning schedule cannot be followed: {problem}")]
    Schedule {
        /// What is wrong with it.
        problem: String,
    },
    /// A number of clusters that makes no sense.
    #[error(
        "{weights} weights in {clusters} clusters: there are 2 to 256, and not more than weights"
    )]
    Clusters {
        /// As given.
        clusters: usize,
        /// Weights that would share them.
        weights: usize,
    },
    /// Weights that are no numbers.
    #[error("weight {position} is {number}: weights must be finite; did training diverge?")]
    WeightNotFinite {
        /// Row-major position of the first such weight.
        position: usize,
        /// The number.
        number: f32,
    },
    /// An error in the tensor of this name.
    #[error("{tensor:?}: {problem}; a pattern such as \"dense*\" names the tensors that are meant")]
    InTensor {
        /// The tensor.
        tensor: String,
        /// What is wrong with it.
        problem: Box<CompressError>,
    },
    /// A pattern that matches no weights.
    #[error(
        "{pattern:?} matches no filter and no weights of {graph:?}: names are such as \"conv.filter\" and \"dense.weights\""
    )]
    NoWeights {
        /// The graph.
        graph: String,
        /// The pattern.
        pattern: String,
    },
    /// A pattern that matches no layer whose channels can go.
    #[error(
        "{pattern:?} matches no layer of {graph:?} that can do without a channel: its result would have to end in convolutions or dense layers"
    )]
    NoChannels {
        /// The graph.
        graph: String,
        /// The pattern.
        pattern: String,
    },
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
    /// A quantized graph that was not made of the float graph given.
    #[error("the quantized graph has no {value:?} of its shape: it was made of another graph")]
    OtherGraph {
        /// The value.
        value: String,
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
