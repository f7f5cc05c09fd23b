//! SignalEnergy, the squares of a spectrum's absolute values: `signal/src/energy.cc`.

use super::fft::Complex;
use crate::error::{KernelError, Operand, check};

ember_core::plain! {
    /// Which elements are computed.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Energy {
        /// The first.
        pub start: u32,
        /// The one behind the last.
        pub end: u32,
    }
}

/// The energy of each element in the range; the others are zeros.
///
/// # Errors
/// The slices are not of one length, or the range goes beyond them.
pub fn run(range: &Energy, input: &[Complex<i16>], output: &mut [u32]) -> Result<(), KernelError> {
    check(Operand::Output, input.len(), output.len())?;
    let (start, end) = (range.start as usize, range.end as usize);
    if end > input.len() {
        return Err(KernelError::Parameters);
    }
    for ((out, [re, im]), at) in output.iter_mut().zip(input).zip(0usize..) {
        let square = |x: i16| i32::from(x).wrapping_mul(i32::from(x));
        // Twice the square of -32768 is 2^31, which is no int32 and fits the output.
        let energy = square(*re).wrapping_add(square(*im));
        let within = at >= start && at < end;
        *out = if within { energy.cast_unsigned() } else { 0 };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Energy, run};

    #[test]
    fn energies_within_the_range() {
        let mut output = [9; 4];
        let input = [[1, 1], [3, -4], [-32768, -32768], [5, 5]];
        run(&Energy { start: 1, end: 3 }, &input, &mut output).unwrap();
        assert_eq!(output, [0, 25, 1 << 31, 0]);
        assert!(run(&Energy { start: 0, end: 5 }, &input, &mut output).is_err());
    }
}
