//! SHAPE: a tensor's sizes as int32.

use crate::error::{KernelError, Operand, check};

/// Writes the sizes.
///
/// # Errors
/// The output has not one element per axis.
pub fn int32(sizes: &[u32], output: &mut [i32]) -> Result<(), KernelError> {
    check(Operand::Output, sizes.len(), output.len())?;
    for (out, size) in output.iter_mut().zip(sizes) {
        *out = size.cast_signed();
    }
    Ok(())
}
