//! MIRROR_PAD: `micro/kernels/mirror_pad.cc`, for elements of any size.

use crate::broadcast_args::Dimension;
use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;

/// Axes that it takes at most.
pub const MAX_AXES: usize = 6;

ember_core::plain! {
    /// One axis that is continued at both ends by its mirror image.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MirrorAxis {
        /// Positions of the input.
        pub size: u32,
        /// Positions before it.
        pub before: u32,
        /// Positions of the output.
        pub output: u32,
    }
}

impl MirrorAxis {
    /// An axis with one position.
    pub const ONE: Self = Self {
        size: 1,
        before: 0,
        output: 1,
    };

    /// The input position of an output position; `edge` is 1 where the border itself is not repeated.
    fn position(&self, at: u32, edge: u32) -> u32 {
        let behind = self.before.wrapping_add(self.size);
        if at < self.before {
            self.before
                .wrapping_add(edge)
                .wrapping_sub(1)
                .wrapping_sub(at)
        } else if at < behind {
            at.wrapping_sub(self.before)
        } else {
            let over = at.wrapping_sub(behind).wrapping_add(1).wrapping_add(edge);
            self.size.wrapping_sub(over)
        }
    }

    /// The axis with so many positions before and behind the input. `None` where the output has another number, or there is
    /// not so much to mirror.
    #[must_use]
    pub fn padded(mut self, [before, behind]: [i64; 2], edge: u32) -> Option<Self> {
        let [before, behind] = [u32::try_from(before).ok()?, u32::try_from(behind).ok()?];
        let most = self.size.saturating_sub(edge);
        let output = self.size.checked_add(before)?.checked_add(behind)?;
        self.before = before;
        (output == self.output && before <= most && behind <= most).then_some(self)
    }
}

/// Copies the input and what mirrors it; an element has `element` bytes, `edge` is 1 for REFLECT and 0 for SYMMETRIC.
///
/// # Errors
/// A slice's length is not that of its shape, or there is more padding than input to mirror.
pub fn bytes(
    axes: &[MirrorAxis; MAX_AXES],
    edge: u32,
    element: u32,
    input: &[u8],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let [a, b, c, d, e, f] = axes;
    let sizes = [a.size, b.size, c.size, d.size, e.size, f.size, element];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [
        a.output, b.output, c.output, d.output, e.output, f.output, element,
    ];
    check_shape(Operand::Output, &sizes, output.len())?;
    let element = element as usize;
    let mut index = [0u32; MAX_AXES];
    for out in rows::of_mut(output, element) {
        let mut at = 0u32;
        for (axis, index) in axes.iter().zip(index) {
            let position = axis.position(index, edge);
            at = at.wrapping_mul(axis.size).wrapping_add(position);
        }
        let from = (at as usize).saturating_mul(element);
        let from = input.get(from..from.saturating_add(element));
        for (out, x) in out.iter_mut().zip(from.ok_or(KernelError::Parameters)?) {
            *out = *x;
        }
        for (axis, index) in axes.iter().zip(&mut index).rev() {
            *index = index.wrapping_add(1);
            if *index < axis.output {
                break;
            }
            *index = 0;
        }
    }
    Ok(())
}

/// [`bytes`] of paddings that come as an input, two numbers for each axis but the first `skipped` ones, which the tensors do
/// not have.
///
/// # Errors
/// As [`bytes`]; [`KernelError::Undefined`] where the output has not the shape that the paddings say, or there is more
/// padding than input to mirror.
pub fn bytes_at<I: Dimension>(
    axes: &[MirrorAxis; MAX_AXES],
    skipped: u32,
    edge: u32,
    element: u32,
    input: &[u8],
    paddings: &[I],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let (paddings, _) = paddings.as_chunks::<2>();
    let skipped = skipped as usize;
    check(
        Operand::Input2,
        MAX_AXES.wrapping_sub(skipped),
        paddings.len(),
    )?;
    let mut axes = *axes;
    for (axis, [before, behind]) in axes.iter_mut().skip(skipped).zip(paddings) {
        let paddings = [before.value(), behind.value()];
        *axis = axis.padded(paddings, edge).ok_or(KernelError::Undefined)?;
    }
    bytes(&axes, edge, element, input, output)
}
