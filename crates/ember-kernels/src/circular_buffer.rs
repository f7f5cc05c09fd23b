//! CIRCULAR_BUFFER, which keeps the last inputs for a streaming convolution: `micro/kernels/circular_buffer.cc`.

use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes, and how often what follows runs.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct CircularBuffer {
        /// Inputs that are kept.
        pub slots: u32,
        /// Bytes of an input.
        pub depth: u32,
        /// The model runs on behind the operator every so many runs.
        pub period: u32,
    }
}

/// Puts an input behind the others, the oldest of which goes. `runs` counts those since the model last ran on; it begins at 0.
///
/// # Errors
/// [`KernelError::Waiting`] where the model does not run on this time: the input is kept all the same. Else a slice's length is
/// not that of its shape.
pub fn push(
    shape: &CircularBuffer,
    runs: &mut u32,
    input: &[i8],
    buffer: &mut [i8],
) -> Result<(), KernelError> {
    let CircularBuffer {
        slots,
        depth,
        period,
    } = *shape;
    check_shape(Operand::Input, &[depth], input.len())?;
    check_shape(Operand::Output, &[slots, depth], buffer.len())?;
    for at in 0..buffer.len() {
        let from = at.wrapping_add(input.len());
        let value = match from.checked_sub(buffer.len()) {
            None => buffer.get(from),
            Some(from) => input.get(from),
        };
        if let (Some(value), Some(place)) = (value.copied(), buffer.get_mut(at)) {
            *place = value;
        }
    }
    *runs = runs.wrapping_add(1);
    if *runs < period {
        return Err(KernelError::Waiting);
    }
    *runs = 0;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CircularBuffer, push};
    use crate::error::KernelError;

    #[test]
    fn every_second_input_lets_the_model_run_on() {
        let shape = CircularBuffer {
            slots: 3,
            depth: 2,
            period: 2,
        };
        let (mut runs, mut buffer) = (0, [9i8; 6]);
        let waits = push(&shape, &mut runs, &[1, 2], &mut buffer);
        assert_eq!(
            (waits, buffer),
            (Err(KernelError::Waiting), [9, 9, 9, 9, 1, 2])
        );
        assert!(push(&shape, &mut runs, &[3, 4], &mut buffer).is_ok());
        assert_eq!(buffer, [9, 9, 1, 2, 3, 4]);
        assert!(push(&shape, &mut runs, &[5, 6], &mut buffer).is_err());
        assert!(push(&shape, &mut runs, &[5], &mut buffer).is_err());
        assert_eq!(
            buffer,
            [1, 2, 3, 4, 5, 6],
            "one that does not fit is not kept"
        );
    }
}
