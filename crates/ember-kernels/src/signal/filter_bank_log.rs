//! SignalFilterBankLog, natural logarithms in integers: `signal/src/filter_bank_log.cc`, `signal/src/log.cc`.

use super::bits;
use crate::error::{KernelError, Operand, check};

ember_core::plain! {
    /// Options.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FilterBankLog {
        /// What stands for 1 in the output.
        pub scale: i32,
        /// By how many bits inputs are shifted left before, at most 31.
        pub correction_bits: u32,
    }
}

/// Bits behind the point.
const FRACTION: u32 = 16;

/// 2 to this many parts of the distance from a power of two to the next have a value of their own; between them it is a line.
const PARTS: u32 = 7;

/// ln 2 with [`FRACTION`] bits.
const LN_2: u64 = 45_426;

/// log2(1 + x) - x, rounded, for x of 128 parts from 0 to 1.
const CURVE: [u16; 129] = {
    let mut curve = [0; 129];
    let mut at = 1;
    while at < 128 {
        // Squaring moves the next bit of the logarithm in front of the point.
        let mut power = (128 + at as u128) << 55;
        let mut logarithm = 0u64;
        let mut bit = 0;
        while bit < 40 {
            power = (power * power) >> 62;
            logarithm <<= 1;
            if power >= 2 << 62 {
                power >>= 1;
                logarithm |= 1;
            }
            bit += 1;
        }
        let above = logarithm - ((at as u64) << 33);
        curve[at] = ((above + (1 << 23)) >> 24) as u16;
        at += 1;
    }
    curve
};

/// The logarithm of each input times the scale, at most 32767; of 0 and 1 it is 0.
///
/// # Errors
/// Input and output differ in length, or there are more than 31 correction bits.
pub fn run(options: &FilterBankLog, input: &[u32], output: &mut [i16]) -> Result<(), KernelError> {
    check(Operand::Output, input.len(), output.len())?;
    if options.correction_bits >= u32::BITS {
        return Err(KernelError::Parameters);
    }
    for (out, value) in output.iter_mut().zip(input) {
        let scaled = value.wrapping_shl(options.correction_bits);
        *out = if scaled > 1 {
            let log = logarithm(scaled, options.scale.cast_unsigned());
            i16::try_from(log).unwrap_or(i16::MAX)
        } else {
            0
        };
    }
    Ok(())
}

/// `scale` times the logarithm of `x`, which is not 0.
fn logarithm(x: u32, scale: u32) -> u32 {
    const HALF: u32 = 1 << (FRACTION - 1);
    let whole = bits(x).wrapping_sub(1);
    let log2 = (whole << FRACTION).wrapping_add(fraction(x, whole));
    let natural = (LN_2
        .wrapping_mul(u64::from(log2))
        .wrapping_add(u64::from(HALF)))
        >> FRACTION;
    scale.wrapping_mul(natural as u32).wrapping_add(HALF) >> FRACTION
}

/// log2(x) - `whole`, of which 2^`whole` is the largest power of two that is not above `x`.
fn fraction(x: u32, whole: u32) -> u32 {
    let above = x.wrapping_sub(1u32.wrapping_shl(whole));
    let fraction = match whole.checked_sub(FRACTION) {
        None => above.wrapping_shl(FRACTION.wrapping_sub(whole)),
        Some(down) => above.wrapping_shr(down),
    };
    let part = fraction >> (FRACTION - PARTS);
    let at = |index: u32| CURVE.get(index as usize).copied().map_or(0, i32::from);
    let (low, high) = (at(part), at(part.wrapping_add(1)));
    let beyond = fraction
        .wrapping_sub(part << (FRACTION - PARTS))
        .cast_signed();
    // TFLM shifts by the whole fraction's bits here, not by those within a part.
    let line = high.wrapping_sub(low).wrapping_mul(beyond) >> FRACTION;
    fraction.wrapping_add_signed(low.wrapping_add(line))
}

#[cfg(test)]
mod tests {
    use super::{CURVE, FilterBankLog, run};

    #[test]
    fn the_curve_is_what_it_says() {
        for (at, value) in CURVE.iter().enumerate() {
            let x = at as f64 / 128.0;
            let expected = (((1.0 + x).log2() - x) * 65536.0 + 0.5).floor();
            assert_eq!(f64::from(*value), expected, "{at}");
        }
    }

    #[test]
    fn logarithms_are_close() {
        let options = FilterBankLog {
            scale: 1600,
            correction_bits: 3,
        };
        for x in [1u32, 2, 3, 100, 12_345, 1 << 20, (1 << 29) - 1] {
            let mut output = [0];
            run(&options, &[x], &mut output).unwrap();
            let expected = (f64::from(x * 8).ln() * 1600.0).min(32767.0);
            assert!(
                (f64::from(output[0]) - expected).abs() < 8.0,
                "{x}: {output:?}"
            );
        }
        let mut output = [7; 2];
        run(
            &FilterBankLog {
                scale: i32::MAX,
                correction_bits: 0,
            },
            &[0, 1],
            &mut output,
        )
        .unwrap();
        assert_eq!(output, [0, 0]);
        assert!(
            run(
                &FilterBankLog {
                    scale: 1,
                    correction_bits: 32
                },
                &[0],
                &mut [0]
            )
            .is_err()
        );
    }
}
