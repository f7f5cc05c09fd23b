//! Sliding windows as index tables: which input pixel each tap of each output position reads.
//!
//! One table serves convolution, depthwise convolution and average pooling, with any stride, dilation and padding: a tap
//! that falls outside the image reads an extra pixel of zeros that stands behind the last one.

use burn::tensor::{Int, Tensor, TensorData};
use ember_core::Padding;
use ember_graph::Window;

/// The taps of every output position of a window over one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Extent of the output, `[height, width]`.
    pub(crate) output: [usize; 2],
    /// Padding before the image, `[height, width]`.
    pub(crate) before: [usize; 2],
    /// Taps of one window, height times width.
    pub(crate) taps: usize,
    /// `[output pixel, tap]`: the input pixel, or none in the padding.
    pub(crate) sources: Vec<Option<usize>>,
}

impl Windows {
    /// The windows of extent `size` over an image of extent `input`, all `[height, width]`. The padding before the image
    /// is TensorFlow Lite's: half of what is missing, rounded down (`kernels/padding.h`).
    pub(crate) fn new(input: [usize; 2], size: [usize; 2], window: &Window) -> Self {
        let axis = |axis: usize| {
            let (input, size) = (input[axis], size[axis]);
            let (stride, dilation) = (window.stride[axis].max(1), window.dilation[axis].max(1));
            let reach = size.saturating_sub(1) * dilation + 1;
            let (output, before) = match window.padding {
                Padding::Valid => ((input + stride).saturating_sub(reach) / stride, 0),
                Padding::Same => {
                    let output = input.div_ceil(stride);
                    let needed = output.saturating_sub(1) * stride + reach;
                    (output, needed.saturating_sub(input) / 2)
                }
            };
            let source = move |position: usize, tap: usize| {
                (position * stride + tap * dilation)
                    .checked_sub(before)
                    .filter(|&at| at < input)
            };
            (output, before, source)
        };
        let (height, above, row_source) = axis(0);
        let (width, left, column_source) = axis(1);
        let mut sources = Vec::with_capacity(height * width * size[0] * size[1]);
        for y in 0..height {
            for x in 0..width {
                for tap_y in 0..size[0] {
                    for tap_x in 0..size[1] {
                        let row = row_source(y, tap_y);
                        let column = column_source(x, tap_x);
                        sources.push(row.zip(column).map(|(row, column)| row * input[1] + column));
                    }
                }
            }
        }
        Self {
            output: [height, width],
            before: [above, left],
            taps: size[0] * size[1],
            sources,
        }
    }

    /// Output positions of one image.
    pub(crate) fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Whether any tap falls outside the image.
    fn padded(&self) -> bool {
        self.sources.contains(&None)
    }

    /// What the taps of every window read: `[images, pixels * channels]` becomes
    /// `[images, positions * taps * channels]`.
    pub(crate) fn patches(&self, images: Tensor<2>, channels: usize) -> Tensor<2> {
        let device = images.device();
        let [count, elements] = images.dims();
        let images = if self.padded() {
            Tensor::cat(vec![images, Tensor::zeros([count, channels], &device)], 1)
        } else {
            images
        };
        let mut indices = Vec::with_capacity(self.sources.len() * channels);
        for source in &self.sources {
            let first = source.map_or(elements, |pixel| pixel * channels);
            indices.extend((first..first + channels).map(|element| element as i32));
        }
        let shape = [indices.len()];
        let indices = Tensor::<1, Int>::from_data(TensorData::new(indices, shape), &device);
        images.select(1, indices)
    }
}

#[cfg(test)]
mod tests {
    use super::Windows;
    use ember_core::Padding;
    use ember_graph::Window;

    fn window(stride: usize, dilation: usize, padding: Padding) -> Window {
        Window {
            stride: [stride; 2],
            dilation: [dilation; 2],
            padding,
        }
    }

    #[test]
    fn valid_windows_stay_inside() {
        let windows = Windows::new([3, 4], [2, 2], &window(1, 1, Padding::Valid));
        assert_eq!(windows.output, [2, 3]);
        assert_eq!(
            windows.sources[4 * 4..5 * 4],
            [Some(5), Some(6), Some(9), Some(10)]
        );
        assert!(!windows.padded());
    }

    #[test]
    fn same_padding_puts_the_odd_zero_after() {
        // 4 wide, window 3, stride 2: one zero in all, so none before and one after.
        let windows = Windows::new([4, 4], [3, 3], &window(2, 1, Padding::Same));
        assert_eq!(windows.output, [2, 2]);
        assert_eq!(windows.sources[0], Some(0));
        assert_eq!(windows.sources[9 + 2], None);
    }

    #[test]
    fn dilation_spreads_the_taps() {
        let windows = Windows::new([5, 5], [3, 3], &window(1, 2, Padding::Valid));
        assert_eq!(windows.output, [1, 1]);
        assert_eq!(windows.sources[1], Some(2));
        assert_eq!(windows.sources[8], Some(24));
    }

    #[test]
    fn a_window_larger_than_the_image_has_no_position() {
        let windows = Windows::new([2, 2], [3, 3], &window(1, 1, Padding::Valid));
        assert_eq!(windows.positions(), 0);
    }
}
