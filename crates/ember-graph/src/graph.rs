//! The graph itself: values, the nodes that make them, and the operators with their attributes.

use ember_core::{Activation, Padding};

/// A value of a [`Graph`]: an input, a constant, or what a node makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) u32);

impl ValueId {
    /// Position in [`Graph::values`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Given from outside at every run.
    Input,
    /// Trained or fixed numbers, row-major.
    Constant(Vec<f32>),
    /// The result of a node.
    Node,
}

/// A named f32 tensor, row-major; images are NHWC.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Unique in its graph.
    pub name: String,
    /// Extent of each dimension. The first dimension of activations is the batch, 1 in every stored graph.
    pub shape: Vec<usize>,
    /// Where the numbers come from.
    pub source: Source,
}

/// Strides, dilations and padding of a sliding window, height first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Steps between output positions, `[height, width]`.
    pub stride: [usize; 2],
    /// Steps between taps, `[height, width]`; 1 for pooling.
    pub dilation: [usize; 2],
    /// What happens at the borders.
    pub padding: Padding,
}

/// An operator with its attributes. Inputs are listed in the order of the `.tflite` operator of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Inputs: image `[N,H,W,C]`, filter `[O,KH,KW,C]`, bias `[O]`.
    Conv2d {
        /// The window.
        window: Window,
        /// Applied to the sum.
        activation: Activation,
    },
    /// Inputs: image `[N,H,W,C]`, filter `[1,KH,KW,C*multiplier]`, bias `[C*multiplier]`.
    DepthwiseConv2d {
        /// The window.
        window: Window,
        /// Applied to the sum.
        activation: Activation,
    },
    /// Inputs: `[N,I]`, weights `[O,I]`, bias `[O]`.
    FullyConnected {
        /// Applied to the sum.
        activation: Activation,
    },
    /// Input: image `[N,H,W,C]`.
    MaxPool2d {
        /// Extent of the window, `[height, width]`.
        size: [usize; 2],
        /// The window.
        window: Window,
    },
    /// Input: image `[N,H,W,C]`. Padding does not count in the mean.
    AveragePool2d {
        /// Extent of the window, `[height, width]`.
        size: [usize; 2],
        /// The window.
        window: Window,
    },
    /// Inputs: two tensors of the same shape.
    Add {
        /// Applied to the sum.
        activation: Activation,
    },
    /// Input: anything with as many elements.
    Reshape {
        /// The new shape, batch included.
        shape: Vec<usize>,
    },
    /// Input: anything.
    Relu,
    /// Input: anything.
    Relu6,
    /// Over the last dimension.
    Softmax {
        /// Factor on the logits before the exponential.
        beta: f32,
    },
}

/// One operator and its place in the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// Its operands.
    pub inputs: Vec<ValueId>,
    /// Its one result.
    pub output: ValueId,
}

/// A directed acyclic graph of f32 operators in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// The model's name, such as `seed-cnn`.
    pub name: String,
    /// All values; a [`ValueId`] is an index here.
    pub values: Vec<Value>,
    /// The nodes in execution order: each operand is an input, a constant, or made by an earlier node.
    pub nodes: Vec<Node>,
    /// Values given from outside.
    pub inputs: Vec<ValueId>,
    /// Values that the caller reads.
    pub outputs: Vec<ValueId>,
}
