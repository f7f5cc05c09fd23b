//! LEAKY_RELU: `kernels/internal/reference/leaky_relu.h`.

use core::marker::PhantomData;

use ember_core::QuantizedMultiplier;

use crate::element::Element;
use crate::unary::Unary;

ember_core::plain! {
    /// Quantization of a LEAKY_RELU of integers.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
        /// Input scale divided by output scale: for what is not negative.
        pub multiplier: QuantizedMultiplier,
        /// That times the slope's magnitude: for the others.
        pub alpha_multiplier: QuantizedMultiplier,
        /// 1, or -1 for a negative slope.
        pub alpha_sign: i32,
    }
}

/// LEAKY_RELU of integers.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q Quantization, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Unary for Quantized<'_, T> {
    type Input = T;
    type Output = T;

    fn apply(&self, x: T) -> T {
        let q = self.0;
        let x = x.wide().wrapping_sub(q.input_zero_point);
        let y = if x >= 0 {
            q.multiplier.apply(x)
        } else {
            q.alpha_multiplier.apply(x).wrapping_mul(q.alpha_sign)
        };
        T::within(y.wrapping_add(q.output_zero_point), T::RANGE)
    }
}

/// LEAKY_RELU of float32 with this slope.
#[derive(Clone, Copy, Debug)]
pub struct Float32(pub f32);

impl Unary for Float32 {
    type Input = f32;
    type Output = f32;

    fn apply(&self, x: f32) -> f32 {
        if x > 0.0 { x } else { x * self.0 }
    }
}
