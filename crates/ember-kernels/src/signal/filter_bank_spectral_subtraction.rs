//! SignalFilterBankSpectralSubtraction, which takes the slowly changing part of each channel for noise and away:
//! `signal/src/filter_bank_spectral_subtraction.cc`.

use crate::error::{KernelError, Operand, check};

ember_core::plain! {
    /// Options. Factors have `bits` bits behind the point.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SpectralSubtraction {
        /// Elements of input, output and state.
        pub channels: u32,
        /// How fast the estimate follows, in channels 0, 2, …
        pub smoothing: u32,
        /// 1 without that.
        pub one_minus_smoothing: u32,
        /// How fast it follows in channels 1, 3, …
        pub alternate_smoothing: u32,
        /// 1 without that.
        pub alternate_one_minus_smoothing: u32,
        /// The part of the input that stays, at least.
        pub min_signal_remaining: u32,
        /// More bits that the estimate has behind the point, at most 31.
        pub smoothing_bits: u32,
        /// At most 63.
        pub bits: u32,
        /// Whether the estimate is at most the input, as 0 or 1.
        pub clamping: u32,
    }
}

/// What a run gives.
#[derive(Debug)]
pub struct Outputs<'o> {
    /// The input without its noise.
    pub output: &'o mut [u32],
    /// The estimate of the noise.
    pub noise: &'o mut [u32],
}

/// Brings the estimate, all zero at first, up to date and takes it away.
///
/// # Errors
/// A slice's length is not the number of channels, or a shift is too far; then nothing is written.
pub fn run(
    options: &SpectralSubtraction,
    input: &[u32],
    estimate: &mut [u32],
    outputs: Outputs<'_>,
) -> Result<(), KernelError> {
    let channels = options.channels as usize;
    check(Operand::Input, channels, input.len())?;
    check(Operand::State, channels, estimate.len())?;
    let Outputs {
        output,
        noise: shown,
    } = outputs;
    check(Operand::Output, channels, output.len())?;
    check(Operand::Output, channels, shown.len())?;
    let SpectralSubtraction {
        smoothing_bits,
        bits,
        ..
    } = *options;
    if smoothing_bits >= u32::BITS || bits >= u64::BITS {
        return Err(KernelError::Parameters);
    }
    let scaled = |value: u32, factor: u32| u64::from(value).wrapping_mul(u64::from(factor));
    let channels = input.iter().zip(estimate).zip(output).zip(shown);
    for ((((value, estimate), out), shown), at) in channels.zip(0usize..) {
        let (new, old) = if at.is_multiple_of(2) {
            (options.smoothing, options.one_minus_smoothing)
        } else {
            (
                options.alternate_smoothing,
                options.alternate_one_minus_smoothing,
            )
        };
        let up = value.wrapping_shl(smoothing_bits);
        let both = scaled(up, new).wrapping_add(scaled(*estimate, old));
        *estimate = both.wrapping_shr(bits) as u32;
        let noise = up.min(*estimate);
        if options.clamping != 0 {
            *estimate = noise;
        }
        let least = scaled(*value, options.min_signal_remaining).wrapping_shr(bits) as u32;
        let rest = up.wrapping_sub(noise).wrapping_shr(smoothing_bits);
        *out = rest.max(least);
        *shown = *estimate;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Outputs, SpectralSubtraction, run};

    #[test]
    fn what_does_not_change_is_taken_away() {
        let options = SpectralSubtraction {
            channels: 2,
            smoothing: 1 << 13,
            one_minus_smoothing: 1 << 13,
            alternate_smoothing: 1 << 14,
            min_signal_remaining: 1 << 10,
            smoothing_bits: 4,
            bits: 14,
            clamping: 1,
            ..SpectralSubtraction::default()
        };
        let (mut estimate, mut found) = ([0; 2], ([0; 2], [0; 2]));
        let mut next = |input: &[u32]| {
            let (output, noise) = (&mut found.0, &mut found.1);
            run(&options, input, &mut estimate, Outputs { output, noise }).unwrap();
            found
        };
        assert_eq!(next(&[1000, 1000]), ([500, 62], [8000, 16_000]));
        assert_eq!(next(&[1000, 10]), ([250, 0], [12_000, 160]));
        let far = SpectralSubtraction {
            bits: 64,
            ..options
        };
        let (output, noise) = (&mut [0; 2], &mut [0; 2]);
        assert!(run(&far, &[0; 2], &mut [0; 2], Outputs { output, noise }).is_err());
    }
}
