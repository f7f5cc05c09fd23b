//! The roots of unity that a Fourier transform multiplies by, rounded as KISS FFT rounds them (`kiss_fft_alloc` in
//! `kiss_fft.c`, `kiss_fftr_alloc` in `tools/kiss_fftr.c`, version 130): sine and cosine of a rounded phase in double precision.
//!
//! The phase is computed operation by operation as there, because its error decides where a value is a tie, such as half of
//! 32767 at a sixth of a turn.

use core::f64::consts::{FRAC_PI_2, PI};

use super::fft::{Complex, Sample};

/// π / 2 beyond what a double holds.
const FRAC_PI_2_REST: f64 = 6.123_233_995_736_766e-17;

/// Root number `index` of a transform of `points` complex points: e^(-2πi index / points), conjugate where `inverse`.
#[must_use]
pub fn root<T: Sample>(index: u32, points: u32, inverse: bool) -> Complex<T> {
    let phase = -2.0 * PI * f64::from(index) / f64::from(points);
    of_phase(if inverse { -phase } else { phase })
}

/// What joins the transforms of the even and odd elements at frequency `index + 1`.
#[must_use]
pub fn joint<T: Sample>(index: u32, points: u32, inverse: bool) -> Complex<T> {
    let part = f64::from(index.wrapping_add(1)) / f64::from(points);
    let phase = -PI * (part + 0.5);
    of_phase(if inverse { -phase } else { phase })
}

/// All of them, in the order in which the transforms read them: `points` roots, then half as many joints.
pub fn all<T: Sample>(points: u32, inverse: bool) -> impl Iterator<Item = Complex<T>> {
    let roots = (0..points).map(move |index| root(index, points, inverse));
    let joints = (0..points / 2).map(move |index| joint(index, points, inverse));
    roots.chain(joints)
}

/// How many [`all`] gives.
#[must_use]
pub const fn count(points: u32) -> u32 {
    points.saturating_add(points / 2)
}

fn of_phase<T: Sample>(phase: f64) -> Complex<T> {
    let (sine, cosine) = sine_cosine(phase);
    [T::of_unit(cosine), T::of_unit(sine)]
}

/// Sine and cosine of an angle within two turns, each within a unit in the last place.
fn sine_cosine(angle: f64) -> (f64, f64) {
    let turned = angle / FRAC_PI_2;
    let quarters = (turned + if turned < 0.0 { -0.5 } else { 0.5 }) as i32;
    let count = f64::from(quarters);
    // So small a multiple of π / 2 is off by its own rounding alone, which is taken back below.
    let whole = count * FRAC_PI_2;
    let lost = lost_in_product(count, whole);
    let far = angle - whole;
    let rest = -(lost + count * FRAC_PI_2_REST);
    let near = far + rest;
    let tail = (far - near) + rest;
    let (sine, cosine) = (sine_near(near, tail), cosine_near(near, tail));
    match quarters & 3 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

/// What the product of a small whole number and π / 2 lost when it was rounded: exact, by halves of π / 2.
fn lost_in_product(count: f64, product: f64) -> f64 {
    const SPLIT: f64 = 134_217_729.0;
    const HIGH: f64 = FRAC_PI_2 * SPLIT - (FRAC_PI_2 * SPLIT - FRAC_PI_2);
    const LOW: f64 = FRAC_PI_2 - HIGH;
    (count * HIGH - product) + count * LOW
}

/// The sine of `x + tail`, for `x` within π / 4: its Taylor series.
fn sine_near(x: f64, tail: f64) -> f64 {
    const TERMS: [f64; 9] = [
        -1.0 / 121_645_100_408_832_000.0,
        1.0 / 355_687_428_096_000.0,
        -1.0 / 1_307_674_368_000.0,
        1.0 / 6_227_020_800.0,
        -1.0 / 39_916_800.0,
        1.0 / 362_880.0,
        -1.0 / 5_040.0,
        1.0 / 120.0,
        -1.0 / 6.0,
    ];
    let square = x * x;
    let series = TERMS.iter().fold(0.0, |sum, term| sum * square + term);
    x + (x * square * series + tail * (1.0 - 0.5 * square))
}

/// The cosine of `x + tail`, for `x` within π / 4: its Taylor series.
fn cosine_near(x: f64, tail: f64) -> f64 {
    const TERMS: [f64; 9] = [
        1.0 / 2_432_902_008_176_640_000.0,
        -1.0 / 6_402_373_705_728_000.0,
        1.0 / 20_922_789_888_000.0,
        -1.0 / 87_178_291_200.0,
        1.0 / 479_001_600.0,
        -1.0 / 3_628_800.0,
        1.0 / 40_320.0,
        -1.0 / 720.0,
        1.0 / 24.0,
    ];
    let square = x * x;
    let series = TERMS.iter().fold(0.0, |sum, term| sum * square + term);
    let half = 0.5 * square;
    let begun = 1.0 - half;
    begun + (((1.0 - begun) - half) + (square * square * series - x * tail))
}

#[cfg(test)]
mod tests {
    use super::{Complex, Sample, all};
    use std::f64::consts::PI;

    /// As KISS FFT has it, with the platform's functions.
    fn expected<T: Sample>(points: u32, inverse: bool) -> Vec<Complex<T>> {
        let sign = if inverse { -1.0 } else { 1.0 };
        let of = |phase: f64| {
            let phase = phase * sign;
            [T::of_unit(phase.cos()), T::of_unit(phase.sin())]
        };
        let roots = (0..points).map(|i| of(-2.0 * PI * f64::from(i) / f64::from(points)));
        let joints =
            (0..points / 2).map(|i| of(-PI * (f64::from(i + 1) / f64::from(points) + 0.5)));
        roots.chain(joints).collect()
    }

    fn same<T: Sample + PartialEq + core::fmt::Debug>(points: u32) {
        for inverse in [false, true] {
            let found: Vec<Complex<T>> = all(points, inverse).collect();
            assert_eq!(found, expected::<T>(points, inverse), "{points} points");
        }
    }

    use std::vec::Vec;

    #[test]
    fn they_are_those_of_double_precision() {
        for points in (2..=1200).chain([1536, 2048, 2500, 4096]) {
            same::<i16>(points);
            same::<i32>(points);
            same::<f32>(points);
        }
    }
}
