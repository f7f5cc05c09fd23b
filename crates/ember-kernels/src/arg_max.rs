//! ARG_MAX, ARG_MIN, CUMSUM and ADD_N: `kernels/internal/reference/arg_min_max.h`, `cumsum.h` and `add_n.h`.

use core::cmp::Ordering;

use crate::add;
use crate::axes::Sizes;
use crate::element::Element;
use crate::error::{KernelError, Operand, check_shape};
use crate::maximum_minimum::Ordered;

ember_core::plain! {
    /// A tensor about one of its axes: `[outer, axis, inner]`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct About {
        /// The product of the dimensions before it.
        pub outer: u32,
        /// Its positions.
        pub axis: u32,
        /// The product of the dimensions behind it.
        pub inner: u32,
    }
}

impl About {
    fn at(&self, outer: u32, axis: u32, inner: u32) -> usize {
        let row = outer.wrapping_mul(self.axis).wrapping_add(axis);
        row.wrapping_mul(self.inner).wrapping_add(inner) as usize
    }
}

/// The first position of the greatest element, or of the least, whichever `wanted` says of it against the others.
///
/// # Errors
/// A slice's length is not that of its shape, or there is nothing to compare.
pub fn position<T: Ordered>(
    shape: &About,
    wanted: Ordering,
    input: &[T],
    output: &mut [i32],
) -> Result<(), KernelError> {
    let About { outer, axis, inner } = *shape;
    check_shape(Operand::Input, &[outer, axis, inner], input.len())?;
    check_shape(Operand::Output, &[outer, inner], output.len())?;
    let mut outputs = output.iter_mut();
    for outer in 0..outer {
        for inner in 0..inner {
            let element = |at| input.get(shape.at(outer, at, inner)).copied();
            let mut best = element(0).ok_or(KernelError::Parameters)?;
            let mut found = 0;
            for at in 1..axis {
                let x = element(at).ok_or(KernelError::Parameters)?;
                if x.order(best) == Some(wanted) {
                    best = x;
                    found = at;
                }
            }
            if let Some(out) = outputs.next() {
                *out = found.cast_signed();
            }
        }
    }
    Ok(())
}

/// [`position`] along an axis that comes as an input.
///
/// # Errors
/// As [`position`], and for an axis that the tensor has not.
pub fn position_at<T: Ordered>(
    sizes: &Sizes,
    wanted: Ordering,
    input: &[T],
    axis: &[i32],
    output: &mut [i32],
) -> Result<(), KernelError> {
    position(&sizes.about(axis)?, wanted, input, output)
}

ember_core::plain! {
    /// How a sum goes along its axis; each is 0 or 1.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Order {
        /// Whether an element is not part of its own sum.
        pub exclusive: u32,
        /// Whether it goes from the end.
        pub reverse: u32,
    }
}

/// The sums of float32 up to each position.
///
/// # Errors
/// A slice's length is not that of the shape.
pub fn sums_float32(
    shape: &About,
    order: Order,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    sums(
        shape,
        order,
        input,
        output,
        0.0,
        |sum, x| sum + x,
        |sum| sum,
    )
}

/// The sums of int8 up to each position. The quantization is that of ADD, of the input with itself; TFLM starts with the
/// negated zero point, scaled as an element.
///
/// # Errors
/// As [`sums_float32`].
pub fn sums_int8(
    shape: &About,
    order: Order,
    quantization: &add::Quantized,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let q = quantization;
    let [zero_point, _] = q.input_zero_points;
    let [multiplier, _] = q.input_multipliers;
    let scaled = |x: i32| multiplier.apply(x.wrapping_shl(q.left_shift));
    let start = scaled(zero_point.wrapping_neg());
    let add = |sum: i32, x: i8| sum.wrapping_add(scaled(x.wide().wrapping_sub(zero_point)));
    sums(shape, order, input, output, start, add, |sum| {
        let y = q.output_multiplier.apply(sum);
        i8::within(y.wrapping_add(q.output_zero_point), q.range)
    })
}

/// [`sums_float32`] along an axis that comes as an input.
///
/// # Errors
/// As [`sums_float32`], and for an axis that the tensor has not.
pub fn sums_float32_at(
    sizes: &Sizes,
    order: Order,
    input: &[f32],
    axis: &[i32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    sums_float32(&sizes.about(axis)?, order, input, output)
}

/// [`sums_int8`] along an axis that comes as an input.
///
/// # Errors
/// As [`sums_int8`], and for an axis that the tensor has not.
pub fn sums_int8_at(
    sizes: &Sizes,
    order: Order,
    quantization: &add::Quantized,
    input: &[i8],
    axis: &[i32],
    output: &mut [i8],
) -> Result<(), KernelError> {
    sums_int8(&sizes.about(axis)?, order, quantization, input, output)
}

#[inline(always)]
fn sums<T: Copy, A: Copy>(
    shape: &About,
    order: Order,
    input: &[T],
    output: &mut [T],
    start: A,
    add: impl Fn(A, T) -> A,
    finish: impl Fn(A) -> T,
) -> Result<(), KernelError> {
    let About { outer, axis, inner } = *shape;
    check_shape(Operand::Input, &[outer, axis, inner], input.len())?;
    check_shape(Operand::Output, &[outer, axis, inner], output.len())?;
    for outer in 0..outer {
        for inner in 0..inner {
            let mut sum = start;
            for step in 0..axis {
                let at = if order.reverse == 0 {
                    step
                } else {
                    axis.wrapping_sub(1).wrapping_sub(step)
                };
                let at = shape.at(outer, at, inner);
                if let (Some(x), Some(out)) = (input.get(at), output.get_mut(at)) {
                    let with = add(sum, *x);
                    *out = finish(if order.exclusive == 0 { with } else { sum });
                    sum = with;
                }
            }
        }
    }
    Ok(())
}

/// Adds a tensor of float32 to what the output holds.
///
/// # Errors
/// Input and output differ in length.
pub fn add_float32(input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    crate::error::check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out += *x;
    }
    Ok(())
}

/// The sum of int8 of one scale, one from each tensor. The quantization is that of ADD, of an input with itself; TFLM starts
/// with the negated zero point, scaled as an element.
#[must_use]
pub fn add_int8(quantization: &add::Quantized, elements: impl Iterator<Item = i8>) -> i8 {
    let q = quantization;
    let [zero_point, _] = q.input_zero_points;
    let [multiplier, _] = q.input_multipliers;
    let scaled = |x: i32| multiplier.apply(x.wrapping_shl(q.left_shift));
    let mut sum = scaled(zero_point.wrapping_neg());
    for x in elements {
        sum = sum.wrapping_add(scaled(x.wide().wrapping_sub(zero_point)));
    }
    let y = q.output_multiplier.apply(sum);
    i8::within(y.wrapping_add(q.output_zero_point), q.range)
}
