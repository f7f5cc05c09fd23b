//! Fixed-point arithmetic with the roundings of gemmlowp (`fixedpoint/fixedpoint.h`), which TFLite's integer kernels
//! are defined by.
//!
//! Overflow that is undefined behaviour there wraps here: nothing in this file panics in any profile.

/// `a * b / 2^31`, rounded to nearest with ties up, saturated: `SaturatingRoundingDoublingHighMul`.
///
/// gemmlowp adds a nudge with the product's sign and truncates; that is the same function as one addition and an
/// arithmetic shift (the property test below holds the two against each other).
#[inline(never)]
#[must_use]
pub const fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    rounding_doubling_high_mul(a, b)
}

/// [`saturating_rounding_doubling_high_mul`] where the caller knows that not both are `i32::MIN`.
#[inline(always)]
pub const fn rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    // Armv6-M, which is Arm without compare-and-swap, multiplies to 32 bits only.
    if cfg!(all(target_arch = "arm", not(target_has_atomic = "32"))) {
        high_mul_by_halves(a, b)
    } else {
        ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32
    }
}

/// [`rounding_doubling_high_mul`] with products of 32 bits. None of the sums below overflows: a product of a lower half, which
/// has no sign, and an upper one is at least 2^16 away from the ends of 32 bits.
#[inline(never)]
const fn high_mul_by_halves(a: i32, b: i32) -> i32 {
    let (a_low, a_high) = (a & 0xffff, a >> 16);
    let (b_low, b_high) = (b & 0xffff, b >> 16);
    let low = a_low.wrapping_mul(b_low).cast_unsigned();
    let middle = a_low
        .wrapping_mul(b_high)
        .wrapping_add((low >> 16).cast_signed());
    let other = a_high.wrapping_mul(b_low).wrapping_add(middle & 0xffff);
    let high = a_high
        .wrapping_mul(b_high)
        .wrapping_add(middle >> 16)
        .wrapping_add(other >> 16);
    // The highest two of the lower 32 bits, rounded to one.
    let rest = (((other & 0xffff) >> 14) + 1) >> 1;
    high.wrapping_mul(2).wrapping_add(rest)
}

/// `x / 2^exponent`, rounded to nearest with ties away from zero: `RoundingDivideByPOT`. `exponent` is in 0..=31.
#[inline]
#[must_use]
pub const fn rounding_divide_by_pot(x: i32, exponent: u32) -> i32 {
    let mask = 1u32.wrapping_shl(exponent).wrapping_sub(1) as i32;
    let remainder = x & mask;
    let threshold = (mask >> 1) + (x < 0) as i32;
    x.wrapping_shr(exponent)
        .wrapping_add((remainder > threshold) as i32)
}

/// `x * 2^exponent`, saturated: `SaturatingRoundingMultiplyByPOT` with a positive exponent. `exponent` is in 0..=31.
#[inline]
#[must_use]
pub const fn saturating_shift_left(x: i32, exponent: u32) -> i32 {
    if x > i32::MAX.wrapping_shr(exponent) {
        i32::MAX
    } else if x < i32::MIN.wrapping_shr(exponent) {
        i32::MIN
    } else {
        x.wrapping_shl(exponent)
    }
}

/// `e^(x / 2^26)` in Q0.31, for `x <= 0` with five integer bits: `exp_on_negative_values` on `FixedPoint<int32_t, 5>`.
#[must_use]
pub const fn exp_on_negative_values(x: i32) -> i32 {
    exp_with_integer_bits::<5>(x)
}

/// [`exp_on_negative_values`] of an `x` with so many integer bits, at most five.
#[inline(always)]
const fn exp_with_integer_bits<const INTEGER_BITS: u32>(x: i32) -> i32 {
    let fractional_bits = 31 - INTEGER_BITS;
    let one_quarter = 1 << (fractional_bits - 2);
    // e^-(2^k) in Q0.31 for k = -2, -1, .. 4. Of x with fewer integer bits the last remainders are always zero.
    const POWERS: [i32; 7] = [
        1_672_461_947,
        1_302_514_674,
        790_015_084,
        290_630_308,
        39_332_535,
        720_401,
        242,
    ];
    if x == 0 {
        return i32::MAX;
    }
    // x = (a value in [-1/4, 0)) - (a multiple of 1/4); the first by a series, the second bit by bit.
    let in_quarter = (x & (one_quarter - 1)) - one_quarter;
    let mut result = exp_on_quarter(saturating_shift_left(in_quarter, INTEGER_BITS));
    let mut remainder = in_quarter.wrapping_sub(x) as u32 >> (fractional_bits - 2);
    let mut powers: &[i32] = &POWERS;
    while let [power, rest @ ..] = powers {
        if remainder & 1 != 0 {
            result = saturating_rounding_doubling_high_mul(result, *power);
        }
        remainder >>= 1;
        powers = rest;
    }
    result
}

/// `e^x` in Q0.31 for `x` in [-1/4, 0), Q0.31: `exp_on_interval_between_negative_one_quarter_and_0_excl`, a series
/// around -1/8.
const fn exp_on_quarter(x: i32) -> i32 {
    const EXP_OF_MINUS_ONE_EIGHTH: i32 = 1_895_147_668;
    const ONE_THIRD: i32 = 715_827_883;
    const fn mul(a: i32, b: i32) -> i32 {
        saturating_rounding_doubling_high_mul(a, b)
    }
    let x = x.wrapping_add(1 << 28);
    let x2 = mul(x, x);
    let x3 = mul(x2, x);
    let x4_over_4 = rounding_divide_by_pot(mul(x2, x2), 2);
    let higher_terms = rounding_divide_by_pot(
        mul(x4_over_4.wrapping_add(x3), ONE_THIRD).wrapping_add(x2),
        1,
    );
    EXP_OF_MINUS_ONE_EIGHTH.wrapping_add(mul(EXP_OF_MINUS_ONE_EIGHTH, x.wrapping_add(higher_terms)))
}

/// `1 / (1 + x)` in Q0.31 for `x` in [0, 1), Q0.31: `one_over_one_plus_x_for_x_in_0_1`.
#[must_use]
pub const fn one_over_one_plus_x(x: i32) -> i32 {
    // Half of Q2 is Q1 unchanged in bits; Q1 to Q0 is one bit to the left.
    saturating_shift_left(two_over_one_plus_x(x), 1)
}

/// `(1 - x) / (1 + x)` in Q0.31 for `x` in [0, 1), Q0.31: `one_minus_x_over_one_plus_x_for_x_in_0_1`.
const fn one_minus_x_over_one_plus_x(x: i32) -> i32 {
    saturating_shift_left(two_over_one_plus_x(x).wrapping_sub(ONE_IN_Q2), 2)
}

const ONE_IN_Q2: i32 = 1 << 29;

/// `2 / (1 + x)` in Q2.29 for `x` in [0, 1), Q0.31, by three steps of Newton and Raphson.
#[inline(always)]
const fn two_over_one_plus_x(x: i32) -> i32 {
    const FORTY_EIGHT_OVER_17: i32 = 1_515_870_810;
    const MINUS_THIRTY_TWO_OVER_17: i32 = -1_010_580_540;
    const fn mul(a: i32, b: i32) -> i32 {
        saturating_rounding_doubling_high_mul(a, b)
    }
    // RoundingHalfSum(x, 1.0); the sum is positive.
    let half_denominator = ((x as i64 + i32::MAX as i64 + 1) / 2) as i32;
    let mut result =
        FORTY_EIGHT_OVER_17.wrapping_add(mul(half_denominator, MINUS_THIRTY_TWO_OVER_17));
    let mut step = 0;
    while step < 3 {
        let error = ONE_IN_Q2.wrapping_sub(mul(half_denominator, result));
        // Q2 times Q2 is Q4: two bits to the left brings it back.
        result = result.wrapping_add(saturating_shift_left(mul(result, error), 2));
        step += 1;
    }
    result
}

/// `1 / (1 + e^-x)` in Q0.31 of a Q4.27: gemmlowp's `logistic` on `FixedPoint<int32_t, 4>`.
#[must_use]
pub const fn logistic(x: i32) -> i32 {
    if x == 0 {
        return 1 << 30;
    }
    let magnitude = if x > 0 { x } else { x.wrapping_neg() };
    let positive = one_over_one_plus_x(exp_with_integer_bits::<4>(magnitude.wrapping_neg()));
    if x > 0 {
        positive
    } else {
        i32::MAX.wrapping_sub(positive)
    }
}

/// The hyperbolic tangent in Q0.31 of a Q4.27: gemmlowp's `tanh` on `FixedPoint<int32_t, 4>`.
#[must_use]
pub const fn tanh(x: i32) -> i32 {
    if x == 0 {
        return 0;
    }
    let negative = if x < 0 { x } else { x.wrapping_neg() };
    // Twice a Q4 is a Q5 of the same bits.
    let positive = one_minus_x_over_one_plus_x(exp_on_negative_values(negative));
    if x < 0 {
        positive.wrapping_neg()
    } else {
        positive
    }
}

/// `1 / sqrt(x)` of a positive integer, as a multiplier: `GetInvSqrtQuantizedMultiplierExp`
/// (`kernels/internal/common.h`), by five steps of Newton and Raphson. What is below 2 counts as 1.
#[must_use]
pub const fn inverse_square_root(x: i32) -> crate::QuantizedMultiplier {
    const ONE_IN_Q3: i32 = 1 << 28;
    const THREE_HALVES_IN_Q3: i32 = (1 << 28) + (1 << 27);
    const HALF_SQRT_2: i32 = 1_518_500_250;
    const fn mul(a: i32, b: i32) -> i32 {
        saturating_rounding_doubling_high_mul(a, b)
    }
    if x <= 1 {
        return crate::QuantizedMultiplier {
            multiplier: i32::MAX,
            shift: 0,
        };
    }
    let (mut x, mut right) = (x, 11);
    while x >= 1 << 29 {
        x /= 4;
        right += 1;
    }
    // In 2^27..2^29 after this.
    let pairs = (x.leading_zeros().wrapping_sub(1) / 2).wrapping_sub(1) & 15;
    right -= pairs as i32;
    x <<= 2 * pairs;
    let half_input = rounding_divide_by_pot(x >> 1, 1);
    let mut root = ONE_IN_Q3;
    let mut step = 0;
    while step < 5 {
        // Q9 to Q3 is six bits to the left, Q6 to Q3 three.
        let cube = saturating_shift_left(mul(mul(root, root), root), 6);
        let next = mul(THREE_HALVES_IN_Q3, root).wrapping_sub(mul(half_input, cube));
        root = saturating_shift_left(next, 3);
        step += 1;
    }
    let root = mul(root, HALF_SQRT_2);
    if right < 0 {
        crate::QuantizedMultiplier {
            multiplier: root.wrapping_shl(right.unsigned_abs()),
            shift: 0,
        }
    } else {
        crate::QuantizedMultiplier {
            multiplier: root,
            shift: -right,
        }
    }
}

/// `2^31 * 2^bits_over_unit / x` rounded, and `bits_over_unit`, for a positive `x` with `integer_digits` integer bits:
/// `GetReciprocal` (`kernels/internal/common.h`).
#[must_use]
pub const fn reciprocal(x: i32, integer_digits: i32) -> (i32, i32) {
    let headroom_plus_one = x.leading_zeros();
    let bits_over_unit = integer_digits - headroom_plus_one as i32;
    let minus_one = (x as u32)
        .wrapping_shl(headroom_plus_one)
        .wrapping_sub(1 << 31) as i32;
    (one_over_one_plus_x(minus_one), bits_over_unit)
}

/// `x * 2^exponent`, saturating to the left and rounding to the right: `SaturatingRoundingMultiplyByPOTParam`.
const fn multiply_by_pot(x: i32, exponent: i32) -> i32 {
    if exponent >= 0 {
        saturating_shift_left(x, exponent.cast_unsigned())
    } else {
        rounding_divide_by_pot(x, exponent.unsigned_abs())
    }
}

/// The natural logarithm of a Q12.19 that is at least 1, as a Q5.26: `log_x_for_x_greater_than_or_equal_to_1`
/// (`kernels/internal/common.h`), a Padé approximant around the fourth root of a half.
#[must_use]
pub const fn log_of_at_least_one(x: i32) -> i32 {
    const INTEGER_BITS: i32 = 12;
    /// Whole powers of two are Q6.25 until the end.
    const POWER_SHIFT: i32 = 25;
    const QUARTER_IN_Q6: i32 = 1 << 23;
    const LN_2: i32 = 1_488_522_236;
    const FOURTH_ROOT_OF_HALF: i32 = 1_805_811_301;
    const ROOT_OF_HALF: i32 = 1_518_500_250;
    // With r the fourth root of 2: 11 r / 240, r / 20, 2 / r - r and r / 4.
    const NUMERATOR: i32 = 117_049_297;
    const SQUARE: i32 = 127_690_142;
    const CONSTANT: i32 = 1_057_819_769;
    const LINEAR: i32 = 638_450_708;
    const fn mul(a: i32, b: i32) -> i32 {
        saturating_rounding_doubling_high_mul(a, b)
    }
    const fn lesser(a: i32, b: i32) -> i32 {
        if a < b { a } else { b }
    }

    // x = 2^power * r, with r around the fourth root of a half: of two ways to split it the one with the lesser r.
    let zeros = x.leading_zeros().cast_signed();
    let r_a = mul(multiply_by_pot(x, zeros.wrapping_sub(1)), ROOT_OF_HALF);
    let r_a = saturating_shift_left(r_a, 1);
    let power_a = multiply_by_pot(INTEGER_BITS.wrapping_sub(zeros), POWER_SHIFT);
    let power_a = power_a.saturating_add(QUARTER_IN_Q6);
    let headroom = mul(x, ROOT_OF_HALF).leading_zeros().cast_signed();
    let headroom = headroom.wrapping_sub(1);
    let r_b = multiply_by_pot(x, headroom);
    let power_b = multiply_by_pot(INTEGER_BITS.wrapping_sub(headroom), POWER_SHIFT);
    let power_b = power_b.saturating_sub(QUARTER_IN_Q6);
    let r = lesser(r_a, r_b);
    let power = if power_a > power_b { power_a } else { power_b };

    // RoundingHalfSum, of two that are not negative.
    let p = ((r as i64 + FOURTH_ROOT_OF_HALF as i64 + 1) / 2) as i32;
    let q = r.wrapping_sub(FOURTH_ROOT_OF_HALF);
    let q = q.wrapping_add(q);
    let square = mul(q, q);
    let numerator = mul(q, r).wrapping_add(mul(mul(q, square), NUMERATOR));
    let factor = CONSTANT.wrapping_add(q).wrapping_add(mul(SQUARE, square));
    let denominator_minus_one = mul(p, factor).wrapping_add(mul(LINEAR, q));
    let reciprocal = one_over_one_plus_x(denominator_minus_one);
    let rest = mul(rounding_divide_by_pot(numerator, 6), reciprocal);
    saturating_shift_left(mul(power, LN_2).wrapping_add(rest), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition in words: nudge by half with the product's sign, then truncate.
    fn high_mul_oracle(a: i32, b: i32) -> i32 {
        if a == i32::MIN && b == i32::MIN {
            return i32::MAX;
        }
        let product = i128::from(a) * i128::from(b);
        let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
        i32::try_from((product + nudge) / (1 << 31)).unwrap()
    }

    /// Ties away from zero by wide integers.
    fn divide_oracle(x: i32, exponent: u32) -> i32 {
        let divisor = 1i128 << exponent;
        let magnitude = (i128::from(x).abs() * 2 + divisor) / (2 * divisor);
        i32::try_from(magnitude * i128::from(x.signum())).unwrap()
    }

    fn edgy() -> impl Strategy<Value = i32> {
        prop_oneof![
            any::<i32>(),
            Just(i32::MIN),
            Just(i32::MAX),
            -3..=3i32,
            (0..31u32).prop_map(|bits| 1 << bits),
            (0..31u32).prop_map(|bits| -(1 << bits)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn high_mul_equals_its_definition(a in edgy(), b in edgy()) {
            prop_assert_eq!(saturating_rounding_doubling_high_mul(a, b), high_mul_oracle(a, b));
        }

        #[test]
        fn high_mul_by_halves_equals_the_one_of_64_bits(a in edgy(), b in edgy()) {
            prop_assume!(a != i32::MIN || b != i32::MIN);
            prop_assert_eq!(high_mul_by_halves(a, b), high_mul_oracle(a, b));
        }

        #[test]
        fn divide_equals_its_definition(x in edgy(), exponent in 0..=31u32) {
            prop_assert_eq!(rounding_divide_by_pot(x, exponent), divide_oracle(x, exponent));
        }

        // The series around -1/8 stops at the fourth power: its rest is below (1/8)^5 / 5! = 2.6e-7.
        #[test]
        fn exp_is_close_to_the_real_one(x in i32::MIN + 1..=0) {
            let expected = (f64::from(x) / f64::from(1 << 26)).exp() * 2f64.powi(31);
            prop_assert!((f64::from(exp_on_negative_values(x)) - expected).abs() < 600.0);
        }

        #[test]
        fn functions_of_a_q4_are_close_to_the_real_ones(x: i32) {
            let real = f64::from(x) / f64::from(1 << 27);
            let q0 = |y: i32| f64::from(y) / 2f64.powi(31);
            prop_assert!((q0(logistic(x)) - 1.0 / (1.0 + (-real).exp())).abs() < 1e-6, "{real}");
            prop_assert!((q0(tanh(x)) - real.tanh()).abs() < 1e-6, "{real}");
        }

        #[test]
        fn inverse_root_is_close_to_the_real_one(x in 2..=i32::MAX) {
            let root = inverse_square_root(x);
            let found = f64::from(root.multiplier) / 2f64.powi(31 - root.shift);
            prop_assert!((found * f64::from(x).sqrt() - 1.0).abs() < 1.3e-6, "{found} for {x}");
        }

        #[test]
        fn logarithm_is_close_to_the_real_one(x in 1 << 19..=i32::MAX) {
            let expected = (f64::from(x) / f64::from(1 << 19)).ln();
            let found = f64::from(log_of_at_least_one(x)) / f64::from(1 << 26);
            prop_assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }

        #[test]
        fn reciprocal_is_close_to_the_real_one(x in 1..=i32::MAX) {
            let (mantissa, bits) = reciprocal(x, 12);
            let expected = f64::from(1 << 19) / f64::from(x);
            let found = f64::from(mantissa) / 2f64.powi(31 + bits);
            prop_assert!((found / expected - 1.0).abs() < 1e-8, "{found} for {expected}");
        }
    }
}
