//! SELECT_V2: `kernels/internal/reference/select.h`, for elements of any size, with broadcasting of all three inputs.

use crate::element::Bool;
use crate::error::{KernelError, Operand, check};
use crate::rows;

/// Axes that it takes at most.
pub const MAX_AXES: usize = 5;

ember_core::plain! {
    /// One axis of the output, and how far each input advances along it (0 where it is repeated).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SelectAxis {
        /// Positions of the output.
        pub size: u32,
        /// Elements of the condition, of what is taken where it is true, and of what is taken where it is false.
        pub steps: [u32; 3],
    }
}

impl SelectAxis {
    /// An axis with one position.
    pub const ONE: Self = Self {
        size: 1,
        steps: [0; 3],
    };
}

/// Copies the element of the second input where the condition is true, else that of the third.
///
/// # Errors
/// A position lies outside of an input, or the output has not the elements of its shape.
pub fn bytes(
    axes: &[SelectAxis; MAX_AXES],
    element: u32,
    condition: &[Bool],
    inputs: [&[u8]; 2],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let element = element as usize;
    let mut sizes = axes.iter();
    let len = sizes.try_fold(element, |len, axis| len.checked_mul(axis.size as usize));
    check(
        Operand::Output,
        len.ok_or(KernelError::Parameters)?,
        output.len(),
    )?;
    for (out, flat) in rows::of_mut(output, element).zip(0u32..) {
        let (mut rest, mut at) = (flat, [0u32; 3]);
        for axis in axes.iter().rev() {
            let here = rest.checked_rem(axis.size).unwrap_or(0);
            rest = rest.checked_div(axis.size).unwrap_or(0);
            for (at, step) in at.iter_mut().zip(axis.steps) {
                *at = at.wrapping_add(here.wrapping_mul(step));
            }
        }
        let [at_condition, at_true, at_false] = at;
        let condition = condition.get(at_condition as usize);
        let [when_true, when_false] = inputs;
        let (from, at) = if condition.ok_or(KernelError::Parameters)?.get() {
            (when_true, at_true)
        } else {
            (when_false, at_false)
        };
        let start = (at as usize).saturating_mul(element);
        let from = from.get(start..start.saturating_add(element));
        for (out, x) in out.iter_mut().zip(from.ok_or(KernelError::Parameters)?) {
            *out = *x;
        }
    }
    Ok(())
}
