//! FULLY_CONNECTED: `reference_integer_ops::FullyConnected` and `FullyConnectedPerChannel`
//! (`kernels/internal/reference/integer_ops/fully_connected.h`) and `reference_ops::FullyConnected`
//! (`kernels/internal/reference/fully_connected.h`).

use crate::arithmetic::{Arithmetic, dense};
use crate::error::{KernelError, Operand, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shapes of a dense layer. Input `[batches, depth]`, filter `[units, depth]`, output `[batches, units]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FullyConnected {
        /// Rows of input.
        pub batches: u32,
        /// Elements of one row of input.
        pub depth: u32,
        /// Elements of one row of output.
        pub units: u32,
    }
}

/// Dense layer, for integers equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
#[inline(always)]
pub fn connect<A: Arithmetic>(
    shape: &FullyConnected,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Value],
) -> Result<(), KernelError> {
    let FullyConnected {
        batches,
        depth,
        units,
    } = *shape;
    check_shape(Operand::Input, &[batches, depth], input.len())?;
    check_shape(Operand::Filter, &[units, depth], filter.len())?;
    check_shape(Operand::Output, &[batches, units], output.len())?;
    arithmetic.check(units as usize)?;
    if depth == 0 && !output.is_empty() {
        return Err(KernelError::Parameters);
    }
    for (row, out) in rows::of(input, depth as usize).zip(rows::of_mut(output, units as usize)) {
        let extra = arithmetic.correction(row);
        dense(arithmetic, row, filter, extra, 0, out);
    }
    Ok(())
}
