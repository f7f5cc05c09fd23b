//! CONV_2D: `reference_integer_ops::ConvPerChannel` (`kernels/internal/reference/integer_ops/conv.h`) and
//! `reference_ops::Conv` (`kernels/internal/reference/conv.h`), with groups.

use crate::arithmetic::{Arithmetic, Int8, Linear, dense};
use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;
use crate::weights::Decode;
use crate::window::Axis;

ember_core::plain! {
    /// Shapes of a convolution. Input `[batches, rows.input, columns.input, input_channels]`, filter
    /// `[output_channels, rows.filter, columns.filter, filter_channels]`, output
    /// `[batches, rows.output, columns.output, output_channels]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

impl Conv2d {
    #[rustfmt::skip]
    fn check(&self, input: usize, filter: usize, output: usize) -> Result<(), KernelError> {
        let Self { batches, rows, columns, input_channels, filter_channels, output_channels } = *self;
        check_shape(Operand::Input, &[batches, rows.input, columns.input, input_channels], input)?;
        check_shape(Operand::Filter, &[output_channels, rows.filter, columns.filter, filter_channels], filter)?;
        check_shape(Operand::Output, &[batches, rows.output, columns.output, output_channels], output)?;
        rows.check()?;
        columns.check()
    }

    /// Groups, and filters of each.
    #[inline(always)]
    fn groups(&self) -> Result<(u32, u32), KernelError> {
        let Some(groups) = self.input_channels.checked_div(self.filter_channels) else {
            return Err(KernelError::Parameters);
        };
        let filters = self.output_channels.checked_div(groups).unwrap_or(0);
        if filters.wrapping_mul(groups) != self.output_channels
            || groups.wrapping_mul(self.filter_channels) != self.input_channels
        {
            return Err(KernelError::Parameters);
        }
        Ok((groups, filters))
    }

    /// Elements of one filter.
    const fn filter_size(&self) -> u32 {
        let taps = self.rows.filter.wrapping_mul(self.columns.filter);
        taps.wrapping_mul(self.filter_channels)
    }

    /// Elements of scratch that [`convolve_stored`] wants: the whole filter where that is little or there are groups, else
    /// as many filters as [`STORED_BLOCK`] elements hold, and one at least. Every block of filters goes over the whole
    /// input once.
    #[must_use]
    pub const fn scratch_len(&self) -> u32 {
        let size = self.filter_size();
        let grouped = self.filter_channels != self.input_channels;
        let filters = match STORED_BLOCK.checked_div(size) {
            Some(filters) if !grouped && filters < self.output_channels => {
                if filters == 0 {
                    1
                } else {
                    filters
                }
            }
            _ => self.output_channels,
        };
        filters.saturating_mul(size)
    }
}

/// Elements of filters that are decoded at a time where one filter is not larger.
pub const STORED_BLOCK: u32 = 1024;

/// Windows of at most this many elements are gathered once and then meet every filter.
const PATCH: usize = 32;

/// Convolution, for integers equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape, or the groups do not divide the channels.
#[inline(always)]
pub fn convolve<L: Linear>(
    shape: &Conv2d,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.conv_2d(shape, input, filter, output)
}

#[inline(always)]
pub(crate) fn run<A: Arithmetic>(
    shape: &Conv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    shape.check(input.len(), filter.len(), output.len())?;
    arithmetic.check(shape.output_channels as usize)?;
    if output.is_empty() {
        return Ok(());
    }
    let (_, filters) = shape.groups()?;
    walk(
        shape,
        arithmetic,
        input,
        filter,
        0,
        filters,
        output,
        |out| out,
    );
    Ok(())
}

/// [`convolve`] on int8 with weights that are decoded into `scratch` of [`Conv2d::scratch_len`] elements.
///
/// # Errors
/// As [`convolve`].
pub fn convolve_stored(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &mut dyn Decode,
    scratch: &mut [i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let size = shape.filter_size();
    let whole = shape.output_channels.wrapping_mul(size) as usize;
    shape.check(input.len(), whole, output.len())?;
    arithmetic.check(shape.output_channels as usize)?;
    check(
        Operand::Scratch,
        shape.scratch_len() as usize,
        scratch.len(),
    )?;
    if output.is_empty() {
        return Ok(());
    }
    let (groups, filters) = shape.groups()?;
    // With several groups the scratch holds every filter.
    let block = if groups > 1 {
        filters
    } else {
        (scratch.len() as u32).checked_div(size).unwrap_or(filters)
    };
    let mut first = 0;
    while first < filters {
        let count = block.min(filters.wrapping_sub(first));
        let len = groups.wrapping_mul(count).wrapping_mul(size) as usize;
        let weights = scratch.get_mut(..len).unwrap_or(&mut []);
        filter.decode(weights);
        let range = first as usize..first.wrapping_add(count) as usize;
        walk(
            shape,
            arithmetic,
            input,
            weights,
            first as usize,
            count,
            output,
            |out| {
                if groups > 1 {
                    out
                } else {
                    out.get_mut(range.clone()).unwrap_or(&mut [])
                }
            },
        );
        first = first.wrapping_add(block);
    }
    Ok(())
}

/// Goes over the outputs, pixel by pixel. `filter` has `filters_per_group` filters of each group, for the outputs that
/// `channels` picks of a pixel's, which are those from `first` on.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "one call each for plain and for stored filters"
)]
fn walk<A: Arithmetic>(
    shape: &Conv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    first: usize,
    filters_per_group: u32,
    output: &mut [A::Output],
    channels: impl Fn(&mut [A::Output]) -> &mut [A::Output],
) {
    let depth = shape.filter_channels as usize;
    let pixel = shape.input_channels as usize;
    let image_row = shape.columns.input as usize * pixel;
    let filter_row = shape.columns.filter as usize * depth;
    let filter_size = shape.rows.filter as usize * filter_row;
    let filters_per_group = filters_per_group as usize;
    // Neighbouring taps are neighbours in memory too.
    let joined = shape.columns.dilation == 1 && depth == pixel;
    // Filled before it is read.
    let mut patch = [A::Value::default(); PATCH];

    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, shape.rows.input as usize * image_row) {
        for out_y in 0..shape.rows.output {
            let y = shape.rows.span(out_y);
            for out_x in 0..shape.columns.output {
                let x = shape.columns.span(out_x);
                let Some(out) = outputs.next() else {
                    return;
                };
                let mut channel = 0;
                let mut from = y.position as usize * image_row + x.position as usize * pixel;
                for out in rows::of_mut(channels(out), filters_per_group) {
                    let filters = filter.get(channel * filter_size..).unwrap_or(&[]);
                    let window = Window {
                        rows: y.taps as usize,
                        columns: if joined { 1 } else { x.taps as usize },
                        len: if joined {
                            x.taps as usize * depth
                        } else {
                            depth
                        },
                        from,
                        row_from: image_row.wrapping_mul(shape.rows.dilation as usize),
                        column_from: pixel.wrapping_mul(shape.columns.dilation as usize),
                        to: y.tap as usize * filter_row + x.tap as usize * depth,
                        row_to: filter_row,
                        column_to: depth,
                    };
                    if let Some(patch) = patch.get_mut(..filter_size) {
                        if y.taps < shape.rows.filter || x.taps < shape.columns.filter {
                            rows::fill(patch, arithmetic.zero());
                        }
                        window.for_each(|from, to, len| {
                            let x = image.get(from..from + len).unwrap_or(&[]);
                            let patch = patch.get_mut(to..to + len).unwrap_or(&mut []);
                            for (patch, x) in patch.iter_mut().zip(x) {
                                *patch = *x;
                            }
                        });
                        dense(
                            arithmetic,
                            patch,
                            filters,
                            A::Sum::default(),
                            first + channel,
                            out,
                        );
                    } else if window.len == filter_size && window.rows == 1 {
                        let x = image.get(from..from + filter_size).unwrap_or(&[]);
                        dense(
                            arithmetic,
                            x,
                            filters,
                            A::Sum::default(),
                            first + channel,
                            out,
                        );
                    } else {
                        window.convolve(
                            arithmetic,
                            image,
                            filters,
                            filter_size,
                            first + channel,
                            out,
                        );
                    }
                    channel += filters_per_group;
                    from += depth;
                }
            }
        }
    }
}

/// One window, as runs of elements that lie together both in what it looks at and in the filter.
struct Window {
    /// Rows of runs, and runs of each row.
    rows: usize,
    columns: usize,
    /// Elements of a run.
    len: usize,
    /// Where the first run begins, and from there to the next row's and the next one's in the row.
    from: usize,
    row_from: usize,
    column_from: usize,
    /// The same in the filter.
    to: usize,
    row_to: usize,
    column_to: usize,
}

impl Window {
    /// Calls `f(where it begins, where it begins in the filter, length)` for every run.
    #[inline(always)]
    fn for_each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (mut row_from, mut row_to) = (self.from, self.to);
        for _ in 0..self.rows {
            let (mut from, mut to) = (row_from, row_to);
            for _ in 0..self.columns {
                f(from, to, self.len);
                from = from.wrapping_add(self.column_from);
                to = to.wrapping_add(self.column_to);
            }
            row_from = row_from.wrapping_add(self.row_from);
            row_to = row_to.wrapping_add(self.row_to);
        }
    }

    /// One output per filter, as [`dense`].
    #[inline(never)]
    fn convolve<A: Arithmetic>(
        &self,
        arithmetic: &A,
        image: &[A::Value],
        filters: &[A::Weight],
        filter_size: usize,
        first: usize,
        out: &mut [A::Output],
    ) {
        let filters = rows::of(filters, filter_size);
        for ((out, filter), channel) in out.iter_mut().zip(filters).zip(first..) {
            let mut sum = arithmetic.start(channel);
            self.for_each(|from, to, len| {
                let x = image.get(from..from + len).unwrap_or(&[]);
                let w = filter.get(to..to + len).unwrap_or(&[]);
                sum = arithmetic.dot(sum, x, w);
            });
            *out = arithmetic.finish(channel, sum);
        }
    }
}
