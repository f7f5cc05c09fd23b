//! Fourier transforms of complex numbers, of which those of real ones are made: as KISS FFT computes them (`kf_work` and the
//! butterflies in `kiss_fft.c`, the arithmetic in `_kiss_fft_guts.h`, version 130), in the same order and with the same
//! rounding after every step, so that integers are equal to the byte.
//!
//! The points are taken apart by 4, 2, 3 and 5 in this order. TFLM's build of KISS FFT has no memory for other factors and
//! crashes where there is one; here such a size is refused.
//!
//! There is no recursion: elements are read in the order that the smallest transforms need, and each stage then goes over all.

use ember_core::view::Plain;

use crate::error::KernelError;
use crate::rows;

/// Real part, imaginary part.
pub type Complex<T> = [T; 2];

/// Factors of 65,536 or fewer points at most: ten times 3, or 4.
const MOST_STAGES: usize = 16;

/// Complex points that a transform has at most.
pub const MOST_POINTS: u32 = 1 << 16;

/// A number that a transform is computed with.
pub trait Sample: Plain + Default {
    /// A number from -1 to 1, rounded: integers have all their bits behind the point.
    fn of_unit(value: f64) -> Self;

    /// The sum; integers wrap.
    fn plus(self, other: Self) -> Self;

    /// The difference; integers wrap.
    fn minus(self, other: Self) -> Self;

    /// The product, rounded.
    fn times(self, other: Self) -> Self;

    /// The negative; integers wrap.
    fn negative(self) -> Self;

    /// Half of it; of integers without the last bit.
    fn half(self) -> Self;

    /// What a transform of so many parts is scaled by: floats are not.
    fn part(self, parts: u32) -> Self;

    /// The product of two complex numbers: sums of products are rounded once.
    fn product(a: Complex<Self>, b: Complex<Self>) -> Complex<Self>;
}

macro_rules! fixed {
    ($own:ty, $wide:ty, $bits:literal) => {
        impl Sample for $own {
            fn of_unit(value: f64) -> Self {
                let scaled = 0.5 + f64::from(Self::MAX) * value;
                // Towards zero is not down where it is negative.
                let whole = scaled as i64;
                let above = (whole as f64) > scaled;
                whole.wrapping_sub(i64::from(above)) as Self
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            fn times(self, other: Self) -> Self {
                rounded(<$wide>::from(self).wrapping_mul(<$wide>::from(other)))
            }

            fn negative(self) -> Self {
                self.wrapping_neg()
            }

            fn half(self) -> Self {
                self >> 1
            }

            fn part(self, parts: u32) -> Self {
                const { assert!(Self::BITS == $bits + 1) };
                let factor = match parts {
                    2 => Self::MAX / 2,
                    3 => Self::MAX / 3,
                    4 => Self::MAX / 4,
                    _ => Self::MAX / 5,
                };
                self.times(factor)
            }

            fn product([ar, ai]: Complex<Self>, [br, bi]: Complex<Self>) -> Complex<Self> {
                let of = |a: Self, b: Self| <$wide>::from(a).wrapping_mul(<$wide>::from(b));
                [
                    rounded(of(ar, br).wrapping_sub(of(ai, bi))),
                    rounded(of(ar, bi).wrapping_add(of(ai, br))),
                ]
            }
        }

        impl Rounded<$own> for $wide {
            fn rounded(self) -> $own {
                (self.wrapping_add(1 << ($bits - 1)) >> $bits) as $own
            }
        }
    };
}

/// Sums of products of fixed-point numbers.
trait Rounded<T> {
    /// As a number again: half up, what is above wraps.
    fn rounded(self) -> T;
}

fn rounded<T>(wide: impl Rounded<T>) -> T {
    wide.rounded()
}

fixed!(i16, i32, 15);
fixed!(i32, i64, 31);

impl Sample for f32 {
    fn of_unit(value: f64) -> Self {
        value as Self
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    fn negative(self) -> Self {
        -self
    }

    fn half(self) -> Self {
        self * 0.5
    }

    fn part(self, _parts: u32) -> Self {
        self
    }

    fn product([ar, ai]: Complex<Self>, [br, bi]: Complex<Self>) -> Complex<Self> {
        [ar * br - ai * bi, ar * bi + ai * br]
    }
}

pub(super) fn add<T: Sample>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    let ([ar, ai], [br, bi]) = (a, b);
    [ar.plus(br), ai.plus(bi)]
}

pub(super) fn subtract<T: Sample>(a: Complex<T>, b: Complex<T>) -> Complex<T> {
    let ([ar, ai], [br, bi]) = (a, b);
    [ar.minus(br), ai.minus(bi)]
}

pub(super) fn part<T: Sample>([re, im]: Complex<T>, parts: u32) -> Complex<T> {
    [re.part(parts), im.part(parts)]
}

/// A stage: transforms of `radix * len` points out of `radix` transforms of `len` points.
#[derive(Clone, Copy, Default)]
struct Stage {
    radix: usize,
    len: usize,
    /// How many of them there are, and the distance of what one of them reads.
    stride: usize,
}

/// The stages of a transform, the last one first.
struct Stages {
    all: [Stage; MOST_STAGES],
    count: usize,
}

impl Stages {
    /// `None` where there is another factor than 2, 3 and 5, no point or too many.
    fn of(points: u32) -> Option<Self> {
        if !(2..=MOST_POINTS).contains(&points) {
            return None;
        }
        let mut stages = Self {
            all: [Stage::default(); MOST_STAGES],
            count: 0,
        };
        let (mut left, mut stride) = (points, 1usize);
        while left > 1 {
            let mut radices = [4u32, 2, 3, 5].into_iter();
            let radix = radices.find(|radix| left.checked_rem(*radix) == Some(0))?;
            left = left.checked_div(radix)?;
            *stages.all.get_mut(stages.count)? = Stage {
                radix: radix as usize,
                len: left as usize,
                stride,
            };
            stages.count = stages.count.wrapping_add(1);
            stride = stride.wrapping_mul(radix as usize);
        }
        Some(stages)
    }

    fn all(&self) -> &[Stage] {
        self.all.get(..self.count).unwrap_or_default()
    }
}

/// Whether there is a transform of so many complex points: 2 to 65,536, of the factors 2, 3 and 5.
#[must_use]
pub fn takes(points: u32) -> bool {
    Stages::of(points).is_some()
}

/// Transforms what `element` gives for 0, 1, … into `output`, one element for each point. `roots` are those of
/// [`twiddles`](super::twiddles); the other way where `inverse` says so.
///
/// # Errors
/// [`KernelError::Parameters`] for a number of points that [`takes`] refuses.
pub(super) fn transform<T: Sample>(
    element: impl Fn(usize) -> Complex<T>,
    roots: &[Complex<T>],
    inverse: bool,
    output: &mut [Complex<T>],
) -> Result<(), KernelError> {
    let points = u32::try_from(output.len()).map_err(|_| KernelError::Parameters)?;
    let stages = Stages::of(points).ok_or(KernelError::Parameters)?;
    // A counter whose fastest digit is that of the last stage: the smallest transforms read what is farthest apart.
    let mut digits = [0usize; MOST_STAGES];
    let mut from = 0usize;
    for out in &mut *output {
        *out = element(from);
        for (stage, digit) in stages.all().iter().zip(&mut digits).rev() {
            from = from.wrapping_add(stage.stride);
            *digit = digit.wrapping_add(1);
            if *digit < stage.radix {
                break;
            }
            *digit = 0;
            from = from.wrapping_sub(stage.stride.wrapping_mul(stage.radix));
        }
    }
    for stage in stages.all().iter().rev() {
        let radix = stage.radix;
        for block in rows::of_mut(output, radix.wrapping_mul(stage.len)) {
            match radix {
                2 => by_2(block, stage, roots),
                3 => by_3(block, stage, roots),
                4 => by_4(block, stage, roots, inverse),
                _ => by_5(block, stage, roots),
            }
        }
    }
    Ok(())
}

/// The parts of a block.
fn parts<T, const N: usize>(block: &mut [T], len: usize) -> [&mut [T]; N] {
    let ranges = core::array::from_fn(|at| {
        let start = at.wrapping_mul(len);
        start..start.wrapping_add(len)
    });
    let parts = block.get_disjoint_mut::<_, N>(ranges);
    parts.unwrap_or_else(|_| core::array::from_fn(|_| Default::default()))
}

/// For each element of a part the roots that its like in the second, third, … part are turned by.
fn turns<T: Sample, const N: usize>(
    roots: &[Complex<T>],
    stride: usize,
) -> impl Iterator<Item = [Complex<T>; N]> {
    let mut at = 0usize;
    core::iter::from_fn(move || {
        let mut turn = 0usize;
        let turns = core::array::from_fn(|_| {
            turn = turn.wrapping_add(at);
            roots.get(turn).copied().unwrap_or_default()
        });
        at = at.wrapping_add(stride);
        Some(turns)
    })
}

/// The root at an index.
fn root_at<T: Sample>(roots: &[Complex<T>], index: usize) -> Complex<T> {
    roots.get(index).copied().unwrap_or_default()
}

/// `kf_bfly2`.
fn by_2<T: Sample>(block: &mut [Complex<T>], stage: &Stage, roots: &[Complex<T>]) {
    let [first, second] = parts(block, stage.len);
    for ((a, b), [turn]) in first.iter_mut().zip(second).zip(turns(roots, stage.stride)) {
        let (even, odd) = (part(*a, 2), T::product(part(*b, 2), turn));
        *b = subtract(even, odd);
        *a = add(even, odd);
    }
}

/// `kf_bfly3`.
fn by_3<T: Sample>(block: &mut [Complex<T>], stage: &Stage, roots: &[Complex<T>]) {
    let [_, third] = root_at(roots, stage.stride.wrapping_mul(stage.len));
    let [first, second, last] = parts(block, stage.len);
    let elements = first.iter_mut().zip(second).zip(last);
    for (((a, b), c), [turn, twice]) in elements.zip(turns(roots, stage.stride)) {
        let own = part(*a, 3);
        let one = T::product(part(*b, 3), turn);
        let two = T::product(part(*c, 3), twice);
        let (sum, [re, im]) = (add(one, two), subtract(one, two));
        let side = [re.times(third), im.times(third)];
        let middle = subtract(own, [sum[0].half(), sum[1].half()]);
        *a = add(own, sum);
        *c = [middle[0].plus(side[1]), middle[1].minus(side[0])];
        *b = [middle[0].minus(side[1]), middle[1].plus(side[0])];
    }
}

/// `kf_bfly4`.
fn by_4<T: Sample>(block: &mut [Complex<T>], stage: &Stage, roots: &[Complex<T>], inverse: bool) {
    let [first, second, third, fourth] = parts(block, stage.len);
    let elements = first.iter_mut().zip(second).zip(third).zip(fourth);
    for ((((a, b), c), d), [one, two, three]) in elements.zip(turns(roots, stage.stride)) {
        let own = part(*a, 4);
        let one = T::product(part(*b, 4), one);
        let two = T::product(part(*c, 4), two);
        let three = T::product(part(*d, 4), three);
        let (even, odd) = (add(own, two), add(one, three));
        let (rest, [re, im]) = (subtract(own, two), subtract(one, three));
        *c = subtract(even, odd);
        *a = add(even, odd);
        let up = [rest[0].plus(im), rest[1].minus(re)];
        let down = [rest[0].minus(im), rest[1].plus(re)];
        (*b, *d) = if inverse { (down, up) } else { (up, down) };
    }
}

/// `kf_bfly5`.
fn by_5<T: Sample>(block: &mut [Complex<T>], stage: &Stage, roots: &[Complex<T>]) {
    let fifth = stage.stride.wrapping_mul(stage.len);
    let [near_re, near_im] = root_at(roots, fifth);
    let [far_re, far_im] = root_at(roots, fifth.wrapping_mul(2));
    let [first, second, third, fourth, last] = parts(block, stage.len);
    let elements = first
        .iter_mut()
        .zip(second)
        .zip(third)
        .zip(fourth)
        .zip(last);
    for (((((a, b), c), d), e), turn) in elements.zip(turns::<T, 4>(roots, stage.stride)) {
        let own = part(*a, 5);
        let one = T::product(part(*b, 5), turn[0]);
        let two = T::product(part(*c, 5), turn[1]);
        let three = T::product(part(*d, 5), turn[2]);
        let four = T::product(part(*e, 5), turn[3]);
        let (outer, across) = (add(one, four), subtract(one, four));
        let (inner, along) = (add(two, three), subtract(two, three));
        *a = add(own, add(outer, inner));
        let level = |own: T, outer: T, inner: T, near: T, far: T| {
            own.plus(outer.times(near)).plus(inner.times(far))
        };
        let middle = [
            level(own[0], outer[0], inner[0], near_re, far_re),
            level(own[1], outer[1], inner[1], near_re, far_re),
        ];
        let side = [
            across[1].times(near_im).plus(along[1].times(far_im)),
            across[0]
                .times(near_im)
                .negative()
                .minus(along[0].times(far_im)),
        ];
        *b = subtract(middle, side);
        *e = add(middle, side);
        let middle = [
            level(own[0], outer[0], inner[0], far_re, near_re),
            level(own[1], outer[1], inner[1], far_re, near_re),
        ];
        let side = [
            across[1]
                .times(far_im)
                .negative()
                .plus(along[1].times(near_im)),
            across[0].times(far_im).minus(along[0].times(near_im)),
        ];
        *c = add(middle, side);
        *d = subtract(middle, side);
    }
}

#[cfg(test)]
mod tests {
    use super::{Complex, Sample, takes, transform};
    use crate::signal::twiddles;
    use std::vec::Vec;

    /// Its definition, in double precision.
    fn slow(input: &[Complex<f32>], inverse: bool) -> Vec<[f64; 2]> {
        let sign = if inverse { 1.0 } else { -1.0 };
        let points = input.len() as f64;
        let sum = |k: usize| {
            let terms = input.iter().enumerate().map(|(n, [re, im])| {
                let phase = sign * 2.0 * std::f64::consts::PI * (k * n) as f64 / points;
                let (re, im) = (f64::from(*re), f64::from(*im));
                [
                    re * phase.cos() - im * phase.sin(),
                    re * phase.sin() + im * phase.cos(),
                ]
            });
            terms.fold([0.0, 0.0], |sum, term| [sum[0] + term[0], sum[1] + term[1]])
        };
        (0..input.len()).map(sum).collect()
    }

    #[test]
    fn transforms_are_what_they_are_defined_as() {
        for points in (2..=160u32).filter(|points| takes(*points)) {
            for inverse in [false, true] {
                let input: Vec<Complex<f32>> = (0..points)
                    .map(|i| [(i * 7 % 11) as f32 - 5.0, (i * 5 % 13) as f32 - 6.0])
                    .collect();
                let roots: Vec<_> = twiddles::all::<f32>(points, inverse).collect();
                let mut output = input.clone();
                transform(|i| input[i], &roots, inverse, &mut output).unwrap();
                for (found, expected) in output.iter().zip(slow(&input, inverse)) {
                    for (found, expected) in found.iter().zip(expected) {
                        let gap = f64::from(*found) - expected;
                        assert!(gap.abs() < 2e-3, "{points} points: {found} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn other_factors_are_refused() {
        let refused = [0, 1, 7, 11, 14, 49, 1 << 17, u32::MAX];
        assert!(refused.iter().all(|points| !takes(*points)));
        let mut output = [[0.0f32; 2]; 7];
        assert!(transform(|_| [1.0, 0.0], &[], false, &mut output).is_err());
    }

    #[test]
    fn integers_round_half_up_and_wrap() {
        assert_eq!(i16::of_unit(-1.0), -32767);
        assert_eq!(i32::of_unit(0.5), 1 << 30);
        assert_eq!(16384i16.times(1), 1, "half up");
        assert_eq!((-16384i16).times(1), 0);
        assert_eq!(i16::MIN.times(i16::MIN), i16::MIN);
        assert_eq!((-3i16).half(), -2);
        let least = [i16::MIN; 2];
        assert_eq!(i16::product(least, least), [0, i16::MIN.wrapping_mul(2)]);
    }
}
