//! The graph's operators in Burn: one file per operator, forward only. Burn derives the gradient, or the operator's kernel has
//! it ([`crate::kernels`]).
//!
//! **Layout:** an activation is `[examples, elements of one example]`, its elements row-major in the graph's own order
//! (NHWC). A parameter is the graph's constant as it is stored (filters OHWI, dense weights `[out, in]`), as one row. So
//! no layout is ever converted, and a reshape costs nothing.

mod add;
mod average_pool_2d;
pub(crate) mod batch_norm;
pub(crate) mod conv_2d;
mod depthwise_conv_2d;
pub(crate) mod fully_connected;
pub(crate) mod max_pool_2d;
mod softmax;

use burn::tensor::{Tensor, activation};
use ember_core::Activation;
use ember_graph::{Graph, Node, Op};

use average_pool_2d::AveragePool2d;
use batch_norm::{BatchNorm, Moments};
use conv_2d::Conv2d;
use depthwise_conv_2d::DepthwiseConv2d;
use fully_connected::FullyConnected;
use max_pool_2d::MaxPool2d;
use softmax::Softmax;

/// An operator with everything about it that does not depend on the data.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    Conv2d(Conv2d),
    DepthwiseConv2d(DepthwiseConv2d),
    FullyConnected(FullyConnected),
    MaxPool2d(MaxPool2d),
    AveragePool2d(AveragePool2d),
    BatchNorm(BatchNorm),
    Add,
    Reshape,
    Relu,
    Relu6,
    Softmax(Softmax),
}

impl Layer {
    /// Prepares a node of a verified graph; else what is wrong with it.
    pub(crate) fn new(graph: &Graph, node: &Node) -> Result<Self, String> {
        let operands: Option<Vec<&[usize]>> = node
            .inputs
            .iter()
            .map(|id| graph.get(*id).map(|value| value.shape.as_slice()))
            .collect();
        let operands = operands.ok_or("an operand is missing")?;
        let layer = match (&node.op, operands.as_slice()) {
            (Op::Conv2d { window, .. }, [image, filter, _]) => {
                Conv2d::new(image, filter, window).map(Self::Conv2d)
            }
            (Op::DepthwiseConv2d { window, .. }, [image, filter, _]) => {
                DepthwiseConv2d::new(image, filter, window).map(Self::DepthwiseConv2d)
            }
            (Op::FullyConnected { .. }, [_, weights, _]) => {
                FullyConnected::new(weights).map(Self::FullyConnected)
            }
            (Op::MaxPool2d { size, window }, [image]) => {
                MaxPool2d::new(image, *size, window).map(Self::MaxPool2d)
            }
            (Op::AveragePool2d { size, window }, [image]) => {
                AveragePool2d::new(image, *size, window).map(Self::AveragePool2d)
            }
            (Op::Add { .. }, [left, right]) if left == right => Some(Self::Add),
            (Op::Reshape { .. }, [_]) => Some(Self::Reshape),
            (Op::Relu, [_]) => Some(Self::Relu),
            (Op::Relu6, [_]) => Some(Self::Relu6),
            (Op::Softmax { beta }, [input]) => Softmax::new(input, *beta).map(Self::Softmax),
            (Op::BatchNorm { epsilon }, [input, _, _, _, _]) => {
                BatchNorm::new(input, *epsilon).map(Self::BatchNorm)
            }
            (
                Op::Conv2d { .. }
                | Op::DepthwiseConv2d { .. }
                | Op::FullyConnected { .. }
                | Op::MaxPool2d { .. }
                | Op::AveragePool2d { .. }
                | Op::Add { .. }
                | Op::Reshape { .. }
                | Op::Relu
                | Op::Relu6
                | Op::Softmax { .. }
                | Op::BatchNorm { .. }
                | Op::Pad { .. }
                | Op::Quantize
                | Op::Dequantize
                | Op::TransposeConv { .. }
                | Op::Weightless(_),
                _,
            ) => None,
        };
        layer.ok_or_else(|| {
            format!(
                "{} on operands {operands:?} cannot be trained",
                node.op.name()
            )
        })
    }

    /// The result for these operands, in the node's order, before the node's own activation; none when their number is
    /// wrong.
    pub(crate) fn forward(&self, operands: &[Tensor<2>]) -> Option<Tensor<2>> {
        let result = match (self, operands) {
            (Self::Conv2d(layer), [images, filter, bias]) => layer.forward(images, filter, bias),
            (Self::DepthwiseConv2d(layer), [images, filter, bias]) => {
                layer.forward(images, filter, bias)
            }
            (Self::FullyConnected(layer), [input, weights, bias]) => {
                layer.forward(input, weights, bias)
            }
            (Self::MaxPool2d(layer), [images]) => layer.forward(images),
            (Self::AveragePool2d(layer), [images]) => layer.forward(images),
            (Self::Add, [left, right]) => add::forward(left, right),
            (Self::Reshape, [input]) => input.clone(),
            (Self::Relu, [input]) => activation::relu(input.clone()),
            (Self::Relu6, [input]) => activation::relu6(input.clone()),
            (Self::Softmax(layer), [input]) => layer.forward(input),
            (Self::BatchNorm(layer), [input, gamma, beta, mean, variance]) => {
                let kept = Moments::kept(mean.clone(), variance.clone());
                layer.forward(input, gamma, beta, &kept)
            }
            _ => return None,
        };
        Some(result)
    }

    /// The same while training; for a batch norm with the moments of the batch, by which it normalized.
    pub(crate) fn train(&self, operands: &[Tensor<2>]) -> Option<(Tensor<2>, Option<Moments>)> {
        if let (Self::BatchNorm(layer), [input, gamma, beta, ..]) = (self, operands) {
            let moments = Moments::of(input, layer.channels());
            let result = layer.forward(input, gamma, beta, &moments);
            return Some((result, Some(moments)));
        }
        Some((self.forward(operands)?, None))
    }
}

/// Least and greatest number that a node's own activation lets through; none where it lets all.
pub(crate) const fn bounds(activation: Activation) -> Option<[f32; 2]> {
    match activation {
        Activation::None | Activation::Tanh | Activation::SignBit => None,
        Activation::Relu => Some([0.0, f32::INFINITY]),
        Activation::ReluN1To1 => Some([-1.0, 1.0]),
        Activation::Relu6 => Some([0.0, 6.0]),
    }
}

/// A node's own activation, which clamps: the verifier of graphs lets no other through.
pub(crate) fn activate(activation: Activation, input: Tensor<2>) -> Tensor<2> {
    match activation {
        Activation::None | Activation::Tanh | Activation::SignBit => input,
        Activation::Relu => activation::relu(input),
        Activation::ReluN1To1 => input.clamp(-1.0, 1.0),
        Activation::Relu6 => input.clamp(0.0, 6.0),
    }
}
