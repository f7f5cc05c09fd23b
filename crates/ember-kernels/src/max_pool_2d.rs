//! MAX_POOL_2D: `MaxPool` of `kernels/internal/reference/integer_ops/pooling.h` and
//! `kernels/internal/reference/pooling.h`. Padding does not take part.

use ember_core::Clamp;

use crate::error::{KernelError, Operand, check, volume};
use crate::rows;
use crate::window::Axis;

/// Shapes of a pooling. Input `[batches, rows.input, columns.input, channels]`, output
/// `[batches, rows.output, columns.output, channels]`. Poolings have no dilation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pool2d {
    /// Images.
    pub batches: u32,
    /// The vertical axis.
    pub rows: Axis,
    /// The horizontal axis.
    pub columns: Axis,
    /// Channels of input and output.
    pub channels: u32,
}

impl Pool2d {
    /// Checks the lengths of input and output.
    pub(crate) fn check(&self, input: usize, output: usize) -> Result<(), KernelError> {
        let (rows, columns) = (&self.rows, &self.columns);
        let expected = volume(&[self.batches, rows.input, columns.input, self.channels])?;
        check(Operand::Input, expected, input)?;
        let expected = volume(&[self.batches, rows.output, columns.output, self.channels])?;
        check(Operand::Output, expected, output)
    }

    /// Elements of one image of the input; at least 1.
    pub(crate) const fn image_len(&self) -> usize {
        let len = self.rows.input as usize * self.columns.input as usize * self.channels as usize;
        if len == 0 { 1 } else { len }
    }

    /// Calls `f(index of the first channel)` for every pixel of the window at this origin that is not padding.
    #[inline(always)]
    pub(crate) fn for_each_pixel(&self, origin_y: i32, origin_x: i32, mut f: impl FnMut(usize)) {
        let (rows, columns) = (&self.rows, &self.columns);
        let (_, height) = rows.inside(origin_y);
        let (_, width) = columns.inside(origin_x);
        let channels = self.channels as usize;
        let row = columns.input as usize * channels;
        let mut line = origin_y.max(0) as usize * row + origin_x.max(0) as usize * channels;
        for _ in 0..height {
            let mut at = line;
            for _ in 0..width {
                f(at);
                at += channels;
            }
            line += row;
        }
    }
}

/// Largest value of each window and channel, clamped to `range`.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn int8(
    shape: &Pool2d,
    range: Clamp<i32>,
    input: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    pool(
        shape,
        i8::MIN,
        i8::max,
        |x| range.apply(i32::from(x)) as i8,
        input,
        output,
    )
}

/// Largest value of each window and channel, clamped to `range`.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &Pool2d,
    range: Clamp<f32>,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    pool(shape, f32::MIN, larger, |x| range.apply(x), input, output)
}

#[inline(always)]
fn pool<T: Copy>(
    shape: &Pool2d,
    least: T,
    larger: impl Fn(T, T) -> T,
    finish: impl Fn(T) -> T,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    shape.check(input.len(), output.len())?;
    let channels = shape.channels as usize;
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, shape.image_len()) {
        for out_y in 0..shape.rows.output {
            let origin_y = shape.rows.origin(out_y);
            for out_x in 0..shape.columns.output {
                let origin_x = shape.columns.origin(out_x);
                let Some(out) = outputs.next() else {
                    return Ok(());
                };
                out.fill(least);
                shape.for_each_pixel(origin_y, origin_x, |at| {
                    let values = image.get(at..at + channels).unwrap_or(&[]);
                    for (out, x) in out.iter_mut().zip(values) {
                        *out = larger(*out, *x);
                    }
                });
                for out in out {
                    *out = finish(*out);
                }
            }
        }
    }
    Ok(())
}
