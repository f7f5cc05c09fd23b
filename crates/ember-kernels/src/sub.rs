//! SUB: `kernels/internal/reference/sub.h`.

use core::marker::PhantomData;

use ember_core::view::Plain;
use ember_core::{Clamp, QuantizedMultiplier};

use crate::add;
use crate::binary::Binary;
use crate::element::Element;

/// The difference of integers of different scales: as ADD, with the second input's sign turned after scaling.
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
        let output = q.output_multiplier.apply(difference);
        T::within(output.wrapping_add(q.output_zero_point), q.range)
    }
}

/// A number that is added, subtracted and multiplied as it is, without scales.
pub trait Number: Plain {
    /// `self + other`; integers wrap.
    #[must_use]
    fn plus(self, other: Self) -> Self;

    /// `self - other`; integers wrap.
    #[must_use]
    fn minus(self, other: Self) -> Self;

    /// `self * other`; integers wrap.
    #[must_use]
    fn times(self, other: Self) -> Self;

    /// The value within the range.
    #[must_use]
    fn clamped(self, range: Clamp<Self>) -> Self;
}

impl Number for i32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }

    #[inline(always)]
    fn clamped(self, range: Clamp<Self>) -> Self {
        range.apply(self)
    }
}

impl Number for f32 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self * other
    }

    #[inline(always)]
    fn clamped(self, range: Clamp<Self>) -> Self {
        range.apply(self)
    }
}

/// The sum of float32 or int32.
#[derive(Clone, Copy, Debug)]
pub struct Plus<T>(pub Clamp<T>);

impl<T: Number> Binary for Plus<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        x1.plus(x2).clamped(self.0)
    }
}

/// The difference of float32 or int32.
#[derive(Clone, Copy, Debug)]
pub struct Minus<T>(pub Clamp<T>);

impl<T: Number> Binary for Minus<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        x1.minus(x2).clamped(self.0)
    }
}
