//! SQUARED_DIFFERENCE: `micro/kernels/squared_difference.cc`.

use core::marker::PhantomData;

use ember_core::QuantizedMultiplier;

use crate::add;
use crate::binary::Binary;
use crate::element::Element;
use crate::sub::Number;

/// Bits that inputs of int8 are shifted to the left before they are scaled.
pub const LEFT_SHIFT_INT8: u32 = 7;

/// The same for int16.
pub const LEFT_SHIFT_INT16: u32 = 0;

/// The squared difference of integers of different scales. The parameters are those of ADD, but for the output's multiplier:
/// the square of twice the greater input scale, divided by `2^(2 * left_shift)` output scales.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q add::Quantized, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Binary for Quantized<'_, T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        let q = self.0;
        let [zero1, zero2] = q.input_zero_points;
        let [scale1, scale2] = q.input_multipliers;
        let scaled = |x: T, zero: i32, scale: QuantizedMultiplier| {
            scale.apply(x.wide().wrapping_sub(zero).wrapping_shl(q.left_shift))
        };
        let difference = scaled(x1, zero1, scale1).wrapping_sub(scaled(x2, zero2, scale2));
        let output = q
            .output_multiplier
            .apply(difference.wrapping_mul(difference));
        T::within(output.wrapping_add(q.output_zero_point), q.range)
    }
}

/// The squared difference of float32 or int32.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub PhantomData<T>);

impl<T: Number> Binary for Plain<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        let difference = x1.minus(x2);
        difference.times(difference)
    }
}
