//! DEQUANTIZE: `kernels/internal/reference/dequantize.h`.

use crate::error::{KernelError, Operand, check};
pub use crate::quantize::Affine;

/// `scale * (x - zero_point)`. TFLM multiplies in double precision and rounds once; one product of floats is rounded
/// the same way.
///
/// # Errors
/// Input and output differ in length.
pub fn int8_to_float32(from: Affine, input: &[i8], output: &mut [f32]) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = from.scale * i32::from(*x).wrapping_sub(from.zero_point) as f32;
    }
    Ok(())
}
