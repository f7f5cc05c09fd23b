//! DIV, FLOOR_DIV and FLOOR_MOD: `kernels/internal/reference/div.h`, `floor_div.h` and `floor_mod.h`.

use ember_core::fixed_point::{
    reciprocal, rounding_divide_by_pot, saturating_rounding_doubling_high_mul,
};
use ember_core::{Clamp, elementary};

use crate::binary::Binary;
use crate::element::Element;
use crate::mul::Quantization;

/// The quotient of int8 of different scales: the multiplier is the first input's scale divided by the second's and the
/// output's.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'q>(pub &'q Quantization);

impl Binary for Int8<'_> {
    type Input1 = i8;
    type Input2 = i8;
    type Output = i8;

    const TOTAL: bool = false;

    fn is_defined(&self, x2: i8) -> bool {
        let [_, zero2] = self.0.input_zero_points;
        x2.wide() != zero2
    }

    fn apply(&self, x1: i8, x2: i8) -> i8 {
        let q = self.0;
        let [zero1, zero2] = q.input_zero_points;
        let (x1, x2) = (x1.wide().wrapping_sub(zero1), x2.wide().wrapping_sub(zero2));
        let (x1, x2) = if x2 < 0 {
            (x1.wrapping_neg(), x2.wrapping_neg())
        } else {
            (x1, x2)
        };
        let (inverse, bits_over_unit) = reciprocal(x2, 31);
        // CountLeadingSignBits: how far it can go to the left.
        let headroom = (x1 ^ (x1 >> 31)).leading_zeros().wrapping_sub(1);
        let quotient = saturating_rounding_doubling_high_mul(x1.wrapping_shl(headroom), inverse);
        let shift = q
            .multiplier
            .shift
            .wrapping_sub(bits_over_unit)
            .wrapping_sub(headroom as i32);
        let product = saturating_rounding_doubling_high_mul(quotient, q.multiplier.multiplier);
        // TFLM shifts to the right only. Beyond 31 bits, where C++ leaves its result open, nothing is left.
        let right = shift.wrapping_neg();
        let output = if right > 31 {
            0
        } else {
            rounding_divide_by_pot(product, right.max(0).unsigned_abs())
        };
        i8::within(output.wrapping_add(q.output_zero_point), q.range)
    }
}

/// The quotient of float32.
#[derive(Clone, Copy, Debug)]
pub struct Float32(pub Clamp<f32>);

impl Binary for Float32 {
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;

    #[inline(always)]
    fn apply(&self, x1: f32, x2: f32) -> f32 {
        self.0.apply(x1 / x2)
    }
}

/// The quotient of int32, towards zero; that of the least number by -1, which has none, is the least number.
#[derive(Clone, Copy, Debug)]
pub struct Int32(pub Clamp<i32>);

impl Binary for Int32 {
    type Input1 = i32;
    type Input2 = i32;
    type Output = i32;

    const TOTAL: bool = false;

    fn is_defined(&self, x2: i32) -> bool {
        x2 != 0
    }

    #[inline(always)]
    fn apply(&self, x1: i32, x2: i32) -> i32 {
        self.0.apply(x1.checked_div(x2).unwrap_or(i32::MIN))
    }
}

/// The greatest integer that is not above the quotient, of float32.
#[derive(Clone, Copy, Debug)]
pub struct Floor;

impl Binary for Floor {
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;

    const TOTAL: bool = false;

    fn is_defined(&self, x2: f32) -> bool {
        x2 != 0.0
    }

    fn apply(&self, x1: f32, x2: f32) -> f32 {
        elementary::floor_quotient(x1, x2)
    }
}

/// What the division by [`Floor`] leaves, of float32: it has the divisor's sign.
#[derive(Clone, Copy, Debug)]
pub struct Modulo;

impl Binary for Modulo {
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;

    fn apply(&self, x1: f32, x2: f32) -> f32 {
        let rest = elementary::remainder(x1, x2);
        if rest != 0.0 && (x2 < 0.0) != (rest < 0.0) {
            rest + x2
        } else {
            rest
        }
    }
}
