//! SLICE from positions that are no constants: `micro/kernels/slice.cc`.

use crate::broadcast_args::Dimension;
use crate::error::{KernelError, Operand, check};
use crate::strided::{self, MAX_AXES, Strided};

ember_core::plain! {
    /// What is sliced, and how much of it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SliceAt {
        /// The slice when it begins at 0.
        pub shape: Strided,
        /// Positions of each axis of the input.
        pub whole: [u32; MAX_AXES],
        /// Axes that the tensors do not have, which are outermost.
        pub skipped: u32,
    }
}

/// Copies the slice that begins at these positions, one for each axis. The sizes must be those of `shape`, where -1 is all
/// that is left.
///
/// # Errors
/// A slice's length is not that of its shape; [`KernelError::Undefined`] where the slice is not within the input or has another
/// size.
pub fn bytes<I: Dimension>(
    shape: &SliceAt,
    input: &[u8],
    begins: &[I],
    sizes: &[I],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let axes = MAX_AXES.wrapping_sub(shape.skipped as usize);
    check(Operand::Input2, axes, begins.len())?;
    check(Operand::Input2, axes, sizes.len())?;
    let axes = shape.shape.axes.iter().zip(shape.whole);
    let positions = begins.iter().zip(sizes);
    let mut start = 0u32;
    for ((axis, whole), (begin, size)) in axes.skip(shape.skipped as usize).zip(positions) {
        let (begin, size) = (begin.value(), size.value());
        let rest = i64::from(whole).checked_sub(begin);
        let rest = rest.filter(|_| begin >= 0).ok_or(KernelError::Undefined)?;
        let size = if size == -1 { rest } else { size };
        if size != i64::from(axis.count) || size > rest {
            return Err(KernelError::Undefined);
        }
        let step = axis.input_step.cast_unsigned();
        start = start.wrapping_add((begin as u32).wrapping_mul(step));
    }
    strided::copy(&shape.shape.starting(start, 0), input, output)
}
