//! HARD_SWISH of int8: `kernels/internal/reference/hard_swish.h`, in 16-bit arithmetic.

use crate::element::Element;
use crate::unary::Unary;

ember_core::plain! {
    /// Quantization of a HARD_SWISH of int8 (`HardSwishPrepare` in `micro/kernels/hard_swish_common.cc`). Multipliers are
    /// Q0.15 with a power of two.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
        /// A 128th of the input scale divided by the output scale.
        pub output_multiplier: i32,
        /// Its power of two, -15 to 0.
        pub output_exponent: i32,
        /// A 128th of the input scale divided by 3/32768.
        pub ramp_multiplier: i32,
        /// Its power of two, at least -15.
        pub ramp_exponent: i32,
    }
}

/// `a * b / 2^15` of 16-bit numbers, rounded to nearest, halves up in magnitude: gemmlowp's
/// `SaturatingRoundingDoublingHighMul` on `int16_t`.
fn rounding_high_mul(a: i32, b: i32) -> i32 {
    let product = a.wrapping_mul(b);
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    (product.wrapping_add(nudge) / (1 << 15)).min(32767)
}

/// `x * 2^amount` within 16 bits.
fn saturating_shift(x: i32, amount: u32) -> i32 {
    // A shift by 16 saturates every number but zero.
    x.wrapping_shl(amount.min(15)).clamp(-32768, 32767)
}

/// `x / 2^exponent`, rounded to nearest, halves away from zero, for an exponent of at most 15.
fn rounding_shift(x: i32, exponent: u32) -> i32 {
    ember_core::fixed_point::rounding_divide_by_pot(x, exponent)
}

/// HARD_SWISH of int8.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'q>(pub &'q Quantization);

impl Unary for Int8<'_> {
    type Input = i8;
    type Output = i8;

    fn apply(&self, x: i8) -> i8 {
        let q = self.0;
        let x = x
            .wide()
            .wrapping_sub(q.input_zero_point)
            .wrapping_mul(1 << 7);
        let scaled = rounding_high_mul(x, q.output_multiplier);
        let mut ramp = x;
        let up = q.ramp_exponent.max(0).unsigned_abs();
        if up > 0 {
            ramp = saturating_shift(ramp, up.wrapping_sub(1));
        }
        ramp = rounding_high_mul(ramp, q.ramp_multiplier);
        if up > 0 {
            ramp = saturating_shift(ramp, 1);
        }
        if q.ramp_exponent < 0 {
            ramp = rounding_shift(ramp, q.ramp_exponent.unsigned_abs());
        }
        // From -1..1 to 0..1.
        ramp = ramp.wrapping_add(1 << 15) >> 1;
        let product = ramp.wrapping_mul(scaled) / (1 << 15);
        let y = rounding_shift(product, q.output_exponent.unsigned_abs());
        // 16 bits again, where a sum may wrap.
        let y = y.wrapping_add(q.output_zero_point) as i16;
        i8::within(i32::from(y), i8::RANGE)
    }
}
