//! RELU and RELU6: `micro/kernels/activations.h` and `activations_common.cc`.

use ember_core::Clamp;

use crate::element::Element;
use crate::error::{KernelError, Operand, check};

/// Every element within `range`: RELU and RELU6 on float32, and RELU6 on integers, whose `range` is 0 and 6 in the
/// *input's* quantization, as in TFLM. RELU on integers rescales:
/// [`quantize::requantize`](crate::quantize::requantize).
///
/// # Errors
/// Input and output differ in length.
pub fn clamp<T: Element>(
    range: Clamp<T::Wide>,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = T::within(x.wide(), range);
    }
    Ok(())
}
