//! Convolution as one matrix product of image patches and filters.

use burn::tensor::Tensor;
use ember_graph::Window;

use crate::windows::Windows;

/// A convolution of images `[N,H,W,C]` with filters `[O,KH,KW,C]`.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    windows: Windows,
    channels: usize,
    filters: usize,
}

impl Conv2d {
    pub(crate) fn new(image: &[usize], filter: &[usize], window: &Window) -> Option<Self> {
        let (&[_, height, width, channels], &[filters, tall, wide, _]) = (image, filter) else {
            return None;
        };
        Some(Self {
            windows: Windows::new([height, width], [tall, wide], window),
            channels,
            filters,
        })
    }

    /// `[N, H*W*C]` becomes `[N, OH*OW*O]`.
    pub(crate) fn forward(
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
        (patches.matmul(filter.transpose()) + bias.clone())
            .reshape([count, positions * self.filters])
    }
}
