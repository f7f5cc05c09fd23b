//! L2_NORMALIZATION and L2_POOL_2D: `kernels/internal/reference/l2normalization.h`,
//! `integer_ops/l2normalization.h` and `pooling.h`.

use ember_core::fixed_point::inverse_square_root;
use ember_core::{Clamp, QuantizedMultiplier, elementary};

use crate::error::{KernelError, Operand, check, check_shape};
use crate::max_pool_2d::Pool2d;
use crate::rows;
use crate::window::Axis;

/// Each row of float32 divided by its norm, which counts as 1e-6 at least.
///
/// # Errors
/// Input and output differ in length.
pub fn float32(depth: u32, input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    let depth = depth as usize;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let mut squares = 0.0;
        for x in row {
            squares += *x * *x;
        }
        let norm = elementary::sqrt(squares);
        let norm = if norm > 1e-6 { norm } else { 1e-6 };
        for (out, x) in out.iter_mut().zip(row) {
            *out = *x / norm;
        }
    }
    Ok(())
}

/// Each row of int8 divided by its norm; the output has scale 1/128 and zero point 0.
///
/// # Errors
/// Input and output differ in length.
pub fn int8(
    depth: u32,
    zero_point: i32,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    check(Operand::Input, output.len(), input.len())?;
    let depth = depth as usize;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let centred = |x: &i8| i32::from(*x).wrapping_sub(zero_point);
        let mut squares = 0i32;
        for x in row {
            squares = squares.wrapping_add(centred(x).wrapping_mul(centred(x)));
        }
        let inverse = inverse_square_root(squares);
        let inverse = QuantizedMultiplier {
            shift: inverse.shift.wrapping_add(7),
            ..inverse
        };
        for (out, x) in out.iter_mut().zip(row) {
            *out = inverse.apply(centred(x)).clamp(-128, 127) as i8;
        }
    }
    Ok(())
}

/// The positions of an axis that a window covers.
fn covered(axis: &Axis, output: u32) -> core::ops::Range<u32> {
    let from = i64::from(output) * i64::from(axis.stride) - i64::from(axis.padding);
    let to = from + i64::from(axis.filter);
    let within = |at: i64| at.clamp(0, i64::from(axis.input)) as u32;
    within(from)..within(to)
}

/// The root of the mean of the squares in each window.
///
/// # Errors
/// A slice's length is not that of its shape, or a window lies wholly in the padding.
pub fn pool(
    shape: &Pool2d,
    range: Clamp<f32>,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let Pool2d {
        batches,
        rows,
        columns,
        channels,
    } = shape;
    let sizes = [*batches, rows.input, columns.input, *channels];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [*batches, rows.output, columns.output, *channels];
    check_shape(Operand::Output, &sizes, output.len())?;
    let mut outputs = output.iter_mut();
    for batch in 0..*batches {
        for row in 0..rows.output {
            for column in 0..columns.output {
                for channel in 0..*channels {
                    let (mut squares, mut count) = (0.0, 0u32);
                    for y in covered(rows, row) {
                        let line = batch.wrapping_mul(rows.input).wrapping_add(y);
                        for x in covered(columns, column) {
                            let pixel = line.wrapping_mul(columns.input).wrapping_add(x);
                            let at = pixel.wrapping_mul(*channels).wrapping_add(channel);
                            let x = input.get(at as usize).copied().unwrap_or_default();
                            squares += x * x;
                            count = count.wrapping_add(1);
                        }
                    }
                    if count == 0 {
                        return Err(KernelError::EmptyWindow);
                    }
                    if let Some(out) = outputs.next() {
                        *out = range.apply(elementary::sqrt(squares / count as f32));
                    }
                }
            }
        }
    }
    Ok(())
}
