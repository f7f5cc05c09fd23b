//! DEQUANTIZE: `kernels/internal/reference/dequantize.h`.

use ember_core::float;

use crate::element::Element;
use crate::error::{KernelError, Operand, check};
pub use crate::quantize::Affine;

/// `scale * (x - zero_point)`. TFLM multiplies in double precision and rounds once; one product of floats is rounded
/// the same way.
///
/// # Errors
/// Input and output differ in length.
pub fn dequantize<T: Element<Wide = i32>>(
    from: Affine,
    input: &[T],
    output: &mut [f32],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = from.scale * x.wide().wrapping_sub(from.zero_point) as f32;
    }
    Ok(())
}

/// float16 as float32, exactly: `EvalImpl` of LiteRT's `lite/kernels/dequantize.h`, which TFLM does not have.
///
/// # Errors
/// Input and output differ in length.
pub fn float16(input: &[u16], output: &mut [f32]) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = float::from_half(*x);
    }
    Ok(())
}
