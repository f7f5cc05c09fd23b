//! Moves of elements from a regular place to a regular place: TRANSPOSE, SLICE, SPLIT, CONCATENATION, PAD, BROADCAST_TO,
//! DEPTH_TO_SPACE and their like differ in steps only.

use crate::axes::Sizes;
use crate::error::{KernelError, Operand, check};

/// Axes that a move has at most.
pub const MAX_AXES: usize = 6;

ember_core::plain! {
    /// One axis of a move.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct StridedAxis {
        /// Positions.
        pub count: u32,
        /// Elements of the input from one position to the next; 0 repeats, negative goes backwards.
        pub input_step: i32,
        /// Elements of the output from one position to the next.
        pub output_step: i32,
    }

    /// A move of elements of any size.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Strided {
        /// From the outermost to the innermost; unused ones have one position.
        pub axes: [StridedAxis; MAX_AXES],
        /// The first element of the input.
        pub input_start: u32,
        /// The first element of the output.
        pub output_start: u32,
        /// Bytes of an element.
        pub element: u32,
    }
}

impl StridedAxis {
    /// An axis with one position.
    pub const ONE: Self = Self {
        count: 1,
        input_step: 0,
        output_step: 0,
    };

    /// An axis.
    #[must_use]
    pub const fn new(count: u32, input_step: u32, output_step: u32) -> Self {
        Self {
            count,
            input_step: input_step.cast_signed(),
            output_step: output_step.cast_signed(),
        }
    }
}

impl Strided {
    /// `rows` rows of `len` elements, so many elements apart in the input and in the output.
    #[must_use]
    pub const fn rows(
        rows: u32,
        len: u32,
        input_step: u32,
        output_step: u32,
        element: u32,
    ) -> Self {
        let one = StridedAxis::ONE;
        Self {
            axes: [
                one,
                one,
                one,
                one,
                StridedAxis::new(rows, input_step, output_step),
                StridedAxis::new(len, 1, 1),
            ],
            input_start: 0,
            output_start: 0,
            element,
        }
    }

    /// The same from another place to another place.
    #[must_use]
    pub const fn starting(mut self, input_start: u32, output_start: u32) -> Self {
        self.input_start = input_start;
        self.output_start = output_start;
        self
    }
}

/// Moves the elements.
///
/// # Errors
/// A position lies outside of the input or the output.
pub fn copy(shape: &Strided, input: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    let [a, b, c, d, e, inner] = &shape.axes;
    // Elements without bytes have no end either: each position would be inside.
    if shape.element == 0 || shape.axes.iter().any(|axis| axis.count == 0) {
        return Ok(());
    }
    let (mut at, mut to) = (
        Cursor::new(shape.input_start),
        Cursor::new(shape.output_start),
    );
    for _ in 0..a.count {
        at.0[1] = at.0[0];
        to.0[1] = to.0[0];
        for _ in 0..b.count {
            at.0[2] = at.0[1];
            to.0[2] = to.0[1];
            for _ in 0..c.count {
                at.0[3] = at.0[2];
                to.0[3] = to.0[2];
                for _ in 0..d.count {
                    at.0[4] = at.0[3];
                    to.0[4] = to.0[3];
                    for _ in 0..e.count {
                        row(inner, shape.element, [at.0[4], to.0[4]], input, output)?;
                        advance(&mut at.0[4], &mut to.0[4], e);
                    }
                    advance(&mut at.0[3], &mut to.0[3], d);
                }
                advance(&mut at.0[2], &mut to.0[2], c);
            }
            advance(&mut at.0[1], &mut to.0[1], b);
        }
        advance(&mut at.0[0], &mut to.0[0], a);
    }
    Ok(())
}

/// Where a move is, per axis but the innermost.
struct Cursor([u32; 5]);

impl Cursor {
    const fn new(start: u32) -> Self {
        Self([start; 5])
    }
}

fn advance(at: &mut u32, to: &mut u32, axis: &StridedAxis) {
    *at = at.wrapping_add_signed(axis.input_step);
    *to = to.wrapping_add_signed(axis.output_step);
}

/// The bytes of `count` elements from element `start` on.
fn range(start: u32, count: u32, element: u32) -> core::ops::Range<usize> {
    let from = (start as usize).saturating_mul(element as usize);
    from..from.saturating_add((count as usize).saturating_mul(element as usize))
}

fn row(
    axis: &StridedAxis,
    element: u32,
    [mut at, mut to]: [u32; 2],
    input: &[u8],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let (len, runs) = if axis.input_step == 1 && axis.output_step == 1 {
        (axis.count, 1)
    } else {
        (1, axis.count)
    };
    for _ in 0..runs {
        let from = input.get(range(at, len, element));
        let out = output.get_mut(range(to, len, element));
        let (Some(from), Some(out)) = (from, out) else {
            return Err(KernelError::Parameters);
        };
        for (out, x) in out.iter_mut().zip(from) {
            *out = *x;
        }
        advance(&mut at, &mut to, axis);
    }
    Ok(())
}

/// REVERSE_V2 along axes that come as an input (`micro/kernels/reverse.cc`), of elements of so many bytes.
///
/// # Errors
/// As [`copy`], and for an axis that the tensor has not.
pub fn reverse_at(
    sizes: &Sizes,
    element: u32,
    input: &[u8],
    axes: &[i32],
    output: &mut [u8],
) -> Result<(), KernelError> {
    copy(&sizes.reversed(axes, element)?, input, output)
}

/// Fills the output with one element.
///
/// # Errors
/// The output is no whole number of elements.
pub fn fill(element: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    if element.is_empty() || !output.len().is_multiple_of(element.len()) {
        return check(Operand::Output, 0, output.len());
    }
    for out in crate::rows::of_mut(output, element.len()) {
        for (out, x) in out.iter_mut().zip(element) {
            *out = *x;
        }
    }
    Ok(())
}
