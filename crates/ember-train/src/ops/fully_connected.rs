//! The dense layer.

use burn::tensor::Tensor;

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
        let weights = weights.clone().reshape(self.weights);
        input.clone().matmul(weights.transpose()) + bias.clone()
    }
}
