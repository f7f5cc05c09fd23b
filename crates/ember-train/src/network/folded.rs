//! A layer with its batch norm folded into it, for training with rounded weights.
//!
//! Tested and stored, the layer has the filter and the bias into which the moving averages have been folded, the filter rounded.
//! In training the filter is rounded the same way, because its scale has to be that of the model that comes out, and what
//! it gives is corrected to the statistics of the batch (Krishnamoorthi, "Quantizing deep convolutional networks for efficient
//! inference", 2018, section 3.2.2, without its freezing). The statistics are those of the unrounded layer.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use ember_graph::batch_norm::BatchNorm;

use super::numbers;
use crate::ops::Layer;
use crate::ops::batch_norm::{Moments, rows};

/// The batch norm of a layer.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    /// The index of gamma among the network's parameters; beta, mean and variance follow.
    pub(super) first: usize,
    pub(super) epsilon: f32,
    pub(super) channels: usize,
    /// Whether a channel is a column of the filter, as in depthwise convolutions, and not a row.
    pub(super) columns: bool,
}

impl Folded {
    /// Filter and bias with the moving averages folded in.
    pub(super) fn fold(
        &self,
        parameters: &[Param<Tensor<1>>],
        filter: &[f32],
        bias: &[f32],
    ) -> [Vec<f32>; 2] {
        let own = &parameters[self.first..self.first + 4];
        let own: Vec<Vec<f32>> = own.iter().map(|own| numbers(own.val())).collect();
        let norm = BatchNorm {
            gamma: &own[0],
            beta: &own[1],
            mean: &own[2],
            variance: &own[3],
            epsilon: self.epsilon,
        };
        let (factors, summands) = norm.affine();
        let row = filter.len() / self.channels.max(1);
        let channel = |at: usize| {
            if self.columns {
                at % self.channels
            } else {
                at / row
            }
        };
        let scaled = filter.iter().enumerate();
        let scaled = scaled.map(|(at, number)| number * factors[channel(at)]);
        let moved = bias.iter().zip(factors.iter().zip(&summands));
        let moved = moved.map(|(bias, (factor, summand))| bias * factor + summand);
        [scaled.collect(), moved.collect()]
    }

    /// The layer's result on operands that are not folded yet, with the moving averages; `round` makes of the filter what is
    /// computed with.
    pub(super) fn forward(
        &self,
        layer: &Layer,
        parameters: &[Param<Tensor<1>>],
        operands: &[Tensor<2>; 3],
        round: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Option<Tensor<2>> {
        let [input, filter, bias] = operands;
        let device = input.device();
        let [filter, bias] = [filter, bias].map(|constant| numbers(constant.clone().inner()));
        let [filter, bias] = self.fold(parameters, &filter, &bias).map(|numbers| {
            let shape = [1, numbers.len()];
            Tensor::<2>::from_data(TensorData::new(numbers, shape), &device)
        });
        layer.forward(&[input.clone(), round(filter), bias])
    }

    /// The same with the statistics of the batch, and those.
    pub(super) fn train(
        &self,
        layer: &Layer,
        parameters: &[Param<Tensor<1>>],
        operands: &[Tensor<2>; 3],
        round: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Option<(Tensor<2>, Moments)> {
        let [input, filter, bias] = operands;
        let own = |at: usize| -> Tensor<2> { parameters[self.first + at].val().unsqueeze() };
        let unrounded = layer.forward(&[input.clone(), filter.clone(), bias.clone()])?;
        let moments = Moments::of(&unrounded, self.channels);
        let deviation = moments.deviation(self.epsilon);
        // The moving averages are not trained by the gradient.
        let kept = Moments::kept(constant(own(2)), constant(own(3))).deviation(self.epsilon);
        let factor = own(0) / kept.clone();
        let [_, elements] = filter.dims();
        let row = elements / self.channels.max(1);
        let scaled: Tensor<2> = if self.columns {
            filter.clone().reshape([row, self.channels]) * factor
        } else {
            filter.clone().reshape([self.channels, row]) * factor.reshape([self.channels, 1])
        };
        let rounded = round(scaled.reshape([1, elements]));
        let result = layer.forward(&[input.clone(), rounded, bias.zeros_like()])?;
        let summand = own(1) + (bias.clone() - moments.mean()) * (own(0) / deviation.clone());
        let corrected = rows(&result, self.channels) * (kept / deviation) + summand;
        Some((corrected.reshape(result.dims()), moments))
    }
}

/// The same numbers, of which no gradient is taken.
fn constant(tensor: Tensor<2>) -> Tensor<2> {
    Tensor::from_inner(tensor.inner())
}
