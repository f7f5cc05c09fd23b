//! SignalRfft, the spectrum of real numbers: `signal/micro/kernels/rfft.cc`, `kiss_fftr` in `tools/kiss_fftr.c` of KISS FFT.
//!
//! Even and odd elements are the real and imaginary parts of one complex transform of half as many points, which is then
//! taken apart in place.

use super::fft::{Complex, Sample, add, part, subtract, transform};
use super::{row, row_mut, twiddles};
use crate::error::{KernelError, Operand, check, check_shape};

ember_core::plain! {
    /// Shapes. Input `[rows, input]`, output `[rows, points + 1]` complex numbers.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Rfft {
        /// Transforms.
        pub rows: u32,
        /// Elements of a row; zeros follow it.
        pub input: u32,
        /// Half of the transform's length.
        pub points: u32,
    }
}

/// One spectrum for each row. `roots` are those of [`twiddles::all`] forwards.
///
/// # Errors
/// A slice's length is not that of its shape, a row is longer than the transform, or
/// [`takes`](super::fft::takes) refuses its points.
pub fn run<T: Sample>(
    shape: &Rfft,
    roots: &[Complex<T>],
    input: &[T],
    output: &mut [Complex<T>],
) -> Result<(), KernelError> {
    let Rfft {
        rows,
        input: len,
        points,
    } = *shape;
    let bins = points.checked_add(1).ok_or(KernelError::Parameters)?;
    check_shape(Operand::Input, &[rows, len], input.len())?;
    check_shape(Operand::Output, &[rows, bins], output.len())?;
    check(
        Operand::Filter,
        twiddles::count(points) as usize,
        roots.len(),
    )?;
    if len / 2 > points || (len / 2 == points && len % 2 != 0) {
        return Err(KernelError::Parameters);
    }
    let (roots, joints) = roots.split_at_checked(points as usize).unwrap_or_default();
    for at in 0..rows as usize {
        let samples = row(input, at, len as usize);
        let sample = |index: usize| samples.get(index).copied().unwrap_or_default();
        let pair = |index: usize| {
            let first = index.wrapping_mul(2);
            [sample(first), sample(first.wrapping_add(1))]
        };
        let spectrum = row_mut(output, at, bins as usize);
        let Some((_, halves)) = spectrum.split_last_mut() else {
            continue;
        };
        transform(pair, roots, false, halves)?;
        take_apart(spectrum, joints);
    }
    Ok(())
}

/// From the transform of even and odd elements together, in all but the last, to the spectrum.
fn take_apart<T: Sample>(spectrum: &mut [Complex<T>], joints: &[Complex<T>]) {
    let points = spectrum.len().wrapping_sub(1);
    if let [first, .., last] = spectrum {
        let [even, odd] = part(*first, 2);
        *first = [even.plus(odd), T::default()];
        *last = [even.minus(odd), T::default()];
    }
    for (joint, low) in joints.iter().zip(1usize..) {
        let high = points.wrapping_sub(low);
        let (Some(one), Some(other)) = (spectrum.get(low).copied(), spectrum.get(high).copied())
        else {
            continue;
        };
        let one = part(one, 2);
        let other = part([other[0], other[1].negative()], 2);
        let sum = add(one, other);
        let turned = T::product(subtract(one, other), *joint);
        if let Some(place) = spectrum.get_mut(low) {
            let [re, im] = add(sum, turned);
            *place = [re.half(), im.half()];
        }
        if let Some(place) = spectrum.get_mut(high) {
            *place = [
                sum[0].minus(turned[0]).half(),
                turned[1].minus(sum[1]).half(),
            ];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rfft, run};
    use crate::signal::twiddles;
    use std::vec::Vec;

    #[test]
    fn a_wave_is_one_line_of_the_spectrum() {
        let shape = Rfft {
            rows: 1,
            input: 16,
            points: 8,
        };
        let wave: Vec<f32> = (0..16)
            .map(|i| (std::f32::consts::TAU * 3.0 * i as f32 / 16.0).cos())
            .collect();
        let roots: Vec<_> = twiddles::all::<f32>(8, false).collect();
        let mut output = [[0.0; 2]; 9];
        run(&shape, &roots, &wave, &mut output).unwrap();
        for (bin, [re, im]) in output.iter().enumerate() {
            let expected = if bin == 3 { 8.0 } else { 0.0 };
            assert!(
                (re - expected).abs() < 1e-4 && im.abs() < 1e-4,
                "{bin}: {re} {im}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let roots: Vec<_> = twiddles::all::<i16>(4, false).collect();
        let mut output = [[0i16; 2]; 5];
        for (shape, len) in [
            (
                Rfft {
                    rows: 1,
                    input: 9,
                    points: 4,
                },
                9,
            ),
            (
                Rfft {
                    rows: 1,
                    input: 8,
                    points: 4,
                },
                7,
            ),
            (
                Rfft {
                    rows: 2,
                    input: 4,
                    points: 4,
                },
                8,
            ),
            (
                Rfft {
                    rows: 1,
                    input: 4,
                    points: 7,
                },
                4,
            ),
        ] {
            assert!(
                run(&shape, &roots, &[1; 9][..len], &mut output).is_err(),
                "{shape:?}"
            );
        }
        let shape = Rfft {
            rows: 1,
            input: 3,
            points: 4,
        };
        run(&shape, &roots, &[1; 3], &mut output).unwrap();
    }
}
