//! DEPTHWISE_CONV_2D: `reference_integer_ops::DepthwiseConvPerChannel`
//! (`kernels/internal/reference/integer_ops/depthwise_conv.h`) and `reference_ops::DepthwiseConv`
//! (`kernels/internal/reference/depthwiseconv_float.h`).

use crate::arithmetic::{Arithmetic, Float32, Int8};
use crate::error::{KernelError, Operand, check, volume};
use crate::rows;
use crate::window::Axis;

/// Shapes of a depthwise convolution. Input `[batches, rows.input, columns.input, channels]`, filter
/// `[1, rows.filter, columns.filter, channels * multiplier]`, output
/// `[batches, rows.output, columns.output, channels * multiplier]`; output channel `c * multiplier + m` sees input
/// channel `c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
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

/// Depthwise convolution of int8 with int8, equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    convolve(shape, arithmetic, input, filter, output)
}

/// Depthwise convolution of float32.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &DepthwiseConv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    convolve(shape, arithmetic, input, filter, output)
}

/// Channels whose sums are kept at once.
const BLOCK: usize = 8;

#[inline(always)]
fn convolve<A: Arithmetic>(
    shape: &DepthwiseConv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Value],
) -> Result<(), KernelError> {
    let DepthwiseConv2d {
        batches,
        rows,
        columns,
        channels,
        multiplier,
    } = *shape;
    let output_channels = volume(&[channels, multiplier])? as u32;
    let input_len = volume(&[batches, rows.input, columns.input, channels])?;
    let filter_len = volume(&[rows.filter, columns.filter, output_channels])?;
    let output_len = volume(&[batches, rows.output, columns.output, output_channels])?;
    check(Operand::Input, input_len, input.len())?;
    check(Operand::Filter, filter_len, filter.len())?;
    check(Operand::Output, output_len, output.len())?;
    arithmetic.check(output_channels as usize)?;
    if output.is_empty() {
        return Ok(());
    }

    let pixel = channels as usize;
    let filter_pixel = output_channels as usize;
    let image_len = (rows.input as usize * columns.input as usize * pixel).max(1);
    // With a multiplier of 1 a block is several channels, one weight each; else it is one channel with several weights.
    let one_to_one = multiplier == 1;
    let block = if one_to_one {
        BLOCK
    } else {
        BLOCK.min(multiplier as usize).max(1)
    };

    let mut outputs = rows::of_mut(output, filter_pixel);
    for image in rows::of(input, image_len) {
        for out_y in 0..rows.output {
            let origin_y = rows.origin(out_y);
            for out_x in 0..columns.output {
                let origin_x = columns.origin(out_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                let mut channel = 0;
                let mut rest = out;
                // Where the current input channel's outputs end.
                let mut input_channel = 0;
                let mut channel_end = multiplier as usize;
                while !rest.is_empty() {
                    let limit = if one_to_one {
                        rest.len()
                    } else {
                        channel_end - channel
                    };
                    let width = block.min(limit);
                    let Some((now, later)) = rest.split_at_mut_checked(width) else {
                        break;
                    };
                    rest = later;

                    let mut sums = [A::Sum::default(); BLOCK];
                    for (lane, sum) in sums.iter_mut().take(width).enumerate() {
                        *sum = arithmetic.start(channel + lane);
                    }
                    for tap_y in 0..rows.filter {
                        let Some(y) = rows.position(origin_y, tap_y) else {
                            continue;
                        };
                        for tap_x in 0..columns.filter {
                            let Some(x) = columns.position(origin_x, tap_x) else {
                                continue;
                            };
                            let at = (y as usize * columns.input as usize + x as usize) * pixel;
                            let tap = (tap_y as usize * columns.filter as usize + tap_x as usize)
                                * filter_pixel
                                + channel;
                            let Some(weights) = filter.get(tap..tap + width) else {
                                continue;
                            };
                            if one_to_one {
                                let at = at + channel;
                                let values = image.get(at..at + width).unwrap_or(&[]);
                                for ((sum, x), w) in sums.iter_mut().zip(values).zip(weights) {
                                    *sum = arithmetic.multiply_add(*sum, *x, *w);
                                }
                            } else if let Some(x) = image.get(at + input_channel) {
                                for (sum, w) in sums.iter_mut().zip(weights) {
                                    *sum = arithmetic.multiply_add(*sum, *x, *w);
                                }
                            }
                        }
                    }
                    for ((out, sum), channel) in now.iter_mut().zip(sums).zip(channel..) {
                        *out = arithmetic.finish(channel, sum);
                    }
                    channel += width;
                    if channel == channel_end {
                        input_channel += 1;
                        channel_end += multiplier as usize;
                    }
                }
            }
        }
    }
    Ok(())
}
