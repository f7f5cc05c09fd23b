//! Max pooling by picking: which element wins each window is found on plain numbers, outside of the gradient; the result
//! gathers the winners, and the gradient of a gather goes back to exactly those. Of equals the first wins, in the row-major
//! order of the window, as in TensorFlow. This is faster than Burn's own pooling, which is scalar in both directions.

use burn::tensor::{Int, Tensor, TensorData};
use ember_graph::Window;

use crate::network;
use crate::windows::Windows;

/// Pooling of images `[N,H,W,C]`; padding never wins.
#[derive(Clone, Debug)]
pub(crate) struct MaxPool2d {
    windows: Windows,
    channels: usize,
}

impl MaxPool2d {
    pub(crate) fn new(image: &[usize], size: [usize; 2], window: &Window) -> Option<Self> {
        let &[_, height, width, channels] = image else {
            return None;
        };
        Some(Self {
            windows: Windows::new([height, width], size, window),
            channels,
        })
    }

    /// Its windows.
    pub(crate) const fn windows(&self) -> &Windows {
        &self.windows
    }

    /// `[N, H*W*C]` becomes `[N, OH*OW*C]`.
    pub(crate) fn forward(&self, images: &Tensor<2>) -> Tensor<2> {
        let [count, elements] = images.dims();
        let outputs = self.windows.positions() * self.channels;
        let mut winners = Vec::with_capacity(count * outputs);
        network::with_numbers(images.clone().inner(), |numbers| {
            for image in numbers.chunks(elements.max(1)) {
                self.winners(image, &mut winners);
            }
        });
        let winners = TensorData::new(winners, [count, outputs]);
        let winners = Tensor::<2, Int>::from_data(winners, &images.device());
        images.clone().gather(1, winners)
    }

    /// Appends, for each output of one image, the index of the element that it takes.
    fn winners(&self, image: &[f32], winners: &mut Vec<i32>) {
        let channels = self.channels;
        let mut best = vec![0.0f32; channels];
        for taps in self.windows.sources.chunks(self.windows.taps.max(1)) {
            let mut taps = taps.iter().flatten().map(|pixel| pixel * channels);
            let first = taps.next().unwrap_or(0);
            let start = winners.len();
            winners.extend((first..first + channels).map(|element| element as i32));
            best.copy_from_slice(&image[first..first + channels]);
            let chosen = &mut winners[start..];
            for pixel in taps {
                let candidates = &image[pixel..pixel + channels];
                let best_and_chosen = best.iter_mut().zip(chosen.iter_mut());
                // Two selects and no branch: which one wins is as good as random.
                for (element, (candidate, (best, chosen))) in
                    (pixel as i32..).zip(candidates.iter().zip(best_and_chosen))
                {
                    let wins = candidate > best;
                    *best = if wins { *candidate } else { *best };
                    *chosen = if wins { element } else { *chosen };
                }
            }
        }
    }
}
