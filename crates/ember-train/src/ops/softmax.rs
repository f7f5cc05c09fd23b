//! Softmax within a graph. The one at its end is left out in training: the loss takes logits.

use burn::tensor::{Tensor, activation};

/// Softmax over the last dimension of `[N, ..., classes]`.
#[derive(Clone, Debug)]
pub(crate) struct Softmax {
    classes: usize,
    beta: f32,
}

impl Softmax {
    pub(crate) fn new(input: &[usize], beta: f32) -> Option<Self> {
        let classes = *input.last().filter(|classes| **classes > 0)?;
        Some(Self { classes, beta })
    }

    /// The same shape as the input.
    pub(crate) fn forward(&self, input: &Tensor<2>) -> Tensor<2> {
        let [count, elements] = input.dims();
        let rows = (count * elements) / self.classes;
        let logits: Tensor<2> = input.clone().reshape([rows, self.classes]);
        activation::softmax(logits * self.beta, 1).reshape([count, elements])
    }
}
