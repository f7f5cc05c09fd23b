//! Depthwise convolution: each channel has filters of its own.

use burn::tensor::Tensor;
use ember_graph::Window;

use crate::windows::Windows;

/// A convolution of images `[N,H,W,C]` with filters `[1,KH,KW,C*multiplier]`; output channel `c * multiplier + m` is the
/// `m`-th filter of channel `c`.
#[derive(Clone, Debug)]
pub(crate) struct DepthwiseConv2d {
    windows: Windows,
    channels: usize,
    multiplier: usize,
}

impl DepthwiseConv2d {
    pub(crate) fn new(image: &[usize], filter: &[usize], window: &Window) -> Option<Self> {
        let (&[_, height, width, channels], &[_, tall, wide, filters]) = (image, filter) else {
            return None;
        };
        Some(Self {
            windows: Windows::new([height, width], [tall, wide], window),
            channels,
            multiplier: filters.checked_div(channels)?,
        })
    }

    /// `[N, H*W*C]` becomes `[N, OH*OW*C*multiplier]`.
    pub(crate) fn forward(
        &self,
        images: &Tensor<2>,
        filter: &Tensor<2>,
        bias: &Tensor<2>,
    ) -> Tensor<2> {
        let [count, _] = images.dims();
        let (positions, taps) = (self.windows.positions(), self.windows.taps);
        let filters = self.channels * self.multiplier;
        let patches: Tensor<4> = self
            .windows
            .patches(images.clone(), self.channels)
            .reshape([count * positions, taps, self.channels, 1]);
        let filter: Tensor<4> = filter
            .clone()
            .reshape([1, taps, self.channels, self.multiplier]);
        let sums: Tensor<2> = (patches * filter)
            .sum_dim(1)
            .reshape([count * positions, filters]);
        (sums + bias.clone()).reshape([count, positions * filters])
    }
}
