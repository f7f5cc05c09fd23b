//! AVERAGE_POOL_2D: `AveragePool` of `kernels/internal/reference/integer_ops/pooling.h` and
//! `kernels/internal/reference/pooling.h`. Padding does not count.

use ember_core::Clamp;

use crate::element::Element;
use crate::error::KernelError;
pub use crate::max_pool_2d::Pool2d;
use crate::rows;

/// Channels whose sums are kept at once.
const BLOCK: usize = 8;

/// Mean of each window and channel, integers rounded half away from zero, clamped to `range`.
///
/// # Errors
/// A slice's length is not that of its shape, or a window is all padding.
#[inline(always)]
pub fn pool<T: Element>(
    shape: &Pool2d,
    range: Clamp<T::Wide>,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    T::average_pool_2d(shape, range, input, output)
}

#[inline(always)]
pub(crate) fn run<T: Element>(
    shape: &Pool2d,
    range: Clamp<T::Wide>,
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
                    let mut sums = [T::Wide::default(); BLOCK];
                    let mut count = 0i32;
                    shape.for_each_pixel(y, x, |at| {
                        let at = at + channel;
                        let values = image.get(at..at + out.len()).unwrap_or(&[]);
                        for (sum, x) in sums.iter_mut().zip(values) {
                            *sum = x.add_to(*sum);
                        }
                        count = count.wrapping_add(1);
                    });
                    channel += out.len();
                    for (out, sum) in out.iter_mut().zip(sums) {
                        let mean = T::mean(sum, count).ok_or(KernelError::EmptyWindow)?;
                        *out = T::within(mean, range);
                    }
                }
            }
        }
    }
    Ok(())
}
