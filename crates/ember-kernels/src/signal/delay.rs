//! SignalDelay: `signal/micro/kernels/delay.cc`. What is kept is what has not come out yet; zeros come first.

use super::{keep_last, row, row_mut};
use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes. Input and output `[rows, frame]`, state `[rows, delay]`, all zero at first.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Delay {
        /// Signals.
        pub rows: u32,
        /// Samples of one run.
        pub frame: u32,
        /// By how many samples it is late.
        pub delay: u32,
    }
}

/// Delays each row.
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run(
    shape: &Delay,
    input: &[i16],
    state: &mut [i16],
    output: &mut [i16],
) -> Result<(), KernelError> {
    let Delay { rows, frame, delay } = *shape;
    check_shape(Operand::Input, &[rows, frame], input.len())?;
    check_shape(Operand::State, &[rows, delay], state.len())?;
    check_shape(Operand::Output, &[rows, frame], output.len())?;
    if input.is_empty() {
        // However many rows of nothing there are.
        return Ok(());
    }
    for at in 0..rows as usize {
        let new = row(input, at, frame as usize);
        let late = row_mut(state, at, delay as usize);
        let samples = late.iter().chain(new);
        for (out, sample) in row_mut(output, at, frame as usize).iter_mut().zip(samples) {
            *out = *sample;
        }
        keep_last(late, new);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Delay, run};

    #[test]
    fn samples_come_out_later() {
        for delay in [0, 1, 3, 4, 7] {
            let shape = Delay {
                rows: 2,
                frame: 3,
                delay,
            };
            let mut state = [0; 14];
            let state = &mut state[..2 * delay as usize];
            for run_index in 0..5i16 {
                let input = [0, 1, 2, 10, 11, 12].map(|x| x + run_index * 3 + 1);
                let mut output = [0; 6];
                run(&shape, &input, state, &mut output).unwrap();
                let expected = |first: i16, x: i16| {
                    let x = x + run_index * 3 - delay as i16;
                    if x < 0 { 0 } else { x + first }
                };
                assert_eq!(output[..3], [0, 1, 2].map(|x| expected(1, x)), "{delay}");
                assert_eq!(output[3..], [0, 1, 2].map(|x| expected(11, x)), "{delay}");
            }
        }
    }
}
