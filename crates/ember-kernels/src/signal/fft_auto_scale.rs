//! SignalFftAutoScale, which gives a signal as many bits as int16 has: `signal/src/fft_auto_scale.cc`, `signal/src/max_abs.cc`.

use super::bits;
use crate::error::{KernelError, Operand, check};

/// Shifts all samples left until the largest has 15 bits; `shift`, one number, says by how many.
///
/// # Errors
/// Input and output differ in length.
pub fn run(input: &[i16], output: &mut [i16], shift: &mut [i32]) -> Result<(), KernelError> {
    check(Operand::Output, input.len(), output.len())?;
    let largest = input.iter().fold(0i16, |largest, value| {
        if *value > largest {
            *value
        } else if i32::from(*value).wrapping_neg() > i32::from(largest) {
            // That of -32768 wraps; whatever is above it counts again then.
            value.wrapping_neg()
        } else {
            largest
        }
    });
    // The highest bit of what has wrapped, and by definition of 0, is that of 32.
    let used = if largest > 0 {
        bits(largest as u32)
    } else {
        u32::BITS
    };
    let free = 15u32.saturating_sub(used);
    for (out, value) in output.iter_mut().zip(input) {
        *out = value.wrapping_shl(free);
    }
    shift.fill(free.cast_signed());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn the_largest_gets_15_bits() {
        for (input, expected, bits) in [
            ([1, -2, 0], [8192, -16384, 0], 13),
            ([0, 0, 0], [0, 0, 0], 0),
            // -32768 wraps to itself, so that the 1 behind it is larger.
            ([-32768, 1, 0], [0, 16384, 0], 14),
            ([1, -32768, 0], [1, -32768, 0], 0),
            ([0, 0, -32768], [0, 0, -32768], 0),
            ([16384, 0, 1], [16384, 0, 1], 0),
        ] {
            let (mut output, mut shift) = ([0; 3], [7]);
            run(&input, &mut output, &mut shift).unwrap();
            assert_eq!((output, shift), (expected, [bits]));
        }
    }
}
