//! MUL: `kernels/internal/reference/integer_ops/mul.h` and `kernels/internal/reference/mul.h`.

use core::marker::PhantomData;

use ember_core::{Clamp, QuantizedMultiplier};

use crate::binary::Binary;
use crate::element::Element;
use crate::sub::Number;

ember_core::plain! {
    /// Quantization of a product of integers (`CalculateOpDataMul` in `micro/kernels/mul_common.cc`).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// Zero points of the two inputs.
        pub input_zero_points: [i32; 2],
        /// The inputs' scales multiplied, divided by the output's.
        pub multiplier: QuantizedMultiplier,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
        /// What a fused activation leaves of the output's range.
        pub range: Clamp<i32>,
    }
}

/// The product of integers of different scales.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q Quantization, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Binary for Quantized<'_, T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        let q = self.0;
        let [zero1, zero2] = q.input_zero_points;
        let x1 = x1.wide().wrapping_sub(zero1);
        let product = x1.wrapping_mul(x2.wide().wrapping_sub(zero2));
        let output = q.multiplier.apply(product);
        T::within(output.wrapping_add(q.output_zero_point), q.range)
    }
}

/// The product of float32 or int32.
#[derive(Clone, Copy, Debug)]
pub struct Times<T>(pub Clamp<T>);

impl<T: Number> Binary for Times<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        x1.times(x2).clamped(self.0)
    }
}
