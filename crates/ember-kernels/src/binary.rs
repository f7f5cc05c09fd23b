//! What operators on two inputs have in common: a function of two elements over a broadcast.

use ember_core::view::Plain;

use crate::broadcast::Broadcast;
use crate::error::{KernelError, Operand, check};

/// An operator on two inputs whose shapes are broadcast to each other.
pub trait Binary {
    /// Elements of the first input.
    type Input1: Plain;
    /// Elements of the second input.
    type Input2: Plain;
    /// Elements of the output.
    type Output: Plain;

    /// Whether it is defined for every element of the second input; one that is not is an error.
    const TOTAL: bool = true;

    /// Whether it is defined for this element of the second input.
    fn is_defined(&self, _x2: Self::Input2) -> bool {
        true
    }

    /// The output for one element of each.
    fn apply(&self, x1: Self::Input1, x2: Self::Input2) -> Self::Output;
}

/// The operator's output for every pair of the broadcast.
///
/// # Errors
/// A slice's length is not that of its shape, or an element of the second input is one that the operator is not defined for.
pub fn run<F: Binary>(
    shape: &Broadcast,
    f: &F,
    input1: &[F::Input1],
    input2: &[F::Input2],
    output: &mut [F::Output],
) -> Result<(), KernelError> {
    let [len1, len2] = shape.input_lens().ok_or(KernelError::Parameters)?;
    check(Operand::Input, len1, input1.len())?;
    check(Operand::Input2, len2, input2.len())?;
    let len = shape.output_len().ok_or(KernelError::Parameters)?;
    check(Operand::Output, len, output.len())?;
    if !F::TOTAL && !input2.iter().all(|x2| f.is_defined(*x2)) {
        return Err(KernelError::Undefined);
    }
    shape.apply(input1, input2, output, |x1, x2| f.apply(x1, x2));
    Ok(())
}
