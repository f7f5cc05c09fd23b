//! The few functions on `f32` that `core` does not have and a chip without a C library needs.

/// The integer nearest to `x`, halves away from zero, as C's `roundf` and TFLite's `TfLiteRound`
/// (`kernels/internal/cppmath.h`) give it.
#[must_use]
pub const fn round(x: f32) -> f32 {
    // From 2^23 on every f32 is an integer; this also lets infinities and NaN through.
    const INTEGERS_FROM: f32 = 8_388_608.0;
    if !(x < INTEGERS_FROM && x > -INTEGERS_FROM) {
        return x;
    }
    let truncated = x as i32 as f32;
    let rest = x - truncated;
    if rest >= 0.5 {
        truncated + 1.0
    } else if rest <= -0.5 {
        truncated - 1.0
    } else {
        truncated
    }
}

/// `e` to the power of `x`, within 2e-7 of it (relative); 0 below -87.3 (no subnormal results), infinity above 88.7.
///
/// Reduction to `|r| <= ln(2) / 2` with `ln(2)` in two parts (Cody and Waite, "Software Manual for the Elementary
/// Functions", 1980), then the Taylor series to the seventh power, whose rest is below 6e-9 there.
#[must_use]
pub const fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    // The high part has nine significant bits, so that its product with the exponent is exact.
    const LN2_HIGH: f32 = 355.0 / 512.0;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    if x.is_nan() {
        return x;
    }
    if x > 88.722_84 {
        return f32::INFINITY;
    }
    if x < -87.336_54 {
        return 0.0;
    }
    let exponent = round(x * LOG2_E);
    let r = (x - exponent * LN2_HIGH) - exponent * LN2_LOW;
    let mut series = 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    series = series * r * r + r + 1.0;
    // 2^128 has no f32, so the power of two is applied in two halves.
    let exponent = exponent as i32;
    let half = exponent >> 1;
    series * power_of_two(half) * power_of_two(exponent - half)
}

/// `2^exponent` for an exponent in -126..=127.
const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits((((exponent + 127) & 0xff) as u32) << 23)
}

/// A number of IEEE 754's 16 bits, exactly; a NaN stays one.
#[must_use]
pub const fn from_half(bits: u16) -> f32 {
    // 2^112: what exponents differ by, in a product that also brings subnormal numbers where they belong.
    const REBIAS: f32 = f32::from_bits((112 + 127) << 23);
    let sign = (bits as u32 & 0x8000) << 16;
    let magnitude = (bits as u32 & 0x7fff) << 13;
    let value = if magnitude >= 0x7c00 << 13 {
        // Infinity and NaN have the greatest exponent in both.
        magnitude | 0x7f80_0000
    } else {
        (f32::from_bits(magnitude) * REBIAS).to_bits()
    };
    f32::from_bits(value | sign)
}

#[cfg(test)]
mod tests {
    use super::{exp, from_half, round};
    use proptest::prelude::*;

    #[test]
    fn halves_go_away_from_zero() {
        for (x, expected) in [
            (0.5, 1.0),
            (-0.5, -1.0),
            (1.5, 2.0),
            (-2.5, -3.0),
            (0.499_999_97, 0.0),
            (8_388_607.5, 8_388_608.0),
        ] {
            assert_eq!(round(x), expected, "round({x})");
        }
        assert!(round(f32::NAN).is_nan());
        assert_eq!(round(f32::INFINITY), f32::INFINITY);
    }

    /// By the definition: sign, exponent and fraction in double precision.
    #[test]
    fn every_half_is_what_it_stands_for() {
        let power =
            |exponent: i32| f64::from_bits(u64::from((1023 + exponent).cast_unsigned()) << 52);
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            let magnitude = match exponent {
                0 => fraction * power(-24),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1024.0 + fraction) * power(exponent - 25),
            };
            let expected = if bits >> 15 == 1 {
                -magnitude
            } else {
                magnitude
            };
            let half = from_half(bits);
            let found = f64::from(half);
            assert!(
                found == expected || found.is_nan() && expected.is_nan(),
                "{bits:#x}"
            );
            // Of the float32: what a conversion makes of the sign of NaN is not said.
            assert_eq!(half.is_sign_negative(), bits >> 15 == 1, "{bits:#x}");
        }
    }

    #[test]
    fn exp_at_its_ends() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-100.0), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert!(exp(88.7).is_finite());
        assert!(exp(f32::NAN).is_nan());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn round_is_libm_round(bits: u32) {
            let x = f32::from_bits(bits);
            prop_assert!(round(x) == x.round() || x.is_nan());
        }

        #[test]
        fn exp_is_close(x in -87.3f32..88.7) {
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            prop_assert!(error < 2e-7, "exp({x}) is off by {error:e}");
        }
    }
}
