//! STRIDED_SLICE: `kernels/internal/strided_slice_logic.h` and `kernels/internal/reference/strided_slice.h`, for
//! elements of any size.

use crate::error::{KernelError, Operand, check_shape};
use crate::rows;

/// Axes that a slice has at most, as in TFLM.
pub const MAX_AXES: usize = 4;

ember_core::plain! {
    /// One axis of a slice, resolved: positions `start, start + stride, ..`, `count` of them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SliceAxis {
        /// Positions of the input.
        pub size: u32,
        /// First position taken.
        pub start: u32,
        /// From one position taken to the next; may be negative.
        pub stride: i32,
        /// Positions taken.
        pub count: u32,
    }
}

impl SliceAxis {
    /// The whole of an axis with one position, for the axes that a tensor of lower rank does not have.
    pub const ONE: Self = Self {
        size: 1,
        start: 0,
        stride: 1,
        count: 1,
    };

    /// Resolves `begin`, `end` and `stride` as TensorFlow does: negative bounds count from the end, bounds outside
    /// are clamped, `None` bounds (a set mask bit) go to the end, and a shrunk axis takes the one position `begin`.
    ///
    /// `None` for a stride of 0, a shrunk axis whose `begin` is outside, or sizes beyond `i32`.
    #[must_use]
    pub fn new(
        size: u32,
        begin: Option<i32>,
        end: Option<i32>,
        stride: i32,
        shrink: bool,
    ) -> Option<Self> {
        let axis = i64::from(i32::try_from(size).ok()?);
        if stride == 0 {
            return None;
        }
        // Walking forwards the bounds are in 0..=axis, backwards in -1..axis.
        let (low, high) = if stride > 0 {
            (0, axis)
        } else {
            (-1, axis - 1)
        };
        let bound = |index: i32| {
            let index = i64::from(index);
            let index = if index < 0 { index + axis } else { index };
            index.max(low).min(high)
        };
        let start = begin.map_or(if stride > 0 { low } else { high }, bound);
        let stop = if shrink {
            start + 1
        } else {
            end.map_or(if stride > 0 { high } else { low }, bound)
        };
        if shrink {
            if start < 0 || start >= axis {
                return None;
            }
            return Some(Self {
                size,
                start: start as u32,
                stride: 1,
                count: 1,
            });
        }
        // ceil((stop - start) / stride), in 32 bits: the 64-bit division would be a library call on a chip.
        let (span, step) = if stride > 0 {
            (stop - start, stride.unsigned_abs())
        } else {
            (start - stop, stride.unsigned_abs())
        };
        let count = u32::try_from(span).unwrap_or(0).div_ceil(step.max(1));
        Some(Self {
            size,
            start: u32::try_from(start).unwrap_or(0),
            stride,
            count,
        })
    }

    /// The input position of the output position `index`.
    const fn position(&self, index: u32) -> u32 {
        self.start
            .wrapping_add(index.wrapping_mul(self.stride.cast_unsigned()))
    }
}

/// Copies the elements of a slice; an element has `element` bytes.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn bytes(
    axes: &[SliceAxis; MAX_AXES],
    element: u32,
    input: &[u8],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let [a, b, c, d] = axes;
    let sizes = [a.size, b.size, c.size, d.size, element];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [a.count, b.count, c.count, d.count, element];
    check_shape(Operand::Output, &sizes, output.len())?;
    let element = element as usize;
    let mut outputs = rows::of_mut(output, element);
    for i in 0..a.count {
        for j in 0..b.count {
            for k in 0..c.count {
                let line = a
                    .position(i)
                    .wrapping_mul(b.size)
                    .wrapping_add(b.position(j))
                    .wrapping_mul(c.size)
                    .wrapping_add(c.position(k))
                    .wrapping_mul(d.size);
                for l in 0..d.count {
                    let at = (line.wrapping_add(d.position(l)) as usize).wrapping_mul(element);
                    let from = at..at.wrapping_add(element);
                    if let (Some(out), Some(x)) = (outputs.next(), input.get(from)) {
                        for (out, x) in out.iter_mut().zip(x) {
                            *out = *x;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
