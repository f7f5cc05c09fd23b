//! CONV_2D: `reference_integer_ops::ConvPerChannel` (`kernels/internal/reference/integer_ops/conv.h`) and
//! `reference_ops::Conv` (`kernels/internal/reference/conv.h`), with groups.

pub(crate) mod geometry;
mod pooled;

pub(crate) use geometry::Geometry;
pub(crate) use pooled::run_pooled;
pub use pooled::{convolve_pooled, convolve_pooled_as, is_special};

use crate::arithmetic::{Arithmetic, Int8, Linear, assign};
use crate::error::{KernelError, Operand, check, check_shape};
use crate::max_pool_2d::Pool2d;
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
        self.check_operands(input, filter)?;
        check_shape(Operand::Output, &[self.batches, self.rows.output, self.columns.output, self.output_channels], output)
    }

    /// [`Self::check`] without the output.
    #[rustfmt::skip]
    fn check_operands(&self, input: usize, filter: usize) -> Result<(), KernelError> {
        let Self { batches, rows, columns, input_channels, filter_channels, output_channels } = *self;
        check_shape(Operand::Input, &[batches, rows.input, columns.input, input_channels], input)?;
        check_shape(Operand::Filter, &[output_channels, rows.filter, columns.filter, filter_channels], filter)?;
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

    /// Whether each pixel of the output sees the one pixel of the input at its place, of whole fours of channels.
    #[cfg_attr(
        not(any(dsp, mve)),
        expect(
            dead_code,
            reason = "processors without DSP or vectors have no use for it"
        )
    )]
    pub(crate) const fn is_pointwise(&self) -> bool {
        const fn plain(axis: &Axis) -> bool {
            axis.filter == 1 && axis.stride == 1 && axis.padding == 0 && axis.output == axis.input
        }
        plain(&self.rows) && plain(&self.columns) && self.input_channels.is_multiple_of(4)
    }

    /// Words of scratch with which [`convolve_with`] is fastest: two windows of 16-bit elements and one of bytes, of whole
    /// fours each. The same on every machine, whether its code makes use of it or not.
    #[must_use]
    pub const fn patch_len(&self) -> u32 {
        let fours = self.filter_size().div_ceil(4);
        fours.saturating_mul(5)
    }

    /// Words of scratch with which [`convolve_pooled`] is fastest: [`Self::patch_len`] and two pixels of outputs, or eight
    /// for each filter where the convolution is one of 3×3 with one channel and the pooling 2×2. The same on every machine.
    #[must_use]
    pub const fn pooled_scratch_len(&self, pool: &Pool2d) -> u32 {
        if self.is_small(pool) {
            self.output_channels.saturating_mul(8)
        } else {
            let pixels = self.output_channels.div_ceil(2);
            self.patch_len().saturating_add(pixels)
        }
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
    arithmetic.conv_2d(shape, input, filter, &mut [], output)
}

/// [`convolve`] with room to work in. With [`Conv2d::patch_len`] words it is fastest, with fewer, none included, it gives the
/// same.
///
/// # Errors
/// As [`convolve`].
#[inline(always)]
pub fn convolve_with<L: Linear>(
    shape: &Conv2d,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    scratch: &mut [u32],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.conv_2d(shape, input, filter, scratch, output)
}

#[inline(always)]
pub(crate) fn run<A: Arithmetic>(
    shape: &Conv2d,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    scratch: &mut [u32],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    shape.check(input.len(), filter.len(), output.len())?;
    arithmetic.check(shape.output_channels as usize)?;
    if output.is_empty() {
        return Ok(());
    }
    let (groups, filters) = shape.groups()?;
    if groups == 1 && arithmetic.fast_conv_2d(shape, input, filter, scratch, output) {
        return Ok(());
    }
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
    let mut geometry = Geometry::new(shape);
    geometry.first = first;
    geometry.filters_per_group = filters_per_group as usize;
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, geometry.image) {
        for y in 0..shape.rows.output {
            for x in 0..shape.columns.output {
                let Some(out) = outputs.next() else {
                    return;
                };
                geometry.pixel(arithmetic, image, filter, (y, x), channels(out), assign);
            }
        }
    }
}
