//! PRELU: `kernels/internal/reference/prelu.h` and `micro/kernels/prelu_common.cc`.

use core::marker::PhantomData;

use ember_core::QuantizedMultiplier;

use crate::binary::Binary;
use crate::element::Element;

ember_core::plain! {
    /// Quantization of a PRELU of integers.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// The slope value that stands for zero.
        pub alpha_zero_point: i32,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
        /// Input scale divided by output scale: for what is not negative.
        pub multiplier: QuantizedMultiplier,
        /// Input scale times slope scale divided by output scale: for the others.
        pub alpha_multiplier: QuantizedMultiplier,
    }
}

/// PRELU of integers; the slope is int8.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q Quantization, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Binary for Quantized<'_, T> {
    type Input1 = T;
    type Input2 = i8;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x: T, alpha: i8) -> T {
        let q = self.0;
        let x = x.wide().wrapping_sub(q.input_zero_point);
        let output = if x >= 0 {
            q.multiplier.apply(x)
        } else {
            let alpha = alpha.wide().wrapping_sub(q.alpha_zero_point);
            q.alpha_multiplier.apply(x.wrapping_mul(alpha))
        };
        T::within(output.wrapping_add(q.output_zero_point), T::RANGE)
    }
}

/// PRELU of float32.
#[derive(Clone, Copy, Debug)]
pub struct Float32;

impl Binary for Float32 {
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;

    #[inline(always)]
    fn apply(&self, x: f32, alpha: f32) -> f32 {
        if x >= 0.0 { x } else { x * alpha }
    }
}
