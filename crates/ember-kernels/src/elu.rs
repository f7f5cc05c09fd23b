//! ELU of int8: `micro/kernels/elu.cc`, which looks every value up in a table.

use ember_core::{elementary, float};

use crate::error::{KernelError, Operand, check};
use crate::quantize::Affine;

/// The output for an input of int8: an entry of TFLM's table.
#[must_use]
pub fn entry(from: Affine, to: Affine, x: i8) -> i8 {
    let x = from.scale * i32::from(x).wrapping_sub(from.zero_point) as f32;
    let y = if x < 0.0 {
        elementary::exp_nearest(x) - 1.0
    } else {
        x
    };
    let y = float::round(y * (1.0 / to.scale)) + to.zero_point as f32;
    (y as i32).clamp(-128, 127) as i8
}

/// Looks every element up in a table of 256, which begins with what stands for 0 to 127.
///
/// # Errors
/// Input and output differ in length, or the table has not 256 entries.
pub fn look_up(table: &[i8], input: &[i8], output: &mut [i8]) -> Result<(), KernelError> {
    check(Operand::Multipliers, 256, table.len())?;
    check(Operand::Input, output.len(), input.len())?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = table
            .get(usize::from(x.cast_unsigned()))
            .copied()
            .unwrap_or(0);
    }
    Ok(())
}
