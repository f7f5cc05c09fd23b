//! SignalIrfft, real numbers from their spectrum: `signal/micro/kernels/irfft.cc`, `kiss_fftri` in `tools/kiss_fftr.c` of KISS
//! FFT. What is put together for the complex transform is computed when that reads it.

use super::fft::{Complex, Sample, add, part, subtract, transform};
use super::{row, row_mut, twiddles};
use crate::error::{KernelError, Operand, check, check_shape};

ember_core::plain! {
    /// Shapes. Input `[rows, bins]` complex numbers, output `[rows, 2 * points]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Irfft {
        /// Transforms.
        pub rows: u32,
        /// Complex numbers of a row, of which the first `points + 1` count.
        pub bins: u32,
        /// Half of the transform's length.
        pub points: u32,
    }
}

/// A number that comes out of a transform back.
pub trait Output: Sample {
    /// Scaled where the way back does not scale by itself: floats are divided by the transform's length.
    fn scaled(self, length: u32) -> Self;
}

impl Output for i16 {
    fn scaled(self, _length: u32) -> Self {
        self
    }
}

impl Output for i32 {
    fn scaled(self, _length: u32) -> Self {
        self
    }
}

impl Output for f32 {
    fn scaled(self, length: u32) -> Self {
        self / length as Self
    }
}

/// One row for each spectrum. `roots` are those of [`twiddles::all`] for the inverse; the output is seen as complex numbers,
/// even elements their real parts.
///
/// # Errors
/// A slice's length is not that of its shape, a row has fewer bins than the transform, or
/// [`takes`](super::fft::takes) refuses its points.
pub fn run<T: Output>(
    shape: &Irfft,
    roots: &[Complex<T>],
    input: &[Complex<T>],
    output: &mut [Complex<T>],
) -> Result<(), KernelError> {
    let Irfft { rows, bins, points } = *shape;
    check_shape(Operand::Input, &[rows, bins], input.len())?;
    check_shape(Operand::Output, &[rows, points], output.len())?;
    check(
        Operand::Filter,
        twiddles::count(points) as usize,
        roots.len(),
    )?;
    if bins <= points {
        return Err(KernelError::Parameters);
    }
    let length = points.wrapping_mul(2);
    let points = points as usize;
    let (roots, joints) = roots.split_at_checked(points).unwrap_or_default();
    for at in 0..rows as usize {
        let spectrum = row(input, at, bins as usize);
        let samples = row_mut(output, at, points);
        let joined = |index: usize| join(spectrum, joints, points, index);
        transform(joined, roots, true, samples)?;
        for sample in samples.as_flattened_mut() {
            *sample = sample.scaled(length);
        }
    }
    Ok(())
}

/// Even and odd elements' spectra as the parts of one: its number `index`.
fn join<T: Sample>(
    spectrum: &[Complex<T>],
    joints: &[Complex<T>],
    points: usize,
    index: usize,
) -> Complex<T> {
    let bin = |index: usize| spectrum.get(index).copied().unwrap_or_default();
    let Some(above) = index.checked_sub(1) else {
        let ([first, _], [last, _]) = (bin(0), bin(points));
        return part([first.plus(last), first.minus(last)], 2);
    };
    // Of two that lie opposite each other the upper one is the lower one's mirror image; the middle is its own.
    let upper = index >= points.wrapping_sub(index);
    let (low, above) = if upper {
        let low = points.wrapping_sub(index);
        (low, low.wrapping_sub(1))
    } else {
        (index, above)
    };
    let one = part(bin(low), 2);
    let [re, im] = bin(points.wrapping_sub(low));
    let other = part([re, im.negative()], 2);
    let joint = joints.get(above).copied().unwrap_or_default();
    let even = add(one, other);
    let odd = T::product(subtract(one, other), joint);
    if upper {
        let [re, im] = subtract(even, odd);
        [re, im.negative()]
    } else {
        add(even, odd)
    }
}

#[cfg(test)]
mod tests {
    use super::{Irfft, run};
    use crate::signal::{rfft, twiddles};
    use std::vec::Vec;

    #[test]
    fn it_undoes_the_transform() {
        for points in [2u32, 3, 4, 5, 6, 10, 15, 32, 60, 128] {
            let length = points * 2;
            let wave: Vec<f32> = (0..length).map(|i| (i * 7 % 11) as f32 - 4.0).collect();
            let forwards: Vec<_> = twiddles::all::<f32>(points, false).collect();
            let backwards: Vec<_> = twiddles::all::<f32>(points, true).collect();
            let mut spectrum = std::vec![[0.0; 2]; points as usize + 1];
            let shape = rfft::Rfft {
                rows: 1,
                input: length,
                points,
            };
            rfft::run(&shape, &forwards, &wave, &mut spectrum).unwrap();
            let mut back = std::vec![[0.0; 2]; points as usize];
            let shape = Irfft {
                rows: 1,
                bins: points + 1,
                points,
            };
            run(&shape, &backwards, &spectrum, &mut back).unwrap();
            for (found, expected) in back.as_flattened().iter().zip(&wave) {
                assert!(
                    (found - expected).abs() < 1e-4,
                    "{length}: {found} for {expected}"
                );
            }
        }
    }
}
