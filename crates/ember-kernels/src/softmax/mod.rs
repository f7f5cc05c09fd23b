//! SOFTMAX: `kernels/internal/reference/softmax.h`, the fixed-point one for int8 included (gemmlowp's `exp` and
//! reciprocal, no table). [`int16`] has that of int16.

pub mod int16;

use ember_core::{QuantizedMultiplier, fixed_point, float};

use crate::element::Element;
use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shape of a softmax: input and output `[outer, depth]`, each row on its own.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Softmax {
        /// Rows.
        pub outer: u32,
        /// Elements of a row.
        pub depth: u32,
    }
}

impl Softmax {
    pub(crate) fn check(&self, input: usize, output: usize) -> Result<usize, KernelError> {
        check_shape(Operand::Input, &[self.outer, self.depth], input)?;
        check(Operand::Output, input, output)?;
        Ok(self.depth as usize)
    }
}

/// Bits before the point of a scaled difference: `kScaledDiffIntegerBits`.
pub const DIFFERENCE_INTEGER_BITS: u32 = 5;

/// Bits before the point of the sum of exponentials: `kAccumulationIntegerBits`.
const SUM_INTEGER_BITS: u32 = 12;

ember_core::plain! {
    /// Quantization of an int8 softmax. The output always has scale 1/256 and zero point -128.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Int8 {
        /// `beta * input scale` in units of `2^-26`: differences times this are Q5.26. Its shift is not negative.
        pub multiplier: QuantizedMultiplier,
        /// Differences from the row's maximum that are smaller (more negative) than this become zero.
        pub least_difference: i32,
    }
}

impl Int8 {
    /// For an input of this scale (`PreprocessSoftmaxScaling` and `CalculateInputRadius`,
    /// `kernels/internal/quantization_util.cc`). `None` where `beta * scale` is not positive or below 2^-26, which
    /// TFLM refuses too.
    #[must_use]
    pub fn new(beta: f32, input_scale: f32) -> Option<Self> {
        // Everything is capped at 2^31 - 1, beyond which one step already leaves nothing of the exponential.
        const CAP: QuantizedMultiplier = QuantizedMultiplier {
            multiplier: i32::MAX,
            shift: 31,
        };
        const UNIT: f32 = (1u32 << (31 - DIFFERENCE_INTEGER_BITS)) as f32;
        let mut multiplier = QuantizedMultiplier::from_ratio(beta, input_scale, 1.0 / UNIT);
        if multiplier.shift > 31 {
            multiplier = CAP;
        }
        if multiplier.multiplier == 0 || multiplier.shift < 0 {
            return None;
        }
        let radius = ((1 << DIFFERENCE_INTEGER_BITS) - 1) << (31 - DIFFERENCE_INTEGER_BITS);
        Some(Self {
            multiplier,
            least_difference: -(radius >> (multiplier.shift & 31)),
        })
    }

    /// `exp` of a difference, Q0.31; `None` where it counts as zero.
    #[inline(never)]
    fn exp(&self, difference: i32) -> Option<i32> {
        if difference < self.least_difference {
            return None;
        }
        let scaled = self.multiplier.apply_greater_than_one(difference);
        Some(fixed_point::exp_on_negative_values(scaled))
    }
}

/// Softmax of int8 rows, equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8(
    shape: &Softmax,
    quantization: &Int8,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    of_int8(shape, quantization, input, output)
}

/// Softmax of int8 rows to int16, which has scale 2^-16 and zero point -32768; equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8_to_int16(
    shape: &Softmax,
    quantization: &Int8,
    input: &[i8],
    output: &mut [i16],
) -> Result<(), KernelError> {
    of_int8(shape, quantization, input, output)
}

#[inline(always)]
fn of_int8<Y: Element<Wide = i32>>(
    shape: &Softmax,
    quantization: &Int8,
    input: &[i8],
    output: &mut [Y],
) -> Result<(), KernelError> {
    let depth = shape.check(input.len(), output.len())?;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let max = row.iter().fold(i8::MIN, |max, x| max.max(*x));
        let exp = |x: i8| quantization.exp(i32::from(x) - i32::from(max));
        let mut sum = 0i32;
        for x in row {
            if let Some(exp) = exp(*x) {
                let exp = fixed_point::rounding_divide_by_pot(exp, SUM_INTEGER_BITS);
                sum = sum.wrapping_add(exp);
            }
        }
        let (scale, bits_over_unit) = fixed_point::reciprocal(sum, SUM_INTEGER_BITS as i32);
        let exponent = bits_over_unit
            .wrapping_add(31 - 8 * size_of::<Y>() as i32)
            .clamp(0, 31)
            .unsigned_abs();
        for (out, x) in out.iter_mut().zip(row) {
            *out = match exp(*x) {
                None => Y::LEAST,
                Some(exp) => {
                    let product = fixed_point::saturating_rounding_doubling_high_mul(scale, exp);
                    let output = fixed_point::rounding_divide_by_pot(product, exponent);
                    Y::within(output.wrapping_add(Y::RANGE.min), Y::RANGE)
                }
            };
        }
    }
    Ok(())
}

/// Softmax of float32 rows: `exp(beta * (x - max)) / sum`.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn float32(
    shape: &Softmax,
    beta: f32,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let depth = shape.check(input.len(), output.len())?;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let max = row
            .iter()
            .fold(f32::MIN, |max, x| if *x > max { *x } else { max });
        let mut sum = 0.0;
        for (out, x) in out.iter_mut().zip(row) {
            *out = float::exp((*x - max) * beta);
            sum += *out;
        }
        for out in out {
            *out /= sum;
        }
    }
    Ok(())
}
