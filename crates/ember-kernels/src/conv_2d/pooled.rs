//! CONV_2D followed by MAX_POOL_2D without the tensor between them.

use ember_core::{Clamp, QuantizedMultiplier};

use super::Conv2d;
use super::geometry::Geometry;
use crate::arch;
use crate::arithmetic::{Arithmetic, Int8, Linear};
use crate::element::Element;
use crate::error::{KernelError, Operand, check_shape};
use crate::max_pool_2d::{MaxPool, Pool2d};
use crate::rows;
use crate::window::Axis;

impl Conv2d {
    /// Whether `pool` takes what this convolution gives: then [`convolve_pooled`] can do both. No pixel is computed twice,
    /// because the windows do not overlap.
    #[must_use]
    pub const fn is_poolable(&self, pool: &Pool2d) -> bool {
        self.batches == pool.batches
            && self.rows.output == pool.rows.input
            && self.columns.output == pool.columns.input
            && self.output_channels == pool.channels
            && self.filter_channels == self.input_channels
            && pool.rows.filter <= pool.rows.stride
            && pool.columns.filter <= pool.columns.stride
    }

    /// Whether this is a 3×3 convolution of one channel and `pool` is 2×2, both without padding and one next to the other:
    /// processors have code of its own for that.
    pub(crate) const fn is_small(&self, pool: &Pool2d) -> bool {
        const fn plain(axis: &Axis, filter: u32, stride: u32) -> bool {
            axis.filter == filter
                && axis.stride == stride
                && axis.dilation == 1
                && axis.padding == 0
        }
        self.input_channels == 1
            && plain(&self.rows, 3, 1)
            && plain(&self.columns, 3, 1)
            && plain(&pool.rows, 2, 2)
            && plain(&pool.columns, 2, 2)
            // Every window lies in the image.
            && self.rows.output <= self.rows.input.saturating_sub(2)
            && self.columns.output <= self.columns.input.saturating_sub(2)
            && pool.rows.output <= pool.rows.input / 2
            && pool.columns.output <= pool.columns.input / 2
    }
}

/// [`convolve`](super::convolve) and then [`max_pool_2d::pool`](crate::max_pool_2d::pool) to the byte, but
/// the tensor between them is never there. `output` is the pooling's.
///
/// With [`Conv2d::pooled_scratch_len`] words of scratch it is fastest, with fewer, none included, it gives the same.
///
/// # Errors
/// A slice's length is not that of its shape, or [`Conv2d::is_poolable`] is false.
#[inline(always)]
pub fn convolve_pooled<L: Linear>(
    shape: &Conv2d,
    pool: &MaxPool<<L::Output as Element>::Wide>,
    arithmetic: &L,
    input: &[L::Value],
    filter: &[L::Weight],
    scratch: &mut [u32],
    output: &mut [L::Output],
) -> Result<(), KernelError> {
    arithmetic.conv_2d_pooled(shape, pool, input, filter, scratch, output)
}

/// Whether there is special code for exactly these numbers on the processors that have any: a 3×3 convolution of one channel
/// with a 2×2 pooling, of ordinary factors. Then that is all that [`convolve_pooled_as`] links there.
#[must_use]
pub const fn is_special(shape: &Conv2d, pool: &MaxPool<i32>, arithmetic: &Int8<'_>) -> bool {
    let range = arithmetic.range;
    let mut multipliers = arithmetic.multipliers;
    while let [QuantizedMultiplier { multiplier, shift }, rest @ ..] = multipliers {
        // To the right, but not by so much that a sum which leaves 31 bits matters.
        let is_ordinary = *multiplier >= 1 << 30 && *shift >= -21 && *shift <= -1;
        let is_none = *multiplier == 0 && *shift == 0;
        if !is_ordinary && !is_none {
            return false;
        }
        multipliers = rest;
    }
    shape.is_small(&pool.shape) && Clamp::INT8.min <= range.min && range.max <= Clamp::INT8.max
}

/// [`convolve_pooled`] of int8 where it is known when the program is compiled which kernel runs: `SPECIAL` is what
/// [`is_special`] says, and then there must be [`Conv2d::pooled_scratch_len`] words of scratch. With multipliers that it says
/// no to the outputs are wrong.
///
/// # Errors
/// As [`convolve_pooled`], or the shapes are not special, or there is less scratch.
#[inline(always)]
pub fn convolve_pooled_as<const SPECIAL: bool>(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> Result<(), KernelError> {
    if !SPECIAL || !arch::HAS_CONV_2D_3X3 {
        return convolve_pooled(shape, pool, arithmetic, input, filter, scratch, output);
    }
    let lengths = [input.len(), filter.len(), output.len()];
    check(shape, pool, arithmetic, lengths)?;
    if arch::conv_2d_3x3(shape, pool, arithmetic, input, filter, scratch, output) {
        Ok(())
    } else {
        Err(KernelError::Parameters)
    }
}

/// Checks the lengths of input, filter and output, and that one operator fits the other.
#[inline(always)]
fn check<A: Arithmetic>(
    shape: &Conv2d,
    pool: &MaxPool<<A::Output as Element>::Wide>,
    arithmetic: &A,
    [input, filter, output]: [usize; 3],
) -> Result<(), KernelError> {
    let pooling = &pool.shape;
    shape.check_operands(input, filter)?;
    let sizes = [
        pooling.batches,
        pooling.rows.output,
        pooling.columns.output,
        pooling.channels,
    ];
    check_shape(Operand::Output, &sizes, output)?;
    pooling.rows.check()?;
    pooling.columns.check()?;
    arithmetic.check(shape.output_channels as usize)?;
    if !shape.is_poolable(pooling) {
        return Err(KernelError::Parameters);
    }
    Ok(())
}

#[inline(always)]
pub(crate) fn run_pooled<A: Arithmetic>(
    shape: &Conv2d,
    pool: &MaxPool<<A::Output as Element>::Wide>,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    scratch: &mut [u32],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    let MaxPool {
        shape: pooling,
        range,
    } = pool;
    let lengths = [input.len(), filter.len(), output.len()];
    check(shape, pool, arithmetic, lengths)?;
    if output.is_empty() {
        return Ok(());
    }
    if arithmetic.fast_conv_2d_pooled(shape, pool, input, filter, scratch, output) {
        return Ok(());
    }
    let geometry = Geometry::new(shape);
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, geometry.image) {
        for pool_y in 0..pooling.rows.output {
            let y = pooling.rows.span(pool_y);
            for pool_x in 0..pooling.columns.output {
                let x = pooling.columns.span(pool_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                rows::fill(out, A::Output::LEAST);
                for out_y in y.position..y.position.wrapping_add(y.taps) {
                    for out_x in x.position..x.position.wrapping_add(x.taps) {
                        geometry.pixel(
                            arithmetic,
                            image,
                            filter,
                            (out_y, out_x),
                            out,
                            |out, new| {
                                *out = out.larger(new);
                            },
                        );
                    }
                }
                for out in out {
                    *out = A::Output::within(out.wide(), *range);
                }
            }
        }
    }
    Ok(())
}
