//! What a kernel says when its slices do not fit its parameters.

/// Which slice of a kernel call is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operand {
    /// The (first) input.
    Input,
    /// The second input of a binary operator.
    Input2,
    /// The weights.
    Filter,
    /// The bias.
    Bias,
    /// The multipliers that bring sums to the output's scale.
    Multipliers,
    /// The output.
    Output,
    /// What the kernel works in besides.
    Scratch,
    /// What the kernel keeps from run to run.
    State,
}

impl core::fmt::Display for Operand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Input2 => "second input",
            Self::Filter => "filter",
            Self::Bias => "bias",
            Self::Multipliers => "multipliers",
            Self::Output => "output",
            Self::Scratch => "scratch",
            Self::State => "state",
        })
    }
}

/// Why a kernel did not run. Nothing was written, except for [`KernelError::EmptyWindow`], [`KernelError::Undefined`],
/// [`KernelError::Endless`] and [`KernelError::Waiting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// A slice has not the length that the parameters ask for.
    #[error(
        "the {operand} has {actual} elements where the shape asks for {expected}: pass the slice of the whole tensor"
    )]
    Length {
        /// Which slice.
        operand: Operand,
        /// Elements that the parameters ask for.
        expected: usize,
        /// Elements given.
        actual: usize,
    },
    /// The parameters contradict themselves: sizes that overflow, channels that groups do not divide, a pooling of something
    /// else, or a zero point beyond int8.
    #[error(
        "the parameters give no shape: sizes overflow, the groups do not divide the channels, a pooling is not of what comes before it, or a zero point is beyond int8"
    )]
    Parameters,
    /// An average over a window that lies wholly in the padding.
    #[error(
        "a pooling window lies wholly in the padding, so that there is nothing to average: use less padding"
    )]
    EmptyWindow,
    /// A value that the operator is not defined for.
    #[error(
        "a value that the operator is not defined for: a division by zero, a root of a negative number, or an index, an axis or a size that the tensors do not have"
    )]
    Undefined,
    /// The condition of a loop holds after so many rounds in one run.
    #[error("its condition still holds after {0} rounds: it is taken for a loop without an end")]
    Endless(u32),
    /// A CIRCULAR_BUFFER has taken its input, and what comes behind it does not run this time: no failure.
    #[error(
        "the input is kept, and what comes behind it runs with a later one: run the model again with the next input"
    )]
    Waiting,
}

/// Checks that a slice has one element for each position of a shape.
#[inline(never)]
pub(crate) fn check_shape(
    operand: Operand,
    sizes: &[u32],
    actual: usize,
) -> Result<(), KernelError> {
    let mut product = 1u32;
    for size in sizes {
        let wide = u64::from(product) * u64::from(*size);
        product = u32::try_from(wide).map_err(|_| KernelError::Parameters)?;
    }
    check(operand, product as usize, actual)
}

/// Checks a slice's length.
#[inline]
pub(crate) fn check(operand: Operand, expected: usize, actual: usize) -> Result<(), KernelError> {
    if expected == actual {
        Ok(())
    } else {
        Err(KernelError::Length {
            operand,
            expected,
            actual,
        })
    }
}
