//! MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL: `kernels/internal/reference/reduce.h`.

use core::cmp::Ordering;

use ember_core::QuantizedMultiplier;

use crate::axes::Sizes;
use crate::element::{Bool, Element};
use crate::error::{KernelError, Operand, check};
use crate::maximum_minimum::Ordered;

/// Axes that are kept, and axes that are reduced, at most.
pub const MAX_AXES: usize = 6;

ember_core::plain! {
    /// One axis of the input.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ReduceAxis {
        /// Positions.
        pub count: u32,
        /// Elements from one position to the next.
        pub step: u32,
    }

    /// The axes of the input, from the outermost to the innermost; unused ones have one position.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Reduce {
        /// Those that the output has, too.
        pub kept: [ReduceAxis; MAX_AXES],
        /// Those that it has not.
        pub reduced: [ReduceAxis; MAX_AXES],
    }

    /// Quantization of a sum or mean of integers.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// As many input zero points as an output adds up; wraps.
        pub input_offset: i32,
        /// Input scale divided by output scale, and by the number of addends for a mean.
        pub multiplier: QuantizedMultiplier,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
    }
}

impl ReduceAxis {
    /// An axis with one position.
    pub const ONE: Self = Self { count: 1, step: 0 };
}

impl Quantization {
    /// The quantization of a mean of so many addends: the multiplier is divided in integers, as `QuantizedMeanOrSum` does.
    /// `None` for no addends.
    #[must_use]
    pub fn mean(mut self, addends: u32) -> Option<Self> {
        let whole = 31u32.checked_sub(addends.leading_zeros())?.cast_signed();
        let shift = whole.min(self.multiplier.shift.wrapping_add(31)).max(0);
        let wide = i64::from(self.multiplier.multiplier).wrapping_shl(shift.unsigned_abs());
        self.multiplier = QuantizedMultiplier {
            multiplier: wide.checked_div(i64::from(addends))? as i32,
            shift: self.multiplier.shift.wrapping_sub(shift),
        };
        Some(self)
    }
}

/// The offsets of all positions of some axes, in order.
struct Walk<'a> {
    axes: &'a [ReduceAxis; MAX_AXES],
    index: [u32; MAX_AXES],
    at: u32,
    left: u32,
}

impl<'a> Walk<'a> {
    fn new(axes: &'a [ReduceAxis; MAX_AXES]) -> Option<Self> {
        let mut counts = axes.iter();
        Some(Self {
            axes,
            index: [0; MAX_AXES],
            at: 0,
            left: counts.try_fold(1u32, |n, axis| n.checked_mul(axis.count))?,
        })
    }
}

impl Iterator for Walk<'_> {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        for (axis, index) in self.axes.iter().zip(&mut self.index).rev() {
            *index = index.wrapping_add(1);
            self.at = self.at.wrapping_add(axis.step);
            if *index < axis.count {
                break;
            }
            self.at = self.at.wrapping_sub(axis.count.wrapping_mul(axis.step));
            *index = 0;
        }
        Some(at)
    }
}

/// Folds what each output is made of, from `start` on.
#[inline(always)]
fn fold<X: Copy, A: Copy, Y>(
    shape: &Reduce,
    input: &[X],
    output: &mut [Y],
    start: A,
    f: impl Fn(A, X) -> A,
    finish: impl Fn(A) -> Y,
) -> Result<(), KernelError> {
    let outputs = Walk::new(&shape.kept).ok_or(KernelError::Parameters)?;
    check(Operand::Output, outputs.left as usize, output.len())?;
    for (out, first) in output.iter_mut().zip(outputs) {
        let mut folded = start;
        for at in Walk::new(&shape.reduced).ok_or(KernelError::Parameters)? {
            let x = input.get(first.wrapping_add(at) as usize);
            folded = f(folded, *x.ok_or(KernelError::Parameters)?);
        }
        *out = finish(folded);
    }
    Ok(())
}

/// The sum of integers, or their mean, as the quantization says.
///
/// # Errors
/// A position lies outside of the input, or the output has not the elements of its shape.
pub fn quantized<T: Element<Wide = i32>>(
    shape: &Reduce,
    quantization: &Quantization,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    let q = quantization;
    fold(
        shape,
        input,
        output,
        0,
        |sum, x| x.add_to(sum),
        |sum: i32| {
            let y = q.multiplier.apply(sum.wrapping_sub(q.input_offset));
            T::within(y.wrapping_add(q.output_zero_point), T::RANGE)
        },
    )
}

/// The sum of float32, divided by `divisor`.
///
/// # Errors
/// As [`quantized`].
pub fn float32(
    shape: &Reduce,
    divisor: f32,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    fold(
        shape,
        input,
        output,
        0.0,
        |sum, x| sum + x,
        |sum| sum / divisor,
    )
}

/// The greatest element, or the least, whichever `wanted` says of the next against the one before.
///
/// # Errors
/// As [`quantized`], and where there is nothing to compare.
pub fn extreme<T: Ordered>(
    shape: &Reduce,
    wanted: Ordering,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    let first = *input.first().ok_or(KernelError::Parameters)?;
    // The first of an output is taken whatever it is.
    let better = |best: Option<T>, x: T| match best {
        Some(best) if x.order(best) != Some(wanted) => Some(best),
        _ => Some(x),
    };
    fold(shape, input, output, None, better, |best| {
        best.unwrap_or(first)
    })
}

/// Whether all are true.
///
/// # Errors
/// As [`quantized`].
pub fn all(shape: &Reduce, input: &[Bool], output: &mut [Bool]) -> Result<(), KernelError> {
    fold(
        shape,
        input,
        output,
        true,
        |all, x| all & x.get(),
        Bool::new,
    )
}

/// [`quantized`] along axes that come as an input; a mean where `divided` is 1, else a sum. The quantization is that of a sum of
/// one element: its offset is the input's zero point.
///
/// # Errors
/// As [`quantized`], and for an axis that the tensor has not.
pub fn quantized_at<T: Element<Wide = i32>>(
    sizes: &Sizes,
    quantization: &Quantization,
    divided: u32,
    input: &[T],
    axes: &[i32],
    output: &mut [T],
) -> Result<(), KernelError> {
    let (shape, addends) = sizes.along(axes)?;
    let mut of_all = *quantization;
    of_all.input_offset = of_all.input_offset.wrapping_mul(addends.cast_signed());
    if divided != 0 {
        of_all = of_all.mean(addends).ok_or(KernelError::Undefined)?;
    }
    quantized(&shape, &of_all, input, output)
}

/// [`float32`] along axes that come as an input; a mean where `divided` is 1, else a sum.
///
/// # Errors
/// As [`quantized_at`].
pub fn float32_at(
    sizes: &Sizes,
    divided: u32,
    input: &[f32],
    axes: &[i32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let (shape, addends) = sizes.along(axes)?;
    let divisor = if divided != 0 { addends as f32 } else { 1.0 };
    float32(&shape, divisor, input, output)
}

/// [`extreme`] along axes that come as an input.
///
/// # Errors
/// As [`extreme`], and for an axis that the tensor has not.
pub fn extreme_at<T: Ordered>(
    sizes: &Sizes,
    wanted: Ordering,
    input: &[T],
    axes: &[i32],
    output: &mut [T],
) -> Result<(), KernelError> {
    let (shape, _) = sizes.along(axes)?;
    extreme(&shape, wanted, input, output)
}

/// [`all`] along axes that come as an input.
///
/// # Errors
/// As [`quantized_at`].
pub fn all_at(
    sizes: &Sizes,
    input: &[Bool],
    axes: &[i32],
    output: &mut [Bool],
) -> Result<(), KernelError> {
    let (shape, _) = sizes.along(axes)?;
    all(&shape, input, output)
}
