//! SignalFilterBankSquareRoot: `signal/src/filter_bank_square_root.cc`, `square_root_32.cc` and `square_root_64.cc`.

use ember_core::view::Int64;

use crate::error::{KernelError, Operand, check};

/// The root of each input, which is uint64, to the nearest, shifted right by `shift`, one number from 0 to 31.
///
/// # Errors
/// Input and output differ in length; [`KernelError::Undefined`] for another shift.
pub fn run(input: &[Int64], shift: &[i32], output: &mut [u32]) -> Result<(), KernelError> {
    check(Operand::Output, input.len(), output.len())?;
    check(Operand::Input2, 1, shift.len())?;
    let shift = shift.first().and_then(|shift| u32::try_from(*shift).ok());
    let shift = shift.filter(|shift| *shift < u32::BITS);
    let shift = shift.ok_or(KernelError::Undefined)?;
    for (out, value) in output.iter_mut().zip(input) {
        *out = root(value.get().cast_unsigned()).wrapping_shr(shift);
    }
    Ok(())
}

/// The root to the nearest, which is at most 65535 for what fits into 32 bits, and 2^32 - 1.
fn root(value: u64) -> u32 {
    let down = value.isqrt();
    let rest = value.wrapping_sub(down.wrapping_mul(down));
    let most = if value >> 32 == 0 {
        0xffff
    } else {
        0xffff_ffff
    };
    let up = rest > down && down < most;
    down.wrapping_add(u64::from(up)) as u32
}

#[cfg(test)]
mod tests {
    use super::{root, run};
    use ember_core::view::Int64;

    #[test]
    fn roots_are_rounded() {
        for (value, expected) in [
            (0, 0),
            (1, 1),
            (2, 1),
            (3, 2),
            (12, 3),
            (13, 4),
            (u64::from(u32::MAX), 65535),
            (1 << 32, 65536),
            (u64::MAX, u32::MAX),
            (u64::from(u32::MAX) * u64::from(u32::MAX), u32::MAX),
        ] {
            assert_eq!(root(value), expected, "{value}");
        }
        let mut output = [0];
        run(&[Int64::new(10_000)], &[2], &mut output).unwrap();
        assert_eq!(output, [25]);
        for shift in [-1, 32] {
            assert!(run(&[Int64::new(1)], &[shift], &mut output).is_err());
        }
    }
}
