//! Batch normalization (Ioffe and Szegedy, 2015): by the batch's own statistics while training, by their moving averages
//! otherwise.

use burn::tensor::Tensor;

use crate::network::numbers;

/// Mean and variance of each channel of one batch. The variance is that of the batch as a population, as in Keras.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    mean: Tensor<2>,
    variance: Tensor<2>,
}

impl Moments {
    /// Of `[N, elements]` whose elements are `[.., channels]`.
    pub(crate) fn of(input: &Tensor<2>, channels: usize) -> Self {
        let rows: Tensor<2> = rows(input, channels);
        let mean = rows.clone().mean_dim(0);
        let distance = rows - mean.clone();
        let variance = (distance.clone() * distance).mean_dim(0);
        Self { mean, variance }
    }

    /// The moments `[1, channels]` that a batch norm keeps.
    pub(crate) const fn kept(mean: Tensor<2>, variance: Tensor<2>) -> Self {
        Self { mean, variance }
    }

    /// `[1, channels]`.
    pub(crate) fn mean(&self) -> Tensor<2> {
        self.mean.clone()
    }

    /// The standard deviation with `epsilon` added to the variance, `[1, channels]`.
    pub(crate) fn deviation(&self, epsilon: f32) -> Tensor<2> {
        (self.variance.clone() + epsilon).sqrt()
    }

    /// The numbers of mean and variance.
    pub(crate) fn numbers(&self) -> [Vec<f32>; 2] {
        [&self.mean, &self.variance].map(|moment| numbers(moment.clone().inner()))
    }
}

/// A batch norm of `[N,..,C]`.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    channels: usize,
    epsilon: f32,
}

impl BatchNorm {
    pub(crate) fn new(input: &[usize], epsilon: f32) -> Option<Self> {
        Some(Self {
            channels: *input.last()?,
            epsilon,
        })
    }

    /// `[N, elements]` normalized by these moments; `gamma` and `beta` are `[1, C]`.
    pub(crate) fn forward(
        &self,
        input: &Tensor<2>,
        gamma: &Tensor<2>,
        beta: &Tensor<2>,
        moments: &Moments,
    ) -> Tensor<2> {
        let factor = gamma.clone() / moments.deviation(self.epsilon);
        let summand = beta.clone() - moments.mean() * factor.clone();
        (rows(input, self.channels) * factor + summand).reshape(input.dims())
    }

    /// Its channels.
    pub(crate) const fn channels(&self) -> usize {
        self.channels
    }
}

/// One row for each position of each example.
pub(crate) fn rows(input: &Tensor<2>, channels: usize) -> Tensor<2> {
    let [count, elements] = input.dims();
    let rows = count * elements / channels.max(1);
    input.clone().reshape([rows, channels])
}
