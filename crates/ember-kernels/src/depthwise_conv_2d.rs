//! DEPTHWISE_CONV_2D: `reference_integer_ops::DepthwiseConvPerChannel`
//! (`kernels/internal/reference/integer_ops/depthwise_conv.h`) and `reference_ops::DepthwiseConv`
//! (`kernels/internal/reference/depthwiseconv_float.h`).

use crate::arithmetic::{Arithmetic, Int8, Linear};
use crate::conv_2d::Conv2d;
use crate::error::{KernelError, Operand, check_shape};
use crate::rows;
use crate::weights::Decode;
use crate::window::Axis;

ember_core::plain! {
    /// Shapes of a depthwise convolution. Input `[batches, rows.input, columns.input, channels]`, filter
    /// `[1, rows.filter, columns.filter, channels * multiplier]`, output
    /// `[batches, rows.output, columns.output, channels * multiplier]`; output channel `c * multiplier + m` sees input
    /// channel `c`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct DepthwiseConv2d {
        /// Images.
        pub batches: u32,
        /// The vertical axis.
        pub rows: Axis,
        /// The horizontal axis.
        pub columns: Axis,
        /// Channels of the input.
        pub channels: u32,
        /// Output channels per input channel.
        pub multiplier: u32,
    }
}

impl DepthwiseConv2d {
    /// Words of scratch with which [`convolve_with`] is fastest: four channels of weights in 16 bits, or, for one channel with
    /// several filters, the whole filter and [`Conv2d::patch_len`]. The same on every machine, whether its code makes use of it
    /// or not.
    #[must_use]
    pub const fn patch_len(&self) -> u32 {
        let taps = self.rows.filter.saturating_mul(self.columns.filter);
        if self.channels == 1 {
            let filter = taps.saturating_mul(self.multiplier).div_ceil(4);
            filter.saturating_add(self.as_conv_2d().patch_len())
        } else if self.multiplier == 1 {
            taps.saturating_mul(2)
        } else {
            0
        }
    }

    /// The convolution that this is where there is one channel, if its filter's last axis came first.
    pub(crate) const fn as_conv_2d(&self) -> Conv2d {
        Conv2d {
            batches: self.batches,
            rows: self.rows,
            columns: self.columns,
            input_channels: 1,
            filter_channels: 1,
            output_channels: self.multiplier,
        }
    }
}

/// Channels whose sums are kept at once.
const BLOCK: usize = 8;

/// Depthwise convolution, for integers equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
#[inline(always)]
pub fn convolve<L: Linear>(
    shape: &DepthwiseConv2d,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.depthwise_conv_2d(shape, input, filter, &mut [], output)
}

/// [`convolve`] with room to work in. With [`DepthwiseConv2d::patch_len`] words it is fastest, with fewer, none included, it
/// gives the same.
///
/// # Errors
/// As [`convolve`].
#[inline(always)]
pub fn convolve_with<L: Linear>(
    shape: &DepthwiseConv2d,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    scratch: &mut [u32],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.depthwise_conv_2d(shape, input, filter, scratch, output)
}

#[inline(always)]
pub(crate) fn run<A: Arithmetic>(
    shape: &DepthwiseConv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    scratch: &mut [u32],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    let DepthwiseConv2d {
        batches,
        rows,
        columns,
        channels,
        multiplier,
    } = *shape;
    let output_channels = channels.wrapping_mul(multiplier);
    let sizes = [batches, rows.input, columns.input, channels];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [rows.filter, columns.filter, channels, multiplier];
    check_shape(Operand::Filter, &sizes, filter.len())?;
    let sizes = [batches, rows.output, columns.output, output_channels];
    check_shape(Operand::Output, &sizes, output.len())?;
    rows.check()?;
    columns.check()?;
    arithmetic.check(output_channels as usize)?;
    if output.is_empty() || arithmetic.fast_depthwise_conv_2d(shape, input, filter, scratch, output)
    {
        return Ok(());
    }

    let pixel = channels as usize;
    let filter_pixel = output_channels as usize;
    let image_row = columns.input as usize * pixel;
    let filter_row = columns.filter as usize * filter_pixel;
    let multiplier = multiplier as usize;
    // With a multiplier of 1 a block is several channels, one weight each; else it is one channel with several weights.
    let one_to_one = multiplier == 1;

    let mut outputs = rows::of_mut(output, filter_pixel);
    for image in rows::of(input, rows.input as usize * image_row) {
        for out_y in 0..rows.output {
            let y = rows.span(out_y);
            for out_x in 0..columns.output {
                let x = columns.span(out_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                // Where the window begins in the image and in the filter, for the block's first channel.
                let mut from = y.position as usize * image_row + x.position as usize * pixel;
                let mut to = y.tap as usize * filter_row + x.tap as usize * filter_pixel;
                let mut channel = 0;
                let mut group_rest = multiplier;
                let mut rest = out;
                while !rest.is_empty() {
                    let limit = if one_to_one { rest.len() } else { group_rest };
                    let Some((now, later)) = rest.split_at_mut_checked(limit.min(BLOCK)) else {
                        return Err(KernelError::Parameters);
                    };
                    let width = now.len();
                    rest = later;

                    let mut sums = [A::Sum::default(); BLOCK];
                    for (sum, channel) in sums.iter_mut().zip(channel..) {
                        *sum = arithmetic.start(channel);
                    }
                    let (mut row_from, mut row_to) = (from, to);
                    for _ in 0..y.taps {
                        let (mut at, mut tap) = (row_from, row_to);
                        for _ in 0..x.taps {
                            let weights = filter.get(tap..tap + width).unwrap_or(&[]);
                            if one_to_one {
                                let values = image.get(at..at + width).unwrap_or(&[]);
                                for ((sum, x), w) in sums.iter_mut().zip(values).zip(weights) {
                                    *sum = arithmetic.multiply_add(*sum, *x, *w);
                                }
                            } else if let Some(x) = image.get(at) {
                                for (sum, w) in sums.iter_mut().zip(weights) {
                                    *sum = arithmetic.multiply_add(*sum, *x, *w);
                                }
                            }
                            at = at.wrapping_add(pixel.wrapping_mul(columns.dilation as usize));
                            tap += filter_pixel;
                        }
                        row_from =
                            row_from.wrapping_add(image_row.wrapping_mul(rows.dilation as usize));
                        row_to += filter_row;
                    }
                    for (out, sum) in now.iter_mut().zip(sums) {
                        *out = arithmetic.finish(channel, sum);
                        channel += 1;
                    }
                    to += width;
                    if one_to_one {
                        from += width;
                    } else {
                        group_rest -= width;
                        if group_rest == 0 {
                            group_rest = multiplier;
                            from += 1;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// [`convolve`] on int8 with weights that are all decoded first, into `scratch` of as many elements as the filter has.
///
/// # Errors
/// As [`convolve`].
pub fn convolve_stored(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &mut dyn Decode,
    scratch: &mut [i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    filter.decode(scratch);
    convolve(shape, arithmetic, input, scratch, output)
}
