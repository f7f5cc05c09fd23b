//! SignalFilterBank, which adds energies up into overlapping triangular channels: `signal/src/filter_bank.cc`.
//!
//! An energy counts for two channels that lie beside each other: by its weight for one, by its unweight for the next.

use ember_core::view::Int64;

use crate::error::{KernelError, Operand, check};

/// What a filter bank consists of. `frequency_starts`, `weight_starts` and `widths` have one element more than there are
/// channels: the first energies only count for the first channel by their unweights.
#[derive(Clone, Copy, Debug)]
pub struct Bank<'b> {
    /// By how much energies count, for all channels one after the other.
    pub weights: &'b [i16],
    /// By how much they count for the next channel.
    pub unweights: &'b [i16],
    /// The first energy of each channel.
    pub frequency_starts: &'b [i16],
    /// The first weight of each channel.
    pub weight_starts: &'b [i16],
    /// How many energies each has.
    pub widths: &'b [i16],
}

/// Adds up; an output of uint64 for each channel, which wraps.
///
/// # Errors
/// A slice's length does not follow from the number of channels; [`KernelError::Undefined`] where a channel reads energies or
/// weights that are not there.
pub fn run(
    channels: u32,
    bank: &Bank<'_>,
    energies: &[u32],
    output: &mut [Int64],
) -> Result<(), KernelError> {
    let channels = channels as usize;
    check(Operand::Output, channels, output.len())?;
    for starts in [bank.frequency_starts, bank.weight_starts, bank.widths] {
        if starts.len() <= channels {
            return Err(KernelError::Length {
                operand: Operand::Filter,
                expected: channels.wrapping_add(1),
                actual: starts.len(),
            });
        }
    }
    let places = bank.frequency_starts.iter().zip(bank.weight_starts);
    let places = places.zip(bank.widths).take(channels.wrapping_add(1));
    let (mut sum, mut outputs) = (0u64, output.iter_mut());
    for (((frequency, weight), width), at) in places.zip(0usize..) {
        let mut next = 0u64;
        // Nothing is read where the width is 0 or below.
        let width = usize::try_from(*width).unwrap_or(0);
        let energies = within(energies, *frequency, width)?;
        let weights = within(bank.weights, *weight, width)?;
        let unweights = within(bank.unweights, *weight, width)?;
        for ((energy, weight), unweight) in energies.iter().zip(weights).zip(unweights) {
            let part = |factor: i16| (factor as u64).wrapping_mul(u64::from(*energy));
            sum = sum.wrapping_add(part(*weight));
            next = next.wrapping_add(part(*unweight));
        }
        // What comes before the first channel is of none.
        if at > 0
            && let Some(out) = outputs.next()
        {
            *out = Int64::new(sum.cast_signed());
        }
        sum = next;
    }
    Ok(())
}

fn within<T>(elements: &[T], start: i16, len: usize) -> Result<&[T], KernelError> {
    if len == 0 {
        return Ok(&[]);
    }
    let start = usize::try_from(start).ok();
    let found = start.and_then(|start| elements.get(start..)?.get(..len));
    found.ok_or(KernelError::Undefined)
}

#[cfg(test)]
mod tests {
    use super::{Bank, run};
    use ember_core::view::Int64;

    #[test]
    fn an_energy_counts_for_two_channels() {
        let bank = Bank {
            weights: &[0, 3, 2, 1],
            unweights: &[4, 1, 2, 3],
            frequency_starts: &[1, 2, 4],
            weight_starts: &[0, 1, 3],
            widths: &[1, 2, 1],
        };
        let mut output = [Int64::default(); 2];
        run(2, &bank, &[9, 10, 100, 1000, 10_000], &mut output).unwrap();
        assert_eq!(
            output.map(Int64::get),
            [40 + 300 + 2000, 100 + 2000 + 10_000]
        );
        let far = Bank {
            widths: &[1, 2, 2],
            ..bank
        };
        assert!(run(2, &far, &[9, 10, 100, 1000, 10_000], &mut output).is_err());
        let few = Bank {
            widths: &[1, 2],
            ..bank
        };
        assert!(run(2, &few, &[9, 10, 100, 1000, 10_000], &mut output).is_err());
    }
}
