//! QUANTIZE: `AffineQuantize` (`kernels/internal/reference/quantize.h`) and `Requantize`
//! (`kernels/internal/reference/requantize.h`).

use ember_core::{Clamp, QuantizedMultiplier, float};

use crate::element::Element;
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

/// `round(x / scale) + zero_point`, halves away from zero, clamped to the output's type. NaN becomes the zero point, as
/// a saturating conversion to an integer makes it 0.
///
/// # Errors
/// Input and output differ in length.
pub fn quantize<T: Element<Wide = i32>>(
    to: Affine,
    input: &[f32],
    output: &mut [T],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        let steps = float::round(*x / to.scale) as i32;
        *out = T::within(steps.saturating_add(to.zero_point), T::RANGE);
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

/// Integers of one scale, and one type, as those of another within `range`, equal to TFLM's to the byte.
///
/// # Errors
/// Input and output differ in length.
pub fn requantize<X: Element<Wide = i32>, Y: Element<Wide = i32>>(
    to: &Requantize,
    range: Clamp<i32>,
    input: &[X],
    output: &mut [Y],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        let x = x.wide().wrapping_sub(to.input_zero_point);
        let y = to.multiplier.apply(x).wrapping_add(to.output_zero_point);
        *out = Y::within(y, range);
    }
    Ok(())
}
