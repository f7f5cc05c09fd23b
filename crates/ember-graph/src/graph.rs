//! The graph itself: values, the nodes that make them, and the operators with their attributes.

use ember_core::{Activation, Padding};

use crate::{GraphError, Weightless};

/// A value of a [`Graph`]: an input, a constant, or what a node makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(usize);

impl ValueId {
    /// The value at this position of [`Graph::values`]; whether there is one is the verifier's to say.
    #[must_use]
    pub const fn from_index(index: usize) -> Self {
        Self(index)
    }

    /// Position in [`Graph::values`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
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

impl Window {
    /// Every position that lies wholly inside, `stride` apart in both directions.
    #[must_use]
    pub const fn valid(stride: usize) -> Self {
        Self {
            stride: [stride, stride],
            dilation: [1, 1],
            padding: Padding::Valid,
        }
    }

    /// `ceil(extent / stride)` positions, zeros around the border.
    #[must_use]
    pub const fn same(stride: usize) -> Self {
        Self {
            stride: [stride, stride],
            dilation: [1, 1],
            padding: Padding::Same,
        }
    }
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
    /// Inputs: image `[N,H,W,C]`, filter `[O,KH,KW,C]`, bias `[O]`: the gradient of a convolution, which enlarges an image.
    TransposeConv {
        /// Height and width of the result.
        size: [usize; 2],
        /// The window of the convolution that makes the input's height and width of the result's.
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
    /// Inputs: two tensors of one rank; where one has an extent of 1, it is repeated.
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
    /// Inputs: anything `[N,..,C]`, gamma, beta, mean and variance, each `[C]`:
    /// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` along the last dimension. It is trained; the passes make a
    /// part of its neighbours of it, and no file has it.
    BatchNorm {
        /// Keeps the divisor away from 0.
        epsilon: f32,
    },
    /// Input: image `[N,H,W,C]`; rows and columns of zeros around it.
    Pad {
        /// Zeros before the first element, `[height, width]`.
        before: [usize; 2],
        /// Zeros after the last element, `[height, width]`.
        after: [usize; 2],
    },
    /// Input: anything. From real numbers to integers, or from integers to others: the parameters are those of the values
    /// of a [`QuantizedGraph`](crate::QuantizedGraph). Among real numbers it changes nothing.
    Quantize,
    /// Input: anything. From integers to real numbers. Among real numbers it changes nothing.
    Dequantize,
    /// Inputs: activations alone.
    Weightless(Weightless),
}

/// What an operand is to its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Flows through the model; its first dimension is the batch.
    Activation,
    /// Convolution taps; constant.
    Filter,
    /// Rows of a dense layer; constant.
    Weights,
    /// One number per output channel; constant.
    Bias,
    /// A batch norm's factors; constant.
    Gamma,
    /// A batch norm's summands; constant.
    Beta,
    /// What a batch norm takes for the mean of its input; constant.
    Mean,
    /// What a batch norm takes for the variance of its input; constant and not negative.
    Variance,
}

impl Role {
    /// Name of a constant in this role after its layer's, as in `conv.filter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Filter => "filter",
            Self::Weights => "weights",
            Self::Bias => "bias",
            Self::Gamma => "gamma",
            Self::Beta => "beta",
            Self::Mean => "mean",
            Self::Variance => "variance",
        }
    }
}

impl Op {
    /// The operator's name in the text form: that of the `.tflite` operator in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv_2d",
            Self::DepthwiseConv2d { .. } => "depthwise_conv_2d",
            Self::TransposeConv { .. } => "transpose_conv",
            Self::FullyConnected { .. } => "fully_connected",
            Self::MaxPool2d { .. } => "max_pool_2d",
            Self::AveragePool2d { .. } => "average_pool_2d",
            Self::Add { .. } => "add",
            Self::Reshape { .. } => "reshape",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::Softmax { .. } => "softmax",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Pad { .. } => "pad",
            Self::Quantize => "quantize",
            Self::Dequantize => "dequantize",
            Self::Weightless(op) => op.name(),
        }
    }

    /// Operands at least and at most.
    #[must_use]
    pub const fn arity(&self) -> (usize, usize) {
        match self {
            Self::Weightless(op) => op.arity(),
            _ => (self.operands().len(), self.operands().len()),
        }
    }

    /// What each operand is, in order; its length is the number of operands, the most where there may be fewer.
    #[must_use]
    pub const fn operands(&self) -> &'static [Role] {
        match self {
            Self::Conv2d { .. } | Self::DepthwiseConv2d { .. } | Self::TransposeConv { .. } => {
                &[Role::Activation, Role::Filter, Role::Bias]
            }
            Self::Weightless(op) => {
                const ACTIVATIONS: &[Role] = &[Role::Activation; Weightless::MOST_OPERANDS];
                ACTIVATIONS.split_at(op.arity().1).0
            }
            Self::FullyConnected { .. } => &[Role::Activation, Role::Weights, Role::Bias],
            Self::Add { .. } => &[Role::Activation, Role::Activation],
            Self::MaxPool2d { .. }
            | Self::AveragePool2d { .. }
            | Self::Reshape { .. }
            | Self::Relu
            | Self::Relu6
            | Self::Softmax { .. }
            | Self::Pad { .. }
            | Self::Quantize
            | Self::Dequantize => &[Role::Activation],
            Self::BatchNorm { .. } => &[
                Role::Activation,
                Role::Gamma,
                Role::Beta,
                Role::Mean,
                Role::Variance,
            ],
        }
    }

    /// The activation that the operator applies itself, if it is one that can.
    #[must_use]
    pub const fn activation(&self) -> Option<Activation> {
        match self {
            Self::Conv2d { activation, .. }
            | Self::DepthwiseConv2d { activation, .. }
            | Self::TransposeConv { activation, .. }
            | Self::FullyConnected { activation }
            | Self::Add { activation } => Some(*activation),
            Self::MaxPool2d { .. }
            | Self::AveragePool2d { .. }
            | Self::Reshape { .. }
            | Self::Relu
            | Self::Relu6
            | Self::Softmax { .. }
            | Self::BatchNorm { .. }
            | Self::Pad { .. }
            | Self::Quantize
            | Self::Dequantize
            | Self::Weightless(_) => None,
        }
    }

    /// The place of that activation, to change it.
    pub const fn activation_mut(&mut self) -> Option<&mut Activation> {
        match self {
            Self::Conv2d { activation, .. }
            | Self::DepthwiseConv2d { activation, .. }
            | Self::TransposeConv { activation, .. }
            | Self::FullyConnected { activation }
            | Self::Add { activation } => Some(activation),
            Self::MaxPool2d { .. }
            | Self::AveragePool2d { .. }
            | Self::Reshape { .. }
            | Self::Relu
            | Self::Relu6
            | Self::Softmax { .. }
            | Self::BatchNorm { .. }
            | Self::Pad { .. }
            | Self::Quantize
            | Self::Dequantize
            | Self::Weightless(_) => None,
        }
    }
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

impl Graph {
    /// The value; `None` when the id is of another graph.
    #[must_use]
    pub fn get(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.index())
    }

    /// The value with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ValueId> {
        let index = self.values.iter().position(|value| value.name == name)?;
        Some(ValueId(index))
    }

    /// The id of every value, in order.
    pub fn ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len()).map(ValueId)
    }

    /// The node that makes the value; `None` for inputs and constants.
    #[must_use]
    pub fn producer(&self, id: ValueId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.output == id)
    }

    /// How many times the value is used: by nodes, as often as each lists it, and as an output.
    #[must_use]
    pub fn uses(&self, id: ValueId) -> usize {
        let operands = self.nodes.iter().flat_map(|node| &node.inputs);
        operands
            .chain(&self.outputs)
            .filter(|used| **used == id)
            .count()
    }

    /// The numbers of a constant, row-major; `None` for any other value.
    #[must_use]
    pub fn constant(&self, id: ValueId) -> Option<&[f32]> {
        match &self.get(id)?.source {
            Source::Constant(numbers) => Some(numbers),
            Source::Input | Source::Node => None,
        }
    }

    /// Gives the constant `id` new numbers, row-major, as many as it has.
    ///
    /// # Errors
    /// When `id` is not a constant of this graph, or the count is another.
    pub fn set_constant(&mut self, id: ValueId, numbers: Vec<f32>) -> Result<(), GraphError> {
        let count = self.values.len();
        let Some(value) = self.values.get_mut(id.index()) else {
            return Err(GraphError::UnknownValue {
                user: self.name.clone(),
                index: id.index(),
                count,
            });
        };
        match &mut value.source {
            Source::Constant(old) if old.len() == numbers.len() => *old = numbers,
            Source::Constant(_) => {
                return Err(GraphError::ConstantLength {
                    value: value.name.clone(),
                    shape: value.shape.clone(),
                    got: numbers.len(),
                });
            }
            Source::Input | Source::Node => {
                return Err(GraphError::NotConstant {
                    value: value.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// Every constant with its numbers, in the order of [`Graph::values`].
    pub fn constants(&self) -> impl Iterator<Item = (ValueId, &Value, &[f32])> {
        self.ids()
            .zip(&self.values)
            .filter_map(|(id, value)| match &value.source {
                Source::Constant(numbers) => Some((id, value, numbers.as_slice())),
                Source::Input | Source::Node => None,
            })
    }

    /// Numbers in all constants together: the model's parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.constants().map(|(_, _, numbers)| numbers.len()).sum()
    }
}
