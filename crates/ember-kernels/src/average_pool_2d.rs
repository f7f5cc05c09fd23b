//! AVERAGE_POOL_2D: `AveragePool` of `kernels/internal/reference/integer_ops/pooling.h` and
//! `kernels/internal/reference/pooling.h`. Padding does not count.

use ember_core::Clamp;

use crate::error::KernelError;
pub use crate::max_pool_2d::Pool2d;
use crate::rows;

/// Mean of each window and channel, halves away from zero, clamped to `range`.
///
/// # Errors
/// A slice's length is not that of its shape, or a window is all padding.
pub fn int8(
    shape: &Pool2d,
    range: Clamp<i32>,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let add = |sum: i32, x: i8| sum.wrapping_add(i32::from(x));
    let mean = |sum: i32, count: i32| {
        let half = count / 2;
        let sum = if sum > 0 {
            sum.wrapping_add(half)
        } else {
            sum.wrapping_sub(half)
        };
        let mean = sum.checked_div(count).ok_or(KernelError::EmptyWindow)?;
        Ok(range.apply(mean) as i8)
    };
    pool(shape, add, mean, input, output)
}

/// Mean of each window and channel, clamped to `range`.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &Pool2d,
    range: Clamp<f32>,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let mean = |sum: f32, count: i32| {
        if count == 0 {
            return Err(KernelError::EmptyWindow);
        }
        Ok(range.apply(sum / count as f32))
    };
    pool(shape, |sum: f32, x: f32| sum + x, mean, input, output)
}

/// Channels whose sums are kept at once.
const BLOCK: usize = 8;

#[inline(always)]
fn pool<T: Copy, S: Copy + Default>(
    shape: &Pool2d,
    add: impl Fn(S, T) -> S,
    mean: impl Fn(S, i32) -> Result<T, KernelError>,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    shape.check(input.len(), output.len())?;
    if output.is_empty() {
        return Ok(());
    }
    let channels = shape.channels as usize;
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, shape.image_len()) {
        for out_y in 0..shape.rows.output {
            let y = shape.rows.span(out_y);
            for out_x in 0..shape.columns.output {
                let x = shape.columns.span(out_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                let mut channel = 0;
                for out in out.chunks_mut(BLOCK) {
                    let mut sums = [S::default(); BLOCK];
                    let mut count = 0i32;
                    shape.for_each_pixel(y, x, |at| {
                        let at = at + channel;
                        let values = image.get(at..at + out.len()).unwrap_or(&[]);
                        for (sum, x) in sums.iter_mut().zip(values) {
                            *sum = add(*sum, *x);
                        }
                        count = count.wrapping_add(1);
                    });
                    channel += out.len();
                    for (out, sum) in out.iter_mut().zip(sums) {
                        *out = mean(sum, count)?;
                    }
                }
            }
        }
    }
    Ok(())
}
