//! The dense layer.

use burn::tensor::Tensor;

use crate::kernels::{self, fully_connected::FullyConnected as Kernel};

/// A dense layer with weights `[outputs, inputs]`.
#[derive(Clone, Debug)]
pub(crate) struct FullyConnected {
    weights: [usize; 2],
}

impl FullyConnected {
    pub(crate) fn new(weights: &[usize]) -> Option<Self> {
        let weights = weights.try_into().ok()?;
        Some(Self { weights })
    }

    /// `[N, inputs]` becomes `[N, outputs]`.
    pub(crate) fn forward(
        &self,
        input: &Tensor<2>,
        weights: &Tensor<2>,
        bias: &Tensor<2>,
    ) -> Tensor<2> {
        let [outputs, inputs] = self.weights;
        let [count, _] = input.dims();
        let kernel = Kernel {
            count,
            inputs,
            outputs,
        };
        kernels::apply(kernel, [input, weights, bias])
            .unwrap_or_else(|| self.composed(input, weights, bias))
    }

    /// The same out of Burn's operators.
    pub(crate) fn composed(
        &self,
        input: &Tensor<2>,
        weights: &Tensor<2>,
        bias: &Tensor<2>,
    ) -> Tensor<2> {
        let weights = weights.clone().reshape(self.weights);
        input.clone().matmul(weights.transpose()) + bias.clone()
    }
}
