//! FULLY_CONNECTED: `reference_integer_ops::FullyConnected` and `FullyConnectedPerChannel`
//! (`kernels/internal/reference/integer_ops/fully_connected.h`) and `reference_ops::FullyConnected`
//! (`kernels/internal/reference/fully_connected.h`).

use crate::arithmetic::{Arithmetic, Float32, Int8, dense};
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

/// Dense layer of int8 with int8, equal to TFLM's to the byte.
///
/// `filter_zero_point` is 0 wherever weights are symmetric; TFLM honours another one for per-tensor weights.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8(
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    filter_zero_point: i32,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    connect(shape, arithmetic, input, filter, output, |row| {
        // Σ (x - zx) * (w - zw) = Σ (x - zx) * w - zw * Σ (x - zx), and the second sum is the same for every unit.
        let mut sum = 0i32;
        if filter_zero_point != 0 {
            for x in row {
                sum = sum.wrapping_add(i32::from(*x).wrapping_sub(arithmetic.input_zero_point));
            }
        }
        sum.wrapping_mul(filter_zero_point).wrapping_neg()
    })
}

/// Dense layer of float32.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &FullyConnected,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    connect(shape, arithmetic, input, filter, output, |_| 0.0)
}

/// `extra(row)` is worked out once per row of input, and every unit's sum starts with it.
#[inline(always)]
fn connect<A: Arithmetic>(
    shape: &FullyConnected,
    arithmetic: &A,
    input: &[A::Value],
    filter: &[A::Weight],
    output: &mut [A::Value],
    extra: impl Fn(&[A::Value]) -> A::Sum,
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
        dense(arithmetic, row, filter, extra(row), 0, out);
    }
    Ok(())
}
