//! PACK: stacks tensors of one shape along a new axis (`micro/kernels/pack.cc`), for elements of any size.

use crate::error::{KernelError, Operand, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shapes of a stack. Each input is `[outer, inner]`, the output `[outer, values, inner]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Pack {
        /// Product of the sizes before the new axis.
        pub outer: u32,
        /// Inputs.
        pub values: u32,
        /// Bytes of what lies behind the new axis.
        pub inner: u32,
    }
}

/// Copies input number `index` to its places in the output.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn bytes(shape: &Pack, index: u32, input: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    let Pack {
        outer,
        values,
        inner,
    } = *shape;
    check_shape(Operand::Input, &[outer, inner], input.len())?;
    check_shape(Operand::Output, &[outer, values, inner], output.len())?;
    if index >= values {
        return Err(KernelError::Parameters);
    }
    let inner = inner as usize;
    let line = (values as usize).wrapping_mul(inner).max(1);
    let at = index as usize * inner;
    for (x, line) in rows::of(input, inner).zip(rows::of_mut(output, line)) {
        if let Some(out) = line.get_mut(at..at.wrapping_add(inner)) {
            for (out, x) in out.iter_mut().zip(x) {
                *out = *x;
            }
        }
    }
    Ok(())
}
