//! MAX_POOL_2D: `MaxPool` of `kernels/internal/reference/integer_ops/pooling.h` and
//! `kernels/internal/reference/pooling.h`. Padding does not take part.

use ember_core::Clamp;

use crate::element::Element;
use crate::error::{KernelError, Operand, check_shape};
use crate::rows;
use crate::window::{Axis, Span};

ember_core::plain! {
    /// Shapes of a pooling. Input `[batches, rows.input, columns.input, channels]`, output
    /// `[batches, rows.output, columns.output, channels]`. Poolings have no dilation.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

/// A pooling by the largest value: its shapes, and what its fused activation leaves of the output's range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPool<W> {
    /// The shapes.
    pub shape: Pool2d,
    /// The range.
    pub range: Clamp<W>,
}

impl Pool2d {
    /// Checks the lengths of input and output.
    pub(crate) fn check(&self, input: usize, output: usize) -> Result<(), KernelError> {
        let (rows, columns) = (&self.rows, &self.columns);
        let sizes = [self.batches, rows.input, columns.input, self.channels];
        check_shape(Operand::Input, &sizes, input)?;
        let sizes = [self.batches, rows.output, columns.output, self.channels];
        check_shape(Operand::Output, &sizes, output)?;
        rows.check()?;
        columns.check()
    }

    /// Elements of one image of the input.
    pub(crate) const fn image_len(&self) -> usize {
        self.rows.input as usize * self.columns.input as usize * self.channels as usize
    }

    /// Calls `f(index of the first channel)` for every pixel of the window that is not padding.
    #[inline(always)]
    pub(crate) fn for_each_pixel(&self, y: Span, x: Span, mut f: impl FnMut(usize)) {
        let channels = self.channels as usize;
        let row = self.columns.input as usize * channels;
        let mut line = y.position as usize * row + x.position as usize * channels;
        for _ in 0..y.taps {
            let mut at = line;
            for _ in 0..x.taps {
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
#[inline(always)]
pub fn pool<T: Element>(
    shape: &Pool2d,
    range: Clamp<T::Wide>,
    input: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    T::max_pool_2d(shape, range, input, output)
}

/// `fast` is the processor's own, as [`arch`](crate::arch) has them.
#[inline(always)]
pub(crate) fn run<T: Element>(
    shape: &Pool2d,
    range: Clamp<T::Wide>,
    input: &[T],
    output: &mut [T],
    fast: impl FnOnce(&Pool2d, Clamp<T::Wide>, &[T], &mut [T]) -> bool,
) -> Result<(), KernelError> {
    shape.check(input.len(), output.len())?;
    if output.is_empty() || fast(shape, range, input, output) {
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
                rows::fill(out, T::LEAST);
                shape.for_each_pixel(y, x, |at| {
                    let values = image.get(at..at + channels).unwrap_or(&[]);
                    for (out, x) in out.iter_mut().zip(values) {
                        *out = out.larger(*x);
                    }
                });
                for out in out {
                    *out = T::within(out.wide(), range);
                }
            }
        }
    }
    Ok(())
}
