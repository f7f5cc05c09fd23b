//! SignalPCAN, per-channel automatic gain control: `signal/src/pcan_argc_fixed.cc`.

use super::bits;
use crate::error::{KernelError, Operand, check};

ember_core::plain! {
    /// Options.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Pcan {
        /// By how many bits input times gain is shifted right, at most 63.
        pub snr_shift: u32,
    }
}

/// Bits behind the point of a signal-to-noise ratio.
const RATIO_BITS: u32 = 12;

/// Bits behind the point of an output.
const OUTPUT_BITS: u32 = 6;

/// Each input times the gain for its noise, made small where it is below 2. `gains` are the coefficients of a polynomial for
/// each power of two, as `signal/src` of TFLM reads them: 125 elements are enough for every noise.
///
/// # Errors
/// The slices differ in length, the shift is too far; [`KernelError::Undefined`] where there is no gain for a noise.
pub fn run(
    options: &Pcan,
    input: &[u32],
    noise: &[u32],
    gains: &[i16],
    output: &mut [u32],
) -> Result<(), KernelError> {
    check(Operand::Input2, input.len(), noise.len())?;
    check(Operand::Output, input.len(), output.len())?;
    if options.snr_shift >= u64::BITS {
        return Err(KernelError::Parameters);
    }
    for ((out, value), noise) in output.iter_mut().zip(input).zip(noise) {
        let gain = gain(*noise, gains).ok_or(KernelError::Undefined)?;
        // A gain below zero is a large one.
        let product = u64::from(*value).wrapping_mul(u64::from(gain as u32));
        *out = shrunk(product.wrapping_shr(options.snr_shift) as u32);
    }
    Ok(())
}

/// `WideDynamicFunction`: a parabola between two powers of two.
fn gain(noise: u32, gains: &[i16]) -> Option<i16> {
    if noise <= 2 {
        return gains.get(noise as usize).copied();
    }
    let interval = bits(noise);
    let start = interval.wrapping_mul(4).wrapping_sub(6) as usize;
    let (level, slope, bend) = match gains.get(start..)? {
        [level, slope, bend, ..] => (*level, *slope, *bend),
        _ => return None,
    };
    let scaled = match interval.checked_sub(11) {
        None => noise.wrapping_shl(11u32.wrapping_sub(interval)),
        Some(down) => noise.wrapping_shr(down),
    };
    let fraction = (scaled & 0x3ff).cast_signed();
    let bend = i32::from(bend).wrapping_mul(fraction) >> 5;
    let sum = bend.wrapping_add(i32::from(slope).wrapping_shl(5));
    let sum = sum.wrapping_mul(fraction).wrapping_add(1 << 14) >> 15;
    Some(sum.wrapping_add(i32::from(level)) as i16)
}

/// x² / 4 below 2, x - 1 above.
fn shrunk(ratio: u32) -> u32 {
    if ratio < 2 << RATIO_BITS {
        ratio.wrapping_mul(ratio) >> (2 + 2 * RATIO_BITS - OUTPUT_BITS)
    } else {
        (ratio >> (RATIO_BITS - OUTPUT_BITS)).wrapping_sub(1 << OUTPUT_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pcan, run};

    #[test]
    fn gains_come_from_the_table() {
        let mut gains = [0; 125];
        gains[2] = 100;
        // The interval of 3 and of 2^31: its level, slope and bend.
        gains[2 * 4 - 6] = 100;
        gains[3 * 4 - 6] = 50;
        gains[32 * 4 - 6 + 2] = 1 << 10;
        let options = Pcan { snr_shift: 0 };
        let mut output = [0; 3];
        run(
            &options,
            &[1000, 1000, 100],
            &[2, 4, u32::MAX],
            &gains,
            &mut output,
        )
        .unwrap();
        // (1023 * 1024 >> 5) * 1023 + 2^14 >> 15 is 1022.
        assert_eq!(
            output,
            [100_000 / 64 - 64, 50_000 / 64 - 64, 102_200 / 64 - 64]
        );
        let few = run(&options, &[1], &[u32::MAX], &gains[..124], &mut output[..1]);
        assert!(few.is_err());
        assert!(
            run(
                &Pcan { snr_shift: 64 },
                &[1],
                &[1],
                &gains,
                &mut output[..1]
            )
            .is_err()
        );
    }
}
