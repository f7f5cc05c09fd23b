//! DYNAMIC_UPDATE_SLICE: `micro/kernels/dynamic_update_slice.cc`.

use crate::broadcast_args::Dimension;
use crate::error::{KernelError, Operand, check};
use crate::reshape;
use crate::strided::{self, MAX_AXES, Strided};

ember_core::plain! {
    /// Where an update goes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct UpdateSlice {
        /// The move of the update when all start indices are 0.
        pub shape: Strided,
        /// The greatest start index of each axis.
        pub last: [u32; MAX_AXES],
        /// Axes that the tensors do not have, which are outermost.
        pub skipped: u32,
    }
}

/// Copies the operand and then the update over it, from the start indices on, one for each axis, which are clamped such that
/// the update fits.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn bytes<I: Dimension>(
    shape: &UpdateSlice,
    operand: &[u8],
    update: &[u8],
    indices: &[I],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let axes = MAX_AXES.wrapping_sub(shape.skipped as usize);
    check(Operand::Input2, axes, indices.len())?;
    reshape::bytes(operand, output)?;
    let axes = shape.shape.axes.iter().zip(&shape.last);
    let mut start = 0u32;
    for ((axis, last), index) in axes.skip(shape.skipped as usize).zip(indices) {
        let index = index.value().clamp(0, i64::from(*last)) as u32;
        let step = axis.output_step.cast_unsigned();
        start = start.wrapping_add(index.wrapping_mul(step));
    }
    strided::copy(&shape.shape.starting(0, start), update, output)
}
