//! SignalStacker, which puts the frames around one beside it: `signal/micro/kernels/stacker.cc` with the buffer of
//! `signal/src/circular_buffer.cc`.

use super::row_mut;
use crate::element::Bool;
use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes. Input `[channels]`, output and frames kept `[left + 1 + right, channels]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Stacker {
        /// Elements of a frame.
        pub channels: u32,
        /// Frames before one.
        pub left: u32,
        /// Frames behind it.
        pub right: u32,
        /// Frames from one output to the next, 1 to `left + 1 + right`.
        pub step: u32,
    }
}

impl Stacker {
    /// Frames of an output; `None` where they are too many.
    #[must_use]
    pub const fn frames(&self) -> Option<u32> {
        match self.left.checked_add(self.right) {
            Some(around) => around.checked_add(1),
            None => None,
        }
    }
}

/// Takes one frame. `held` is one more than the frames that are kept, 0 before the first, which counts for those before it, too.
/// `valid`, one truth value, says whether there is an output: else it is zeros.
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run(
    shape: &Stacker,
    held: &mut u32,
    frames: &mut [i16],
    input: &[i16],
    output: &mut [i16],
    valid: &mut [Bool],
) -> Result<(), KernelError> {
    let Stacker {
        channels,
        left,
        step,
        ..
    } = *shape;
    let count = shape.frames().ok_or(KernelError::Parameters)?;
    check_shape(Operand::Input, &[channels], input.len())?;
    check_shape(Operand::State, &[count, channels], frames.len())?;
    check_shape(Operand::Output, &[count, channels], output.len())?;
    if channels == 0 || step == 0 || step > count {
        return Err(KernelError::Parameters);
    }
    let (mut there, times) = match held.checked_sub(1) {
        None => (0, left.wrapping_add(1)),
        Some(there) => (there, 1),
    };
    for _ in 0..times {
        let place = row_mut(frames, there as usize, channels as usize);
        for (place, value) in place.iter_mut().zip(input) {
            *place = *value;
        }
        there = there.wrapping_add(1);
    }
    let complete = there >= count;
    if complete {
        for (out, value) in output.iter_mut().zip(&*frames) {
            *out = *value;
        }
        there = there.wrapping_sub(step);
        let gone = (step as usize).wrapping_mul(channels as usize);
        for at in 0..frames.len() {
            let value = frames.get(at.wrapping_add(gone)).copied();
            if let (Some(value), Some(place)) = (value, frames.get_mut(at)) {
                *place = value;
            }
        }
    } else {
        output.fill(0);
    }
    valid.fill(Bool::new(complete));
    *held = there.wrapping_add(1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Stacker, run};
    use crate::element::Bool;

    #[test]
    fn frames_are_put_beside_each_other() {
        let shape = Stacker {
            channels: 1,
            left: 1,
            right: 1,
            step: 2,
        };
        let (mut held, mut frames) = (0, [0; 3]);
        let mut found = std::vec::Vec::new();
        for frame in 1..=6 {
            let (mut output, mut valid) = ([0; 3], [Bool::new(false)]);
            run(
                &shape,
                &mut held,
                &mut frames,
                &[frame],
                &mut output,
                &mut valid,
            )
            .unwrap();
            found.push((valid[0].get(), output));
        }
        let none = (false, [0, 0, 0]);
        let expected = [
            none,
            (true, [1, 1, 2]),
            none,
            (true, [2, 3, 4]),
            none,
            (true, [4, 5, 6]),
        ];
        assert_eq!(found, expected);
    }
}
