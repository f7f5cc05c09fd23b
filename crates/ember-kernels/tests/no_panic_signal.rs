//! The signal library's kernels with parameters that make no sense, and slices that do not fit them: an error, never a panic, with
//! overflow checks on.

use ember_kernels::circular_buffer::{self, CircularBuffer};
use ember_kernels::signal::delay::{self, Delay};
use ember_kernels::signal::energy::{self, Energy};
use ember_kernels::signal::filter_bank::{self, Bank};
use ember_kernels::signal::filter_bank_log::{self, FilterBankLog};
use ember_kernels::signal::filter_bank_spectral_subtraction::{self, Outputs, SpectralSubtraction};
use ember_kernels::signal::framer::{self, Framer};
use ember_kernels::signal::irfft::{self, Irfft, Output};
use ember_kernels::signal::overlap_add::{self, OverlapAdd};
use ember_kernels::signal::pcan::{self, Pcan};
use ember_kernels::signal::rfft::{self, Rfft};
use ember_kernels::signal::stacker::{self, Stacker};
use ember_kernels::signal::window::{self, Window};
use ember_kernels::signal::{Sample, fft_auto_scale, filter_bank_square_root, twiddles};
use ember_kernels::{Bool, Int64};
use proptest::prelude::*;

/// A size: mostly small, sometimes absurd.
fn size() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 0..7u32, 1 => any::<u32>(), 1 => Just(u32::MAX), 1 => Just(1 << 31)]
}

fn values() -> impl Strategy<Value = Vec<i16>> {
    proptest::collection::vec(prop_oneof![any::<i16>(), Just(i16::MIN), 0..9i16], 1..40)
}

/// The length that a shape asks for, where that is not absurd: so that checks behind the lengths are reached too.
fn fitting(sizes: &[u32], values: &[i16]) -> Vec<i16> {
    let len = sizes
        .iter()
        .try_fold(1u32, |len, size| len.checked_mul(*size));
    match len {
        Some(len @ 0..=4096) => values.iter().cycle().take(len as usize).copied().collect(),
        _ => values.to_vec(),
    }
}

/// A transform there and back, of samples that come from int16.
fn transforms<T: Output>(rows: u32, len: u32, points: u32, values: &[i16], of: impl Fn(i16) -> T) {
    let samples: Vec<T> = fitting(&[rows, len], values).into_iter().map(&of).collect();
    let complex = |sizes: &[u32]| -> Vec<[T; 2]> {
        fitting(sizes, values)
            .into_iter()
            .map(|x| [of(x), of(x)])
            .collect()
    };
    let roots = |inverse| -> Vec<[T; 2]> {
        let points = if points <= 4096 { points } else { 3 };
        twiddles::all(points, inverse).collect()
    };
    let shape = Rfft {
        rows,
        input: len,
        points,
    };
    let mut spectra = complex(&[rows, points.saturating_add(1)]);
    let _ = rfft::run(&shape, &roots(false), &samples, &mut spectra);
    let shape = Irfft {
        rows,
        bins: len,
        points,
    };
    let mut back = complex(&[rows, points]);
    let _ = irfft::run(&shape, &roots(true), &complex(&[rows, len]), &mut back);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn transforms_of_anything(rows in size(), len in size(), points in prop_oneof![size(), 0..40u32], values in values()) {
        transforms(rows, len, points, &values, |x| x);
        transforms(rows, len, points, &values, |x| i32::from(x) << 16);
        transforms(rows, len, points, &values, f32::from);
        let all = [i16::of_unit(1.0), i16::of_unit(-1.0)];
        prop_assert_eq!(all, [32767, -32767]);
    }

    #[test]
    fn with_a_state(
        sizes in [size(), size(), size(), size()], kept in prop_oneof![size(), 0..30u32], flag in 0..3u32, count in size(), values in values(),
    ) {
        let [rows, frames, len, step] = sizes;
        let of = |sizes: &[u32]| fitting(sizes, &values);
        let shape = Delay { rows, frame: len, delay: step };
        let _ = delay::run(&shape, &of(&[rows, len]), &mut of(&[rows, step]), &mut of(&[rows, len]));
        let kept = Framer::kept(len, step, flag != 0).unwrap_or(kept);
        let shape = Framer { rows, frames, size: len, step, kept, prefilled: flag };
        let (mut seen, mut valid) = (count, [Bool::new(false)]);
        let _ = framer::run(
            &shape, &mut seen, &mut of(&[rows, kept]), &of(&[rows, frames, step]), &mut of(&[rows, frames, len]), &mut valid,
        );
        let shape = OverlapAdd { rows, frames, size: len, step };
        let _ = overlap_add::run(&shape, &of(&[rows, frames, len]), &mut of(&[rows, len]), &mut of(&[rows, frames, step]));
        let shape = Stacker { channels: rows, left: frames, right: len, step };
        let all = shape.frames().unwrap_or(u32::MAX);
        let mut held = count.min(all);
        let _ = stacker::run(&shape, &mut held, &mut of(&[all, rows]), &of(&[rows]), &mut of(&[all, rows]), &mut valid);
        let shape = CircularBuffer { slots: rows, depth: len, period: step };
        let bytes = |sizes: &[u32]| of(sizes).into_iter().map(|x| x as i8).collect::<Vec<i8>>();
        let mut runs = count;
        let _ = circular_buffer::push(&shape, &mut runs, &bytes(&[len]), &mut bytes(&[rows, len]));
    }

    #[test]
    fn of_energies(numbers in [size(), size(), size()], shifts in [0..70u32, 0..70u32], values in values(), more in values()) {
        let wide: Vec<u32> = values.iter().zip(more.iter().cycle()).map(|(a, b)| (*a as u32) << 16 | u32::from(*b as u16)).collect();
        let [start, end, channels] = numbers;
        let pairs: Vec<[i16; 2]> = values.iter().map(|x| [*x, *x]).collect();
        let mut output = wide.clone();
        let _ = energy::run(&Energy { start, end }, &pairs, &mut output);
        let mut scaled = values.clone();
        let _ = fft_auto_scale::run(&values, &mut scaled, &mut [0]);
        let _ = window::run(&Window { shift: shifts[0] }, &values, &more, &mut scaled);
        let options = FilterBankLog { scale: wide[0] as i32, correction_bits: shifts[0] };
        let _ = filter_bank_log::run(&options, &wide, &mut scaled);
        let bank = Bank { weights: &values, unweights: &values, frequency_starts: &more, weight_starts: &more, widths: &values };
        let mut sums = vec![Int64::default(); (channels as usize).min(50)];
        let _ = filter_bank::run(channels, &bank, &wide, &mut sums);
        let squares: Vec<Int64> = wide.iter().map(|x| Int64::new(i64::from(*x) << 31 ^ i64::from(shifts[1]))).collect();
        let _ = filter_bank_square_root::run(&squares, &[shifts[0] as i32 - 1], &mut output);
        let options = SpectralSubtraction {
            channels: wide.len() as u32, smoothing: wide[0], one_minus_smoothing: channels, alternate_smoothing: end,
            alternate_one_minus_smoothing: start, min_signal_remaining: wide[0], smoothing_bits: shifts[0], bits: shifts[1], clamping: start,
        };
        let (mut estimate, mut noise) = (wide.clone(), wide.clone());
        let outputs = Outputs { output: &mut output, noise: &mut noise };
        let _ = filter_bank_spectral_subtraction::run(&options, &wide, &mut estimate, outputs);
        let gains: Vec<i16> = more.iter().cycle().take(channels.min(130) as usize).copied().collect();
        let _ = pcan::run(&Pcan { snr_shift: shifts[1] }, &wide, &estimate, &gains, &mut output);
    }
}
