//! QUANTIZE: `AffineQuantize` (`kernels/internal/reference/quantize.h`) and `Requantize`
//! (`kernels/internal/reference/requantize.h`).

use ember_core::{Clamp, QuantizedMultiplier, float};

use crate::error::{KernelError, Operand, check};

ember_core::plain! {
    /// Scale and zero point of a tensor.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Affine {
        /// The real value of one step.
        pub scale: f32,
        /// The integer that stands for 0.
        pub zero_point: i32,
    }
}

/// `round(x / scale) + zero_point`, halves away from zero, clamped to int8. NaN becomes the zero point, as a saturating
/// conversion to an integer makes it 0.
///
/// # Errors
/// Input and output differ in length.
pub fn float32_to_int8(to: Affine, input: &[f32], output: &mut [i8]) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        let steps = float::round(*x / to.scale) as i32;
        *out = Clamp::INT8.apply(steps.saturating_add(to.zero_point)) as i8;
    }
    Ok(())
}

ember_core::plain! {
    /// How integers of one scale become integers of another.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Requantize {
        /// Input scale divided by output scale.
        pub multiplier: QuantizedMultiplier,
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
    }
}

/// int8 of one scale as int8 of another, equal to TFLM's to the byte.
///
/// # Errors
/// Input and output differ in length.
pub fn int8_to_int8(to: &Requantize, input: &[i8], output: &mut [i8]) -> Result<(), KernelError> {
    requantize(to, Clamp::INT8, input, output)
}

/// [`int8_to_int8`] with a range of the output.
pub(crate) fn requantize(
    to: &Requantize,
    range: Clamp<i32>,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        let x = i32::from(*x).wrapping_sub(to.input_zero_point);
        *out = range.apply(to.multiplier.apply(x).wrapping_add(to.output_zero_point)) as i8;
    }
    Ok(())
}
