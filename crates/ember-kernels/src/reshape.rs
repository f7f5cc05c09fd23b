//! RESHAPE: the elements as they are.

use crate::error::{KernelError, Operand, check};

/// Copies the bytes of the input.
///
/// # Errors
/// Input and output differ in length.
pub fn bytes(input: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    output.copy_from_slice(input);
    Ok(())
}
