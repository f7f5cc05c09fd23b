//! CONV_2D: `reference_integer_ops::ConvPerChannel` (`kernels/internal/reference/integer_ops/conv.h`) and
//! `reference_ops::Conv` (`kernels/internal/reference/conv.h`), with groups.

use crate::arithmetic::{Arithmetic, Float32, Int8};
use crate::error::{KernelError, Operand, check, volume};
use crate::rows;
use crate::window::Axis;

/// Shapes of a convolution. Input `[batches, rows.input, columns.input, input_channels]`, filter
/// `[output_channels, rows.filter, columns.filter, filter_channels]`, output
/// `[batches, rows.output, columns.output, output_channels]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Conv2d {
    /// Images.
    pub batches: u32,
    /// The vertical axis.
    pub rows: Axis,
    /// The horizontal axis.
    pub columns: Axis,
    /// Channels of the input.
    pub input_channels: u32,
    /// Channels that one filter covers: `input_channels` divided by the number of groups.
    pub filter_channels: u32,
    /// Channels of the output.
    pub output_channels: u32,
}

impl Conv2d {
    /// Elements of input, filter and output.
    fn lengths(&self) -> Result<[usize; 3], KernelError> {
        Ok([
            volume(&[
                self.batches,
                self.rows.input,
                self.columns.input,
                self.input_channels,
            ])?,
            volume(&[
                self.output_channels,
                self.rows.filter,
                self.columns.filter,
                self.filter_channels,
            ])?,
            volume(&[
                self.batches,
                self.rows.output,
                self.columns.output,
                self.output_channels,
            ])?,
        ])
    }
}

/// Convolution of int8 with int8, equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape, or the groups do not divide the channels.
pub fn int8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    convolve(shape, arithmetic, input, filter, output)
}

/// Convolution of float32.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &Conv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    convolve(shape, arithmetic, input, filter, output)
}

/// Windows of at most this many elements are gathered once and then meet every filter.
const PATCH: usize = 32;

#[inline(always)]
fn convolve<A: Arithmetic>(
    shape: &Conv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Value],
) -> Result<(), KernelError> {
    let [input_len, filter_len, output_len] = shape.lengths()?;
    check(Operand::Input, input_len, input.len())?;
    check(Operand::Filter, filter_len, filter.len())?;
    check(Operand::Output, output_len, output.len())?;
    arithmetic.check(shape.output_channels as usize)?;
    if output.is_empty() {
        return Ok(());
    }
    let Some(groups) = shape.input_channels.checked_div(shape.filter_channels) else {
        return Err(KernelError::Parameters);
    };
    let filters_per_group = shape.output_channels.checked_div(groups).unwrap_or(0);
    if filters_per_group.wrapping_mul(groups) != shape.output_channels
        || groups.wrapping_mul(shape.filter_channels) != shape.input_channels
    {
        return Err(KernelError::Parameters);
    }

    let depth = shape.filter_channels as usize;
    let pixel = shape.input_channels as usize;
    let row = shape.columns.input as usize * pixel;
    let filter_row = shape.columns.filter as usize * depth;
    let filter_size = shape.rows.filter as usize * filter_row;
    let mut patch = [arithmetic.zero(); PATCH];

    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, shape.rows.input as usize * row) {
        for out_y in 0..shape.rows.output {
            let origin_y = shape.rows.origin(out_y);
            for out_x in 0..shape.columns.output {
                let origin_x = shape.columns.origin(out_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                for (group, out) in rows::of_mut(out, filters_per_group as usize).enumerate() {
                    let first_filter = group * filters_per_group as usize;
                    let filters = filter.get(first_filter * filter_size..).unwrap_or(&[]);
                    let image = image.get(group * depth..).unwrap_or(&[]);
                    // The runs of input elements that are contiguous in the filter too.
                    let runs = Runs {
                        shape,
                        pixel,
                        row,
                        depth,
                        filter_row,
                        origin_y,
                        origin_x,
                    };
                    if let Some(patch) = patch.get_mut(..filter_size) {
                        patch.fill(arithmetic.zero());
                        runs.for_each(|from, to, len| {
                            if let (Some(x), Some(to)) =
                                (image.get(from..from + len), patch.get_mut(to..to + len))
                            {
                                to.copy_from_slice(x);
                            }
                        });
                        let filters = rows::of(filters, filter_size);
                        for ((channel, out), filter) in (first_filter..).zip(out).zip(filters) {
                            let sum = arithmetic.dot(arithmetic.start(channel), patch, filter);
                            *out = arithmetic.finish(channel, sum);
                        }
                    } else {
                        let filters = rows::of(filters, filter_size);
                        for ((channel, out), filter) in (first_filter..).zip(out).zip(filters) {
                            let mut sum = arithmetic.start(channel);
                            runs.for_each(|from, to, len| {
                                if let (Some(x), Some(w)) =
                                    (image.get(from..from + len), filter.get(to..to + len))
                                {
                                    sum = arithmetic.dot(sum, x, w);
                                }
                            });
                            *out = arithmetic.finish(channel, sum);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// One window, as runs of elements that lie together both in the image and in the filter.
struct Runs<'a> {
    shape: &'a Conv2d,
    pixel: usize,
    row: usize,
    depth: usize,
    filter_row: usize,
    origin_y: i32,
    origin_x: i32,
}

impl Runs<'_> {
    /// Calls `f(start in the image, start in the filter, length)` for every run that is not padding.
    #[inline(always)]
    fn for_each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (rows, columns) = (&self.shape.rows, &self.shape.columns);
        let joined = columns.dilation == 1 && self.depth == self.pixel;
        let (first, count) = columns.inside(self.origin_x);
        let start_x = self.origin_x.max(0) as usize;
        for tap_y in 0..rows.filter {
            let Some(y) = rows.position(self.origin_y, tap_y) else {
                continue;
            };
            let from = y as usize * self.row;
            let to = tap_y as usize * self.filter_row;
            if joined {
                f(
                    from + start_x * self.pixel,
                    to + first as usize * self.depth,
                    count as usize * self.depth,
                );
            } else {
                for tap_x in 0..columns.filter {
                    if let Some(x) = columns.position(self.origin_x, tap_x) {
                        f(
                            from + x as usize * self.pixel,
                            to + tap_x as usize * self.depth,
                            self.depth,
                        );
                    }
                }
            }
        }
    }
}
