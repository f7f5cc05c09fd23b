//! Convolution, with the clamp or the max-pool behind it where there is one.
//!
//! Where the kernel cannot compute it, it is one matrix product of image patches and filters.

use std::sync::Arc;

use burn::tensor::Tensor;
use ember_core::Activation;
use ember_graph::Window;

use super::max_pool_2d::MaxPool2d;
use crate::kernels::conv_2d::{Conv2d as Kernel, Convolution, Pool};
use crate::windows::Windows;
use crate::{kernels, ops};

/// A convolution of images `[N,H,W,C]` with filters `[O,KH,KW,C]`.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    windows: Windows,
    channels: usize,
    filters: usize,
    convolution: Arc<Convolution>,
    pool: Option<(MaxPool2d, Arc<Pool>)>,
    /// Applied to what the convolution gives, or the pool.
    activation: Activation,
}

impl Conv2d {
    pub(crate) fn new(image: &[usize], filter: &[usize], window: &Window) -> Option<Self> {
        let (&[_, height, width, channels], &[filters, tall, wide, _]) = (image, filter) else {
            return None;
        };
        let (input, size) = ([height, width], [tall, wide]);
        let windows = Windows::new(input, size, window);
        let convolution = Convolution {
            input,
            channels,
            size,
            stride: window.stride,
            dilation: window.dilation,
            before: windows.before,
            output: windows.output,
            filters,
        };
        Some(Self {
            windows,
            channels,
            filters,
            convolution: Arc::new(convolution),
            pool: None,
            activation: Activation::None,
        })
    }

    /// Extent of its own result, `[height, width]`.
    #[cfg(test)]
    pub(crate) const fn output(&self) -> [usize; 2] {
        self.windows.output
    }

    /// Applies this to its result, too.
    pub(crate) fn activate(&mut self, activation: Activation) {
        self.activation = activation;
    }

    /// Pools its result, too, before any activation.
    pub(crate) fn pool(&mut self, pool: &MaxPool2d) {
        let kernel = Pool::new(pool.windows(), self.filters);
        self.pool = Some((pool.clone(), Arc::new(kernel)));
    }

    /// `[N, H*W*C]` becomes `[N, OH*OW*O]`, `OH` and `OW` the positions of the pool where there is one.
    pub(crate) fn forward(
        &self,
        images: &Tensor<2>,
        filter: &Tensor<2>,
        bias: &Tensor<2>,
    ) -> Tensor<2> {
        let [count, _] = images.dims();
        let kernel = Kernel {
            count,
            convolution: Arc::clone(&self.convolution),
            pool: self.pool.as_ref().map(|(_, pool)| Arc::clone(pool)),
            clamp: ops::bounds(self.activation),
        };
        kernels::apply(kernel, [images, filter, bias])
            .unwrap_or_else(|| self.composed(images, filter, bias))
    }

    /// The same out of Burn's operators.
    pub(crate) fn composed(
        &self,
        images: &Tensor<2>,
        filter: &Tensor<2>,
        bias: &Tensor<2>,
    ) -> Tensor<2> {
        let [count, _] = images.dims();
        let positions = self.windows.positions();
        let depth = self.windows.taps * self.channels;
        let patches = self
            .windows
            .patches(images.clone(), self.channels)
            .reshape([count * positions, depth]);
        let filter = filter.clone().reshape([self.filters, depth]);
        let result = (patches.matmul(filter.transpose()) + bias.clone())
            .reshape([count, positions * self.filters]);
        let pooled = match &self.pool {
            Some((pool, _)) => pool.forward(&result),
            None => result,
        };
        ops::activate(self.activation, pooled)
    }
}
