//! LOG_SOFTMAX: `kernels/internal/reference/log_softmax.h`, the fixed-point one for int8 included.

use ember_core::{QuantizedMultiplier, elementary, fixed_point, float};

use crate::error::KernelError;
use crate::rows;
use crate::softmax::{self, DIFFERENCE_INTEGER_BITS, Softmax};

/// Bits before the point of the sum of exponentials: `kAccumulationIntegerBits`.
const SUM_INTEGER_BITS: u32 = 12;

/// Bits before the point of a step of the output, of which 16 are one: `kOutputIntegerBits`.
const OUTPUT_INTEGER_BITS: u32 = 4;

ember_core::plain! {
    /// Quantization of an int8 logarithm of a softmax. The output always has scale 1/16 and zero point 127.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Int8 {
        /// How differences of the input become Q5.26.
        pub input: softmax::Int8,
        /// From a Q5.26 to differences of the input; not above one.
        pub reverse: QuantizedMultiplier,
    }
}

impl Int8 {
    /// For an input of this scale (`PreprocessLogSoftmaxScalingExp`, `kernels/internal/quantization_util.cc`). `None` where
    /// it is not above 2^-26, which TFLM refuses too.
    #[must_use]
    pub fn new(input_scale: f32) -> Option<Self> {
        let input = softmax::Int8::new(1.0, input_scale)?;
        let QuantizedMultiplier { multiplier, shift } = input.multiplier;
        let power = 1u32.checked_shl(31u32.checked_sub(shift.cast_unsigned())?)?;
        let reverse = QuantizedMultiplier::from_f64(f64::from(power) / f64::from(multiplier));
        (reverse.shift <= 0).then_some(Self { input, reverse })
    }
}

/// The logarithm of the softmax of int8 rows, equal to TFLM's to the byte for rows of up to 4096 elements, beyond which its
/// sums are not defined.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8(
    shape: &Softmax,
    quantization: &Int8,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let depth = shape.check(input.len(), output.len())?;
    let softmax::Int8 {
        multiplier,
        least_difference,
    } = quantization.input;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let max = row.iter().fold(i8::MIN, |max, x| max.max(*x));
        let mut sum = 0i32;
        for x in row {
            let difference = i32::from(*x) - i32::from(max);
            if difference >= least_difference {
                let exp = fixed_point::exp_on_negative_values(multiplier.apply(difference));
                let exp = fixed_point::rounding_divide_by_pot(exp, SUM_INTEGER_BITS);
                sum = sum.wrapping_add(exp);
            }
        }
        let log = fixed_point::log_of_at_least_one(sum);
        // The least that a Q5.26 can be once the logarithm is taken off.
        let least = quantization.reverse.apply(log.wrapping_add(i32::MIN));
        let least = least.max(least_difference.wrapping_sub(1));
        for (out, x) in out.iter_mut().zip(row) {
            let difference = i32::from(*x) - i32::from(max);
            *out = if difference > least {
                let log = multiplier.apply(difference).wrapping_sub(log);
                let shift = 31 - DIFFERENCE_INTEGER_BITS - OUTPUT_INTEGER_BITS;
                let steps = fixed_point::rounding_divide_by_pot(log, shift);
                steps.wrapping_add(127).clamp(-128, 127) as i8
            } else {
                i8::MIN
            };
        }
    }
    Ok(())
}

/// The logarithm of the softmax of float32 rows: `x - max - ln(sum)`.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn float32(shape: &Softmax, input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    let depth = shape.check(input.len(), output.len())?;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let max = row
            .iter()
            .fold(f32::MIN, |max, x| if *x > max { *x } else { max });
        let sum: f32 = row.iter().map(|x| float::exp(*x - max)).sum();
        let log = elementary::ln(sum);
        for (out, x) in out.iter_mut().zip(row) {
            *out = *x - max - log;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Int8, int8};
    use crate::softmax::Softmax;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn steps_are_near_the_real_logarithm(
            row in proptest::collection::vec(any::<i8>(), 1..40),
            scale in 0.001f32..0.5,
        ) {
            let shape = Softmax { outer: 1, depth: row.len() as u32 };
            let mut found = std::vec![0; row.len()];
            int8(&shape, &Int8::new(scale).unwrap(), &row, &mut found).unwrap();
            let real: Vec<f64> = row.iter().map(|x| f64::from(*x) * f64::from(scale)).collect();
            let log = real.iter().map(|x| x.exp()).sum::<f64>().ln();
            for (found, real) in found.iter().zip(real) {
                let expected = ((real - log) * 16.0 + 127.0).max(-128.0);
                prop_assert!((f64::from(*found) - expected).abs() < 0.6, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn scales_that_do_not_fit_are_refused() {
        assert!(Int8::new(2f32.powi(-26)).is_none());
        assert!(Int8::new(2f32.powi(-26) * 1.01).is_some());
        assert!(Int8::new(f32::MAX).is_some());
        assert!(Int8::new(f32::NAN).is_none() && Int8::new(0.0).is_none());
    }
}
