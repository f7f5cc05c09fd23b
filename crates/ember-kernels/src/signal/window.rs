//! SignalWindow, which multiplies frames by a window: `signal/micro/kernels/window.cc`, `signal/src/window.cc`.

use crate::error::{KernelError, Operand, check};
use crate::rows;

ember_core::plain! {
    /// Options.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Window {
        /// By how many bits products are shifted right, at most 31.
        pub shift: u32,
    }
}

/// Each frame times the weights; what is beyond int16 is at its end.
///
/// # Errors
/// The input is not a whole number of frames as long as the weights, the output is not as long, or the shift is too far.
pub fn run(
    options: &Window,
    input: &[i16],
    weights: &[i16],
    output: &mut [i16],
) -> Result<(), KernelError> {
    check(Operand::Output, input.len(), output.len())?;
    let rest = input.len().checked_rem(weights.len());
    if rest != Some(0) || options.shift >= u32::BITS {
        return Err(KernelError::Parameters);
    }
    let outs = rows::of_mut(output, weights.len());
    for (frame, out) in rows::of(input, weights.len()).zip(outs) {
        for ((out, sample), weight) in out.iter_mut().zip(frame).zip(weights) {
            let product = i32::from(*sample).wrapping_mul(i32::from(*weight));
            let scaled = product.wrapping_shr(options.shift);
            *out = scaled.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Window, run};

    #[test]
    fn frames_are_weighted() {
        let mut output = [0; 4];
        let input = [100, -101, -32768, 5];
        run(&Window { shift: 2 }, &input, &[1, 2], &mut output).unwrap();
        assert_eq!(output, [25, -51, -8192, 2]);
        run(&Window { shift: 0 }, &input, &[-1, 32767], &mut output).unwrap();
        assert_eq!(output, [-100, -32768, 32767, 32767]);
        assert!(run(&Window { shift: 32 }, &input, &[1, 2], &mut output).is_err());
        assert!(run(&Window { shift: 0 }, &input, &[1, 2, 3], &mut output).is_err());
        assert!(run(&Window { shift: 0 }, &input, &[], &mut output).is_err());
    }
}
