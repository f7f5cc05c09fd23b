//! ABS and RSQRT of integers: `micro/kernels/elementwise.cc`.

use core::marker::PhantomData;

use ember_core::QuantizedMultiplier;
use ember_core::fixed_point::inverse_square_root;

use crate::element::Element;
use crate::quantize::Requantize;
use crate::unary::Unary;

/// The magnitude, in the output's scale.
#[derive(Clone, Copy, Debug)]
pub struct Abs<'q, T>(pub &'q Requantize, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Unary for Abs<'_, T> {
    type Input = T;
    type Output = T;

    fn apply(&self, x: T) -> T {
        let q = self.0;
        let x = x.wide().wrapping_sub(q.input_zero_point).wrapping_abs();
        // A multiplier of zero stands for equal scales: then nothing is rounded.
        let y = if q.multiplier == QuantizedMultiplier::ZERO {
            x
        } else {
            q.multiplier.apply(x)
        };
        T::within(y.wrapping_add(q.output_zero_point), T::RANGE)
    }
}

/// Bits that an inverse root is shifted to the left between its two scalings.
pub const ROOT_SHIFT: i32 = 20;

/// `1 / sqrt(x)`, in the output's scale, for what is not negative; zero gives the greatest value. The multiplier is
/// `1 / (sqrt(input scale) * output scale)`, with [`ROOT_SHIFT`] taken off its shift.
#[derive(Clone, Copy, Debug)]
pub struct Rsqrt<'q, T>(pub &'q Requantize, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Unary for Rsqrt<'_, T> {
    type Input = T;
    type Output = T;

    const TOTAL: bool = false;

    fn is_defined(&self, x: T) -> bool {
        x.wide() >= self.0.input_zero_point
    }

    fn apply(&self, x: T) -> T {
        let q = self.0;
        let x = x.wide().wrapping_sub(q.input_zero_point);
        if x == 0 {
            return T::within(i32::MAX, T::RANGE);
        }
        let root = inverse_square_root(x);
        let root = QuantizedMultiplier {
            shift: root.shift.wrapping_add(ROOT_SHIFT),
            ..root
        };
        let y = q.multiplier.apply(root.apply(1));
        T::within(y.wrapping_add(q.output_zero_point), T::RANGE)
    }
}
