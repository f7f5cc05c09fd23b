//! RELU and RELU6: `micro/kernels/activations.h` and `activations_common.cc`.

use ember_core::Clamp;

use crate::error::{KernelError, Operand, check};
use crate::quantize::{Requantize, requantize};

/// RELU on int8: brought to the output's scale and clamped to `range`, equal to TFLM's to the byte.
///
/// # Errors
/// Input and output differ in length.
pub fn int8(
    to: &Requantize,
    range: Clamp<i32>,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    requantize(to, range, input, output)
}

/// RELU6 on int8: clamped to `range`, which is 0 and 6 in the *input's* quantization, as in TFLM.
///
/// # Errors
/// Input and output differ in length.
pub fn relu6_int8(range: Clamp<i32>, input: &[i8], output: &mut [i8]) -> Result<(), KernelError> {
    map(input, output, |x| range.apply(i32::from(x)) as i8)
}

/// RELU or RELU6 on float32, whichever `range` says.
///
/// # Errors
/// Input and output differ in length.
pub fn float32(range: Clamp<f32>, input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    map(input, output, |x| range.apply(x))
}

fn map<T: Copy>(input: &[T], output: &mut [T], f: impl Fn(T) -> T) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = f(*x);
    }
    Ok(())
}
