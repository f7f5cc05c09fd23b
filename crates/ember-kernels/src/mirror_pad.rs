//! MIRROR_PAD: `micro/kernels/mirror_pad.cc`, for elements of any size.

use crate::error::{KernelError, Operand, check_shape};
use crate::rows;

/// Axes that it takes at most.
pub const MAX_AXES: usize = 5;

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
    let [a, b, c, d, e] = axes;
    let sizes = [a.size, b.size, c.size, d.size, e.size, element];
    check_shape(Operand::Input, &sizes, input.len())?;
    let sizes = [a.output, b.output, c.output, d.output, e.output, element];
    check_shape(Operand::Output, &sizes, output.len())?;
    let element = element as usize;
    let mut outputs = rows::of_mut(output, element);
    for i in 0..a.output {
        for j in 0..b.output {
            for k in 0..c.output {
                for l in 0..d.output {
                    for m in 0..e.output {
                        let at = a
                            .position(i, edge)
                            .wrapping_mul(b.size)
                            .wrapping_add(b.position(j, edge))
                            .wrapping_mul(c.size)
                            .wrapping_add(c.position(k, edge))
                            .wrapping_mul(d.size)
                            .wrapping_add(d.position(l, edge))
                            .wrapping_mul(e.size)
                            .wrapping_add(e.position(m, edge));
                        let from = (at as usize).saturating_mul(element);
                        let from = input.get(from..from.saturating_add(element));
                        let (Some(out), Some(from)) = (outputs.next(), from) else {
                            return Err(KernelError::Parameters);
                        };
                        for (out, x) in out.iter_mut().zip(from) {
                            *out = *x;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
