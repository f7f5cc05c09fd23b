//! BROADCAST_ARGS: `kernels/internal/reference/broadcast_args.h`.

use crate::element::Int64;
use crate::error::{KernelError, Operand, check};

/// A dimension as a tensor holds it.
pub trait Dimension: Copy {
    /// Its value.
    fn value(self) -> i64;
}

impl Dimension for i32 {
    fn value(self) -> i64 {
        i64::from(self)
    }
}

impl Dimension for Int64 {
    fn value(self) -> i64 {
        self.get()
    }
}

/// The shape that two shapes, which are given as elements, are broadcast to.
///
/// # Errors
/// The output has not as many dimensions as the longer shape, or two dimensions do not fit.
pub fn shape<T: Dimension>(
    input1: &[T],
    input2: &[T],
    one: T,
    output: &mut [T],
) -> Result<(), KernelError> {
    let len = input1.len().max(input2.len());
    check(Operand::Output, len, output.len())?;
    let mut first = input1.iter().rev();
    let mut second = input2.iter().rev();
    for out in output.iter_mut().rev() {
        let a = first.next().copied().unwrap_or(one);
        let b = second.next().copied().unwrap_or(one);
        *out = match (a.value(), b.value()) {
            (1, _) => b,
            (_, 1) => a,
            (same, other) if same == other => a,
            _ => return Err(KernelError::Undefined),
        };
    }
    Ok(())
}
