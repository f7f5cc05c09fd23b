//! Elementary functions on `f32` that `core` does not have: the same bits on the host and on every chip, and nothing that
//! could panic. Each says how close it is; the tests hold it against double precision.

use crate::float::{exp, round};

/// From 2^23 on every f32 is an integer.
const INTEGERS_FROM: f32 = 8_388_608.0;

/// The greatest integer that is not above `x`.
#[must_use]
pub const fn floor(x: f32) -> f32 {
    let whole = truncate(x);
    if whole > x { whole - 1.0 } else { whole }
}

/// The least integer that is not below `x`.
#[must_use]
pub const fn ceil(x: f32) -> f32 {
    let whole = truncate(x);
    if whole < x { whole + 1.0 } else { whole }
}

/// `x` without its fraction; infinities and NaN as they are.
#[must_use]
pub const fn truncate(x: f32) -> f32 {
    if x < INTEGERS_FROM && x > -INTEGERS_FROM {
        // The zero keeps its sign.
        f32::from_bits((x as i32 as f32).to_bits() | x.to_bits() & 1 << 31)
    } else {
        x
    }
}

/// The integer nearest to `x`, halves to the even one: `RoundToNearest` (`kernels/internal/reference/round.h`).
#[must_use]
pub const fn round_even(x: f32) -> f32 {
    if !(x < INTEGERS_FROM && x > -INTEGERS_FROM) {
        return x;
    }
    let low = floor(x);
    let rest = x - low;
    let odd = low as i32 & 1 != 0;
    if rest > 0.5 || rest == 0.5 && odd {
        low + 1.0
    } else {
        low
    }
}

/// The greatest integer that is not above `a / b`, with the quotient in double precision: `FloorDiv`
/// (`kernels/internal/reference/floor_div.h`).
#[must_use]
pub const fn floor_quotient(a: f32, b: f32) -> f32 {
    const LIMIT: f64 = 4_503_599_627_370_496.0;
    let quotient = a as f64 / b as f64;
    if !(quotient < LIMIT && quotient > -LIMIT) {
        return quotient as f32;
    }
    let whole = quotient as i64 as f64;
    (if whole > quotient { whole - 1.0 } else { whole }) as f32
}

/// Significand in `2^23..2^24` and exponent of a finite number other than zero, its sign aside.
const fn parts(x: f32) -> (u32, i32) {
    let bits = x.to_bits() & 0x7fff_ffff;
    let (fraction, exponent) = (bits & 0x7f_ffff, (bits >> 23) as i32);
    if exponent == 0 {
        let up = (fraction | 1).leading_zeros().saturating_sub(8);
        (fraction << (up & 31), -149 - up as i32)
    } else {
        (fraction | 1 << 23, exponent - 150)
    }
}

/// `a - truncate(a / b) * b`, exactly, with the sign of `a`: C's `fmodf`. NaN where `b` is 0, `a` infinite, or one of them
/// is NaN.
#[must_use]
pub const fn remainder(a: f32, b: f32) -> f32 {
    if a.is_nan() || b.is_nan() || a.is_infinite() || b == 0.0 {
        return f32::NAN;
    }
    if b.is_infinite() || a == 0.0 {
        return a;
    }
    let (mut rest, from) = parts(a);
    let (divisor, to) = parts(b);
    let sign = a.to_bits() & 1 << 31;
    let mut exponent = from;
    if from < to {
        return a;
    }
    // Long division, one bit of the quotient after the other, keeping what rests.
    loop {
        if rest >= divisor {
            rest -= divisor;
        }
        if exponent <= to {
            break;
        }
        rest <<= 1;
        exponent -= 1;
    }
    f32::from_bits(scaled(rest, to).to_bits() | sign)
}

/// `significand * 2^exponent` for a significand below 2^24, where that is an f32 without rounding.
const fn scaled(significand: u32, exponent: i32) -> f32 {
    // Powers of two below the smallest normal number are reached in two steps.
    let first = if exponent < -126 { -126 } else { exponent };
    let second = exponent - first;
    let (first, second) = (power_of_two(first), power_of_two(second));
    significand as f32 * second * first
}

/// `2^exponent` for an exponent in -126..=127.
const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits((((exponent + 127) & 0xff) as u32) << 23)
}

/// The square root, correctly rounded as IEEE 754 asks for; NaN below zero.
#[must_use]
pub const fn sqrt(x: f32) -> f32 {
    if x == 0.0 || x.is_nan() || x == f32::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f32::NAN;
    }
    let (significand, exponent) = parts(x);
    // The exponent made even, and a radicand in 2^48..2^50: its root has 25 bits, of which the last rounds. It never ends in
    // a tie, because the square of an odd number is odd.
    let up = if exponent & 1 == 0 { 26 } else { 25 };
    let radicand = (significand as u64) << up;
    let (mut root, mut bit) = (0u64, 1u64 << 24);
    while bit > 0 {
        let tried = root | bit;
        if tried.wrapping_mul(tried) <= radicand {
            root = tried;
        }
        bit >>= 1;
    }
    let root = ((root + 1) >> 1) as u32;
    // Roots are far from the ends of the exponent's range.
    root as f32 * power_of_two((exponent - up) / 2 + 1)
}

/// `1 / sqrt(x)`, with the root rounded first as in `micro/kernels/elementwise.cc`.
#[must_use]
pub const fn rsqrt(x: f32) -> f32 {
    1.0 / sqrt(x)
}

/// The natural logarithm, within 2e-7 of it (relative, or absolute next to 1); NaN below zero.
///
/// `x = 2^e * m` with `m` next to 1, and `ln(m) = 2 artanh((m - 1) / (m + 1))` as its series to the 11th power, whose rest is
/// below 1e-11 there.
#[must_use]
pub const fn ln(x: f32) -> f32 {
    // Nine significant bits, so that its product with the exponent is exact.
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const SQRT_HALF: u32 = 0xb5_04f3;
    if x.is_nan() || x == f32::INFINITY {
        return x;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x < 0.0 {
        return f32::NAN;
    }
    let (significand, exponent) = parts(x);
    // In sqrt(1/2)..sqrt(2).
    let (exponent, m) = if significand > SQRT_HALF {
        (exponent + 24, significand as f32 * power_of_two(-24))
    } else {
        (exponent + 23, significand as f32 * power_of_two(-23))
    };
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut series = 1.0 / 11.0;
    series = series * z + 1.0 / 9.0;
    series = series * z + 1.0 / 7.0;
    series = series * z + 1.0 / 5.0;
    series = series * z + 1.0 / 3.0;
    let e = exponent as f32;
    // 2 s = f - s f, which loses nothing.
    e * LN2_HIGH + (f - (s * f - 2.0 * s * z * series) + e * LN2_LOW)
}

/// `e^x - 1`, within 4e-7 of it (relative).
#[must_use]
pub const fn exp_m1(x: f32) -> f32 {
    if x > 0.35 || x < -0.35 || x.is_nan() {
        return exp(x) - 1.0;
    }
    // Taylor to the eighth power: the rest is below 3e-9 of x.
    let mut series = 1.0 / 40320.0;
    series = series * x + 1.0 / 5040.0;
    series = series * x + 1.0 / 720.0;
    series = series * x + 1.0 / 120.0;
    series = series * x + 1.0 / 24.0;
    series = series * x + 1.0 / 6.0;
    series = series * x + 0.5;
    series * x * x + x
}

/// The hyperbolic tangent, within 6e-7 of it (relative).
#[must_use]
pub const fn tanh(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    // Beyond 10 it is 1 in single precision.
    if x > 10.0 {
        return 1.0;
    }
    if x < -10.0 {
        return -1.0;
    }
    let e = exp_m1(2.0 * x);
    e / (e + 2.0)
}

/// `1 / (1 + e^-x)`, with the cutoffs of `Logistic` (`kernels/internal/reference/logistic.h`).
#[must_use]
pub const fn logistic(x: f32) -> f32 {
    if x > 16.619_047 {
        1.0
    } else if x < -9.0 {
        exp(x)
    } else {
        1.0 / (1.0 + exp(-x))
    }
}

/// The quarter of a turn that is nearest to `x`, modulo 4, and the distance from it, in -pi/4..=pi/4.
///
/// Exact to far beyond single precision for every finite `x`: the significand times those bits of 2/pi that matter at its
/// exponent (Payne and Hanek, "Radian reduction for trigonometric functions", 1983).
const fn quarters(x: f32) -> (u32, f32) {
    // 2/pi, 256 bits behind the point.
    const HIGH: u128 = 0xa2f9_836e_4e44_1529_fc27_57d1_f534_ddc0;
    const LOW: u128 = 0xdb62_9599_3c43_9041_fe51_63ab_debb_c561;
    const STEP: f32 = core::f32::consts::FRAC_PI_2 / 18_446_744_073_709_551_616.0;
    if x < core::f32::consts::FRAC_PI_4 && x > -core::f32::consts::FRAC_PI_4 {
        return (0, x);
    }
    let (significand, exponent) = parts(x);
    // Bits of 2/pi whose products are whole turns do not matter: those before this one, at most 102.
    let skipped = if exponent > 2 { exponent as u32 - 2 } else { 0 };
    let window = if skipped == 0 {
        HIGH
    } else {
        HIGH.wrapping_shl(skipped) | LOW.wrapping_shr(128u32.wrapping_sub(skipped))
    };
    // 24 and 96 bits.
    let product = significand as u128 * (window >> 32);
    // The point lies 94 to 120 bits from the right.
    let point = (96 + skipped as i32 - exponent).unsigned_abs();
    let whole = product.wrapping_shr(point) as u32;
    let fraction = (product.wrapping_shl(128u32.wrapping_sub(point)) >> 64) as u64;
    // From a half on, the next quarter is nearer, and the fraction, as a signed number, is the distance from it.
    let quarter = whole.wrapping_add((fraction >> 63) as u32);
    let distance = fraction as i64 as f32 * STEP;
    if x < 0.0 {
        (quarter.wrapping_neg() & 3, -distance)
    } else {
        (quarter & 3, distance)
    }
}

/// The sine on -pi/4..=pi/4: Taylor to the ninth power, whose rest is below 2e-9.
const fn sin_near(x: f32) -> f32 {
    let z = x * x;
    let mut series = 1.0 / 362_880.0;
    series = series * z - 1.0 / 5040.0;
    series = series * z + 1.0 / 120.0;
    series = series * z - 1.0 / 6.0;
    series * z * x + x
}

/// The cosine on -pi/4..=pi/4: Taylor to the tenth power, whose rest is below 2e-10.
const fn cos_near(x: f32) -> f32 {
    let z = x * x;
    let mut series = -1.0 / 3_628_800.0;
    series = series * z + 1.0 / 40320.0;
    series = series * z - 1.0 / 720.0;
    series = series * z + 1.0 / 24.0;
    series = series * z - 0.5;
    series * z + 1.0
}

/// The sine, within 3e-7 of it, for every finite `x`; else NaN.
#[must_use]
pub const fn sin(x: f32) -> f32 {
    turned(x, 0)
}

/// The cosine, within 3e-7 of it, for every finite `x`; else NaN.
#[must_use]
pub const fn cos(x: f32) -> f32 {
    turned(x, 1)
}

/// The sine, so many quarters further.
const fn turned(x: f32, further: u32) -> f32 {
    if !x.is_finite() {
        return f32::NAN;
    }
    let (quarter, distance) = quarters(x);
    match quarter.wrapping_add(further) & 3 {
        0 => sin_near(distance),
        1 => cos_near(distance),
        2 => -sin_near(distance),
        _ => -cos_near(distance),
    }
}

/// The f32 nearest to `e^x`, but for one in some ten thousand whose neighbour is nearly as near: what tables of integers
/// hang on. In double precision, so slow on a chip: the series of `e^(x / 2^k)`, then squared.
#[must_use]
pub const fn exp_nearest(x: f32) -> f32 {
    if x.is_nan() || x > 89.0 {
        return exp(x);
    }
    if x < -110.0 {
        return 0.0;
    }
    let r = x as f64 / 256.0;
    let (mut power, mut term, mut n) = (1.0, 1.0, 1.0);
    while n < 16.0 {
        term *= r / n;
        power += term;
        n += 1.0;
    }
    let mut squared = 0;
    while squared < 8 {
        power *= power;
        squared += 1;
    }
    power as f32
}

/// The integer nearest to `x`, halves away from zero, saturated: a conversion after [`round`].
#[must_use]
pub const fn round_to_i32(x: f32) -> i32 {
    round(x) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(found: f32, expected: f64, relative: f64, absolute: f64) -> bool {
        let gap = (f64::from(found) - expected).abs();
        gap <= relative * expected.abs() || gap <= absolute
    }

    #[test]
    fn ends() {
        assert_eq!(ln(0.0), f32::NEG_INFINITY);
        assert!(ln(-1.0).is_nan() && sqrt(-1.0).is_nan() && remainder(1.0, 0.0).is_nan());
        assert!(sin(f32::INFINITY).is_nan() && cos(f32::NAN).is_nan());
        assert_eq!(
            (ln(1.0), exp_m1(0.0), tanh(50.0), tanh(-50.0)),
            (0.0, 0.0, 1.0, -1.0)
        );
        assert_eq!(
            (logistic(0.0), logistic(20.0), logistic(-200.0)),
            (0.5, 1.0, 0.0)
        );
        assert_eq!((rsqrt(4.0), rsqrt(0.0)), (0.5, f32::INFINITY));
        assert_eq!(round_to_i32(-2.5), -3);
        assert_eq!(
            (exp_nearest(-200.0), exp_nearest(100.0)),
            (0.0, f32::INFINITY)
        );
        // Nearer to a multiple of pi/2 than any other f32: 16367173 * 2^72.
        assert!(near(
            cos(f32::from_bits(0x7379_bde5 & 0x7fff_ffff)),
            f64::from(f32::from_bits(0x7379_bde5)).cos(),
            1e-6,
            3e-7
        ));
    }

    #[test]
    fn halves_go_to_the_even_number() {
        let halves = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 7.0, -0.2];
        assert_eq!(
            halves.map(round_even),
            [0.0, 2.0, 2.0, 0.0, -2.0, -2.0, 7.0, 0.0]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn integers_and_roots_are_those_of_the_standard_library(bits: u32, other: u32) {
            let (x, y) = (f32::from_bits(bits), f32::from_bits(other));
            let same = |a: f32, b: f32| a == b || a.is_nan() && b.is_nan();
            prop_assert!(same(floor(x), x.floor()) && same(ceil(x), x.ceil()) && same(truncate(x), x.trunc()), "{x}");
            prop_assert!(same(round_even(x), x.round_ties_even()), "{x}");
            prop_assert!(same(sqrt(x), x.sqrt()), "sqrt({x}) is {} not {}", sqrt(x), x.sqrt());
            prop_assert!(same(remainder(x, y), x % y), "{x} % {y} is {} not {}", remainder(x, y), x % y);
            let quotient = (f64::from(x) / f64::from(y)).floor() as f32;
            prop_assert!(same(floor_quotient(x, y), quotient), "{x} / {y}");
        }

        #[test]
        fn circular_functions_are_close(bits in 0u32..0x7f80_0000, negative: bool) {
            let x = f32::from_bits(bits) * if negative { -1.0 } else { 1.0 };
            prop_assert!(near(sin(x), f64::from(x).sin(), 3e-7, 3e-7), "sin({x}) is {}", sin(x));
            prop_assert!(near(cos(x), f64::from(x).cos(), 3e-7, 3e-7), "cos({x}) is {}", cos(x));
        }

        #[test]
        fn circular_functions_near_zero_are_close(x in -40.0f32..40.0) {
            prop_assert!(near(sin(x), f64::from(x).sin(), 2e-7, 2e-7), "sin({x}) is {}", sin(x));
            prop_assert!(near(cos(x), f64::from(x).cos(), 2e-7, 2e-7), "cos({x}) is {}", cos(x));
        }

        #[test]
        fn logarithms_are_close(bits in 1u32..0x7f80_0000, m in 0.6f32..1.6) {
            for x in [f32::from_bits(bits), m] {
                prop_assert!(near(ln(x), f64::from(x).ln(), 2e-7, 1e-7), "ln({x}) is {}", ln(x));
            }
        }

        #[test]
        fn exponentials_are_close(x in -87.0f32..88.0, y in -3.0f32..3.0) {
            for x in [x, y] {
                let d = f64::from(x);
                prop_assert!(near(exp_m1(x), d.exp_m1(), 4e-7, 0.0), "exp_m1({x}) is {}", exp_m1(x));
                prop_assert!(near(tanh(x), d.tanh(), 6e-7, 0.0), "tanh({x}) is {}", tanh(x));
                prop_assert!(near(logistic(x), 1.0 / (1.0 + (-d).exp()), 5e-7, 2e-8), "logistic({x}) is {}", logistic(x));
                prop_assert_eq!(exp_nearest(x), d.exp() as f32, "exp({})", x);
            }
        }
    }
}
