//! Average pooling; padding does not count.

use burn::tensor::{Tensor, TensorData};
use ember_graph::Window;

use crate::windows::Windows;

/// Pooling of images `[N,H,W,C]`.
#[derive(Clone, Debug)]
pub(crate) struct AveragePool2d {
    windows: Windows,
    channels: usize,
}

impl AveragePool2d {
    pub(crate) fn new(image: &[usize], size: [usize; 2], window: &Window) -> Option<Self> {
        let &[_, height, width, channels] = image else {
            return None;
        };
        Some(Self {
            windows: Windows::new([height, width], size, window),
            channels,
        })
    }

    /// `[N, H*W*C]` becomes `[N, OH*OW*C]`.
    pub(crate) fn forward(&self, images: &Tensor<2>) -> Tensor<2> {
        let [count, _] = images.dims();
        let (positions, taps) = (self.windows.positions(), self.windows.taps);
        let patches: Tensor<3> = self
            .windows
            .patches(images.clone(), self.channels)
            .reshape([count * positions, taps, self.channels]);
        let sums: Tensor<3> = patches
            .sum_dim(1)
            .reshape([count, positions, self.channels]);
        let shares: Vec<f32> = self
            .windows
            .sources
            .chunks(taps.max(1))
            .map(|taps| 1.0 / taps.iter().flatten().count().max(1) as f32)
            .collect();
        let shares = TensorData::new(shares, [1, positions, 1]);
        let shares = Tensor::<3>::from_data(shares, &images.device());
        (sums * shares).reshape([count, positions * self.channels])
    }
}
