//! What the GPU is told of an operator: sizes that are checked, and where its operands come from.
//!
//! Every tensor is flat and row-major as in the file, so that a change of shape is nothing to do; steps view it in the shape
//! that they need.

use ember_tflite::TensorId;

/// An operator to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) operands: Vec<Operand>,
    pub(crate) output: TensorId,
    /// Bounds of the output, from a fused activation.
    pub(crate) clamp: Clamp,
}

/// Where an operand comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Operand {
    /// An input of the partition, or what a step before computed.
    Computed(TensorId),
    /// A constant, as it is in the file.
    Constant(TensorId),
    /// A constant of these dimensions `[a, b]`, to be stored as `[b, a]`.
    Transposed(TensorId, [usize; 2]),
}

/// The least and the greatest value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clamp(pub(crate) Option<f32>, pub(crate) Option<f32>);

impl Clamp {
    pub(crate) const NONE: Clamp = Clamp(None, None);
}

/// How a window moves over an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// Images `[N, H, W, C]`.
    pub(crate) input: [usize; 4],
    /// Rows and columns of the window.
    pub(crate) size: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Before and behind, of rows and of columns.
    pub(crate) padding: [(usize, usize); 2],
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Input, filters `[out, rows, columns, in / groups]`, and a bias where there is one.
    Conv {
        window: Window,
        outputs: usize,
        groups: usize,
    },
    /// Input `[rows, depth]`, weights `[units, depth]`, and a bias where there is one.
    Dense {
        rows: usize,
        depth: usize,
        units: usize,
    },
    MaxPool(Window),
    /// Without the padding.
    AveragePool(Window),
    /// Two operands, either repeated along dimensions of 1.
    Binary {
        op: Binary,
        shapes: [[usize; 4]; 2],
    },
    Unary(Unary),
    /// Along the last dimension.
    Softmax {
        rows: usize,
        depth: usize,
        beta: f32,
    },
    /// Another shape of the same elements.
    Same,
    /// Along the middle of `[outer, ..]`; the widths are those of the operands.
    Concat {
        outer: usize,
        widths: Vec<usize>,
    },
    Pad {
        shape: [usize; 4],
        padding: [(usize, usize); 4],
        value: f32,
    },
    Reduce {
        op: Reduce,
        shape: [usize; 4],
        axes: [bool; 4],
    },
    Transpose {
        shape: [usize; 4],
        order: [usize; 4],
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Maximum,
    Minimum,
    SquaredDifference,
    /// `max(x, 0) + slope * min(x, 0)`.
    Prelu,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Unary {
    LeakyRelu(f32),
    Logistic,
    Tanh,
    Elu,
    HardSwish,
    Abs,
    Neg,
    Exp,
    Log,
    Sqrt,
    Rsqrt,
    Square,
    /// What is left of an operator that only clamps.
    Identity,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reduce {
    Mean,
    Sum,
    Max,
    Min,
}
