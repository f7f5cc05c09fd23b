//! Multipliers, scales and ranges: how a real factor becomes an integer and a shift.

use crate::fixed_point::{rounding_divide_by_pot, rounding_doubling_high_mul};
use crate::{Activation, float};

crate::plain! {
    /// A non-negative real factor as `multiplier * 2^(shift - 31)`, with `multiplier` in `2^30..2^31` or 0.
    ///
    /// The layout is two `i32`, so that a slice of them can lie in an arena of words.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct QuantizedMultiplier {
        /// The significand, Q0.31; not negative.
        pub multiplier: i32,
        /// The power of two: positive shifts to the left. -31..=30 where the factor is below `2^30`.
        pub shift: i32,
    }
}

impl QuantizedMultiplier {
    /// The nearest multiplier to `factor`, as `QuantizeMultiplier` (`kernels/internal/quantization_util.cc`) gives it:
    /// the significand rounded half away from zero, factors below `2^-32` flushed to zero. Negative factors, NaN and
    /// infinity give zero.
    #[must_use]
    pub const fn from_f64(factor: f64) -> Self {
        let bits = factor.to_bits();
        let exponent = (bits >> 52) as i32;
        let fraction = bits & ((1 << 52) - 1);
        // Zero, subnormal (far below 2^-32), negative (the sign makes it greater), infinite or not a number.
        if exponent == 0 || exponent >= 0x7ff {
            return Self::ZERO;
        }
        // frexp: the significand in [1/2, 1) as Q0.53.
        Self::from_significand(fraction | (1 << 52), exponent - 1022)
    }

    /// `from_f64(a as f64 * b as f64 / divisor as f64)` to the bit, in integers: a chip without double precision
    /// would link and run a kilobyte of software floating point instead.
    ///
    /// Zero where an argument is zero, negative, infinite or not a number: callers check the scales first.
    #[must_use]
    pub const fn from_ratio(a: f32, b: f32, divisor: f32) -> Self {
        let (Some((a, a_exponent)), Some((b, b_exponent)), Some((divisor, divisor_exponent))) =
            (decompose(a), decompose(b), decompose(divisor))
        else {
            return Self::ZERO;
        };
        // Both significands are in 2^23..2^24, so the product, exact here and in a double, is in 2^46..2^48 and the
        // quotient in 2^22..2^25; with 32 more bits it has at least 54, one more than a double. Long division in base
        // 256: what rests is below 2^24, so that a digit takes one division of 32 bits.
        let product = a as u64 * b as u64;
        // The top bit is set anyway; that way the compiler knows that this divides.
        let divisor = divisor | (1 << 23);
        let mut rest = (product >> 24) as u32;
        let mut quotient = (rest / divisor) as u64;
        rest %= divisor;
        let mut low = (product as u32) << 8;
        let mut digit = 0;
        while digit < 7 {
            let dividend = rest << 8 | low >> 24;
            low <<= 8;
            quotient = quotient << 8 | (dividend / divisor) as u64;
            rest = dividend % divisor;
            digit += 1;
        }
        // The division in double precision rounds to 53 bits before the significand is rounded again. Ties go to even
        // there and up here: that differs only where the last of the 53 bits decides nothing, for the one that does,
        // below a half of the final rounding, is odd.
        let excess = 10 - quotient.leading_zeros() as i32;
        let significand = ((quotient >> excess) + 1) >> 1;
        let exponent = a_exponent + b_exponent - divisor_exponent - 32 + excess + 1;
        Self::from_significand(significand, exponent + 53)
    }

    /// Factor zero.
    pub const ZERO: Self = Self {
        multiplier: 0,
        shift: 0,
    };

    /// From `significand / 2^53 * 2^shift` with a significand in `2^52..2^53`.
    const fn from_significand(significand: u64, mut shift: i32) -> Self {
        let mut multiplier = (significand + (1 << 21)) >> 22;
        if multiplier == 1 << 31 {
            multiplier >>= 1;
            shift += 1;
        }
        if shift < -31 {
            return Self::ZERO;
        }
        Self {
            multiplier: multiplier as i32,
            shift,
        }
    }

    /// `x` times the factor with gemmlowp's two roundings: `MultiplyByQuantizedMultiplier`
    /// (`kernels/internal/common.cc` without `TFLITE_SINGLE_ROUNDING`, which is how TFLM and LiteRT are built).
    #[inline(always)]
    #[must_use]
    pub const fn apply(self, x: i32) -> i32 {
        if self.shift > 0 {
            // Wraps where the reference has undefined behaviour.
            rounding_doubling_high_mul(x.wrapping_shl(self.shift as u32), self.multiplier)
        } else {
            let product = rounding_doubling_high_mul(x, self.multiplier);
            if self.shift == 0 {
                return product;
            }
            // rounding_divide_by_pot in fewer instructions: away from zero is down for negatives, so take one off
            // them and round half up. The product is above i32::MIN because the multiplier is below 2^31.
            let exponent = self.shift.unsigned_abs();
            let lowered = product.wrapping_add(product >> 31);
            (lowered
                .wrapping_shr(exponent.wrapping_sub(1))
                .wrapping_add(1))
                >> 1
        }
    }

    /// `x` times the factor for sums of 64 bits: `MultiplyByQuantizedMultiplier` on `int64_t`
    /// (`kernels/internal/common.cc`), which keeps 16 bits of the significand and rounds once, half up.
    ///
    /// `x` is within 48 bits and the shift in -31..=7; beyond that the result wraps.
    #[inline(always)]
    #[must_use]
    pub const fn apply_wide(self, x: i64) -> i32 {
        let reduced = if self.multiplier < 0x7fff_0000 {
            (self.multiplier + (1 << 15)) >> 16
        } else {
            0x7fff
        };
        // In 1..=46 for the shifts above; the mask tells the compiler that it stays within 64 bits.
        let shift = 15i32.wrapping_sub(self.shift).cast_unsigned() & 63;
        let half = 1i64 << (shift.wrapping_sub(1) & 63);
        (x.wrapping_mul(reduced as i64).wrapping_add(half) >> shift) as i32
    }

    /// [`apply`](Self::apply) without the left shift's own rounding rule: `x * 2^shift` first, for the kernels that
    /// are defined by `MultiplyByQuantizedMultiplierGreaterThanOne`.
    #[inline]
    #[must_use]
    pub const fn apply_greater_than_one(self, x: i32) -> i32 {
        rounding_doubling_high_mul(x.wrapping_shl(self.shift as u32), self.multiplier)
    }
}

/// Significand in `2^23..2^24` and exponent of a positive finite number.
#[inline(never)]
const fn decompose(x: f32) -> Option<(u32, i32)> {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32;
    let fraction = bits & ((1 << 23) - 1);
    if exponent >= 0xff || bits == 0 {
        // Infinite, not a number, negative (its sign bit makes the exponent greater) or zero.
        None
    } else if exponent == 0 {
        let up = fraction.leading_zeros() - 8;
        // The bit is there already; said again, the compiler sees that a division by it cannot panic.
        Some((fraction << up | (1 << 23), -149 - up as i32))
    } else {
        Some((fraction | (1 << 23), exponent - 150))
    }
}

/// An inclusive range that results are clamped to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Clamp<T> {
    /// The least value kept.
    pub min: T,
    /// The greatest value kept.
    pub max: T,
}

impl Clamp<i32> {
    /// Every int8.
    pub const INT8: Self = Self {
        min: i8::MIN as i32,
        max: i8::MAX as i32,
    };

    /// Every int16.
    pub const INT16: Self = Self {
        min: i16::MIN as i32,
        max: i16::MAX as i32,
    };

    /// What a fused activation leaves of the range `self` of an output with this scale and zero point:
    /// `CalculateActivationRangeQuantized` (`kernels/kernel_util.cc`). `None` where a bound does not fit an `i32` or
    /// the activation does not clamp.
    #[must_use]
    pub const fn with_activation(
        self,
        activation: Activation,
        scale: f32,
        zero_point: i32,
    ) -> Option<Self> {
        let Some((low, high)) = activation.clamp() else {
            return None;
        };
        let mut range = self;
        if low.is_finite() {
            let Some(q) = quantize(low, scale, zero_point) else {
                return None;
            };
            if q > range.min {
                range.min = q;
            }
        }
        if high.is_finite() {
            let Some(q) = quantize(high, scale, zero_point) else {
                return None;
            };
            if q < range.max {
                range.max = q;
            }
        }
        Some(range)
    }

    /// `x` within the range; `min` wins where the two are the wrong way round.
    #[inline(always)]
    #[must_use]
    pub const fn apply(self, x: i32) -> i32 {
        let x = if x > self.max { self.max } else { x };
        if x < self.min { self.min } else { x }
    }
}

impl Clamp<f32> {
    /// What a fused activation keeps; `None` where the activation does not clamp.
    #[must_use]
    pub const fn of_activation(activation: Activation) -> Option<Self> {
        match activation.clamp() {
            Some((min, max)) => Some(Self { min, max }),
            None => None,
        }
    }

    /// `x` within the range.
    #[inline(always)]
    #[must_use]
    pub const fn apply(self, x: f32) -> f32 {
        let x = if x > self.max { self.max } else { x };
        if x < self.min { self.min } else { x }
    }
}

/// `round(x / scale) + zero_point`, `None` where that leaves `i32` (`Quantize` in `kernels/kernel_util.cc`).
const fn quantize(x: f32, scale: f32, zero_point: i32) -> Option<i32> {
    // 0 / scale needs no division in software.
    if x == 0.0 {
        return Some(zero_point);
    }
    let steps = float::round(x / scale);
    if steps >= -2_147_483_648.0 && steps < 2_147_483_648.0 {
        zero_point.checked_add(steps as i32)
    } else {
        None
    }
}

/// `x` times the factor in two steps that each round: the definition that [`QuantizedMultiplier::apply`] is tested
/// against.
#[must_use]
pub const fn multiply_by_quantized_multiplier(x: i32, factor: QuantizedMultiplier) -> i32 {
    let (left, right) = if factor.shift > 0 {
        (factor.shift as u32, 0)
    } else {
        (0, factor.shift.unsigned_abs())
    };
    rounding_divide_by_pot(
        crate::fixed_point::saturating_rounding_doubling_high_mul(
            x.wrapping_shl(left),
            factor.multiplier,
        ),
        right,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scale() -> impl Strategy<Value = f32> {
        prop_oneof![
            1e-6f32..1e3,
            (0u32..0x7f80_0000).prop_map(f32::from_bits),
            (-140..120i32).prop_map(|e| 2f32.powi(e)),
        ]
    }

    #[test]
    fn known_multipliers() {
        let half = QuantizedMultiplier {
            multiplier: 1 << 30,
            shift: 0,
        };
        assert_eq!(QuantizedMultiplier::from_f64(0.5), half);
        assert_eq!(QuantizedMultiplier::from_f64(1.0).shift, 1);
        // Rounds up to 2^31, which is 2^30 with the next exponent.
        assert_eq!(QuantizedMultiplier::from_f64(0.5 - 1e-17 * 2.0), half);
        assert_eq!(
            QuantizedMultiplier::from_f64(2f64.powi(-33)),
            QuantizedMultiplier::ZERO
        );
        for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, 1e-310] {
            assert_eq!(
                QuantizedMultiplier::from_f64(bad),
                QuantizedMultiplier::ZERO,
                "{bad}"
            );
        }
        for bad in [0.0, -0.5, f32::NAN, f32::INFINITY] {
            for (a, b, c) in [(bad, 1.0, 1.0), (1.0, bad, 1.0), (1.0, 1.0, bad)] {
                assert_eq!(
                    QuantizedMultiplier::from_ratio(a, b, c),
                    QuantizedMultiplier::ZERO
                );
            }
        }
    }

    #[test]
    fn activations_narrow_the_range() {
        let full = Clamp::INT8;
        assert_eq!(full.with_activation(Activation::None, 0.1, 3), Some(full));
        assert_eq!(
            full.with_activation(Activation::Relu6, 0.1, -100),
            Some(Clamp {
                min: -100,
                max: -40
            })
        );
        assert_eq!(full.with_activation(Activation::Tanh, 0.1, 0), None);
        assert_eq!(full.with_activation(Activation::Relu6, 1e-30, 0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn from_ratio_equals_double_precision(a in scale(), b in scale(), c in scale()) {
            let factor = f64::from(a) * f64::from(b) / f64::from(c);
            prop_assert_eq!(
                QuantizedMultiplier::from_ratio(a, b, c),
                QuantizedMultiplier::from_f64(factor),
                "{} * {} / {} = {:e}", a, b, c, factor
            );
        }

        #[test]
        fn from_f64_equals_frexp_and_round(bits in 0x3d00_0000_0000_0000u64..0x4200_0000_0000_0000) {
            let factor = f64::from_bits(bits);
            let found = QuantizedMultiplier::from_f64(factor);
            let mut shift = factor.log2().floor() as i32 + 1;
            let mut significand = factor / 2f64.powi(shift);
            if significand >= 1.0 { significand /= 2.0; shift += 1; }
            if significand < 0.5 { significand *= 2.0; shift -= 1; }
            let mut multiplier = (significand * 2f64.powi(31)).round() as i64;
            if multiplier == 1 << 31 { multiplier /= 2; shift += 1; }
            if shift < -31 { shift = 0; multiplier = 0; }
            prop_assert_eq!((i64::from(found.multiplier), found.shift), (multiplier, shift));
        }

        #[test]
        fn apply_equals_its_two_roundings(x: i32, multiplier in (1 << 30)..=i32::MAX, shift in -31..=30i32) {
            let factor = QuantizedMultiplier { multiplier, shift };
            prop_assert_eq!(factor.apply(x), multiply_by_quantized_multiplier(x, factor));
        }
    }
}
