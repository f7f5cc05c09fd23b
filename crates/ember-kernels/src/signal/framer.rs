//! SignalFramer, which cuts a signal into frames that overlap: `signal/micro/kernels/framer.cc` with the buffer of
//! `signal/src/circular_buffer.cc`.
//!
//! With every step come a frame's newest samples; the others are kept. A frame is the oldest samples that there are, so that
//! what is kept is the same number of samples from the time on when a frame is first complete.

use super::{keep_last, row, row_mut};
use crate::element::Bool;
use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes. Input `[rows, frames * step]`, output `[rows, frames, size]`, samples kept `[rows, kept]`, all zero at first.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Framer {
        /// Signals.
        pub rows: u32,
        /// Frames of one run.
        pub frames: u32,
        /// Samples of a frame.
        pub size: u32,
        /// Samples from one frame's start to the next one's.
        pub step: u32,
        /// Samples that are kept of each signal, [`Framer::kept`].
        pub kept: u32,
        /// Whether the samples before the first are zeros, as 0 or 1; else frames are complete only when there are enough.
        pub prefilled: u32,
    }
}

impl Framer {
    /// Samples that are left when a frame has been taken and the next step comes: `None` for a step of 0, and for
    /// `prefilled` frames that are shorter than their step.
    #[must_use]
    pub const fn kept(size: u32, step: u32, prefilled: bool) -> Option<u32> {
        if step == 0 {
            return None;
        }
        match (size.checked_sub(step), prefilled) {
            (rest, true) => rest,
            // So many whole steps come before the one that completes a frame.
            (Some(rest), false) => rest.checked_next_multiple_of(step),
            (None, false) => Some(0),
        }
    }
}

/// Cuts each row. `seen` counts the steps before the first complete frame; it begins at 0. `valid`, one truth value, says
/// whether all frames are complete; those that are not are zeros.
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run(
    shape: &Framer,
    seen: &mut u32,
    samples: &mut [i16],
    input: &[i16],
    output: &mut [i16],
    valid: &mut [Bool],
) -> Result<(), KernelError> {
    let Framer {
        rows,
        frames,
        size,
        step,
        kept,
        prefilled,
    } = *shape;
    check_shape(Operand::Input, &[rows, frames, step], input.len())?;
    check_shape(Operand::State, &[rows, kept], samples.len())?;
    check_shape(Operand::Output, &[rows, frames, size], output.len())?;
    if Framer::kept(size, step, prefilled != 0) != Some(kept) {
        return Err(KernelError::Parameters);
    }
    if input.is_empty() {
        // However many rows of nothing there are.
        return Ok(());
    }
    let before = if prefilled != 0 {
        0
    } else {
        kept.checked_div(step).unwrap_or(0)
    };
    let mut begun = *seen;
    for at in 0..rows as usize {
        begun = *seen;
        let kept = row_mut(samples, at, kept as usize);
        for frame in 0..frames as usize {
            let place = at.wrapping_mul(frames as usize).wrapping_add(frame);
            let new = row(input, place, step as usize);
            let out = row_mut(output, place, size as usize);
            if begun < before {
                begun = begun.wrapping_add(1);
                out.fill(0);
            } else {
                let oldest = kept.iter().chain(new);
                for (out, sample) in out.iter_mut().zip(oldest) {
                    *out = *sample;
                }
            }
            keep_last(kept, new);
        }
    }
    valid.fill(Bool::new(*seen >= before));
    *seen = begun;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Framer, run};
    use crate::element::Bool;

    fn frames(shape: Framer, inputs: &[[i16; 4]]) -> std::vec::Vec<(bool, std::vec::Vec<i16>)> {
        let mut seen = 0;
        let mut samples = std::vec![0; shape.kept as usize];
        let runs = inputs.iter().map(|input| {
            let mut output = std::vec![7; (shape.frames * shape.size) as usize];
            let mut valid = [Bool::new(false)];
            run(
                &shape,
                &mut seen,
                &mut samples,
                input,
                &mut output,
                &mut valid,
            )
            .unwrap();
            (valid[0].get(), output)
        });
        runs.collect()
    }

    #[test]
    fn frames_overlap() {
        let shape = Framer {
            rows: 1,
            frames: 2,
            size: 3,
            step: 2,
            kept: 2,
            prefilled: 0,
        };
        let found = frames(shape, &[[1, 2, 3, 4], [5, 6, 7, 8]]);
        assert_eq!(found[0], (false, std::vec![0, 0, 0, 1, 2, 3]));
        assert_eq!(found[1], (true, std::vec![3, 4, 5, 5, 6, 7]));
        let shape = Framer {
            kept: 1,
            prefilled: 1,
            ..shape
        };
        let found = frames(shape, &[[1, 2, 3, 4], [5, 6, 7, 8]]);
        assert_eq!(found[0], (true, std::vec![0, 1, 2, 2, 3, 4]));
        assert_eq!(found[1], (true, std::vec![4, 5, 6, 6, 7, 8]));
    }

    #[test]
    fn what_is_kept() {
        assert_eq!(Framer::kept(400, 160, false), Some(320));
        assert_eq!(Framer::kept(400, 160, true), Some(240));
        assert_eq!(Framer::kept(2, 4, false), Some(0));
        assert_eq!(Framer::kept(2, 4, true), None);
        assert_eq!(Framer::kept(2, 0, false), None);
    }
}
