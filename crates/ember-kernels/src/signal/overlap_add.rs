//! SignalOverlapAdd, which joins frames that overlap: `signal/micro/kernels/overlap_add.cc`, `signal/src/overlap_add.cc`.

use ember_core::view::Plain;

use super::{row, row_mut};
use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes. Input `[rows, frames, size]`, output `[rows, frames * step]`, sums kept `[rows, size]`, all zero at first.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct OverlapAdd {
        /// Signals.
        pub rows: u32,
        /// Frames of one run.
        pub frames: u32,
        /// Samples of a frame.
        pub size: u32,
        /// Samples from one frame's start to the next one's, at most `size`.
        pub step: u32,
    }
}

/// A sample: int16 or float32.
pub trait Sample: Plain + Default {
    /// The sum; integers stop at the ends of their type.
    fn sum(self, other: Self) -> Self;
}

impl Sample for i16 {
    fn sum(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Sample for f32 {
    fn sum(self, other: Self) -> Self {
        self + other
    }
}

/// Adds each frame to what the ones before left behind their own samples.
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run<T: Sample>(
    shape: &OverlapAdd,
    input: &[T],
    sums: &mut [T],
    output: &mut [T],
) -> Result<(), KernelError> {
    let OverlapAdd {
        rows,
        frames,
        size,
        step,
    } = *shape;
    check_shape(Operand::Input, &[rows, frames, size], input.len())?;
    check_shape(Operand::State, &[rows, size], sums.len())?;
    check_shape(Operand::Output, &[rows, frames, step], output.len())?;
    if step > size {
        return Err(KernelError::Parameters);
    }
    if input.is_empty() {
        // However many rows of nothing there are.
        return Ok(());
    }
    for at in 0..rows as usize {
        let sums = row_mut(sums, at, size as usize);
        for frame in 0..frames as usize {
            let place = at.wrapping_mul(frames as usize).wrapping_add(frame);
            for (sum, sample) in sums.iter_mut().zip(row(input, place, size as usize)) {
                *sum = sum.sum(*sample);
            }
            let done = row_mut(output, place, step as usize);
            for (out, sum) in done.iter_mut().zip(&*sums) {
                *out = *sum;
            }
            for at in 0..sums.len() {
                let next = sums.get(at.wrapping_add(step as usize)).copied();
                if let Some(place) = sums.get_mut(at) {
                    *place = next.unwrap_or_default();
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{OverlapAdd, run};

    #[test]
    fn frames_are_added_where_they_overlap() {
        let shape = OverlapAdd {
            rows: 1,
            frames: 2,
            size: 3,
            step: 2,
        };
        let (mut sums, mut output) = ([0i16; 3], [0i16; 4]);
        run(&shape, &[1, 2, 3, 4, 5, 6], &mut sums, &mut output).unwrap();
        assert_eq!((output, sums), ([1, 2, 7, 5], [6, 0, 0]));
        run(
            &shape,
            &[32767, -1, -2, -32768, 0, 9],
            &mut sums,
            &mut output,
        )
        .unwrap();
        assert_eq!((output, sums), ([32767, -1, -32768, 0], [9, 0, 0]));
    }
}
