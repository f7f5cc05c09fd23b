//! The two arithmetics of the linear operators: what a sum starts with, how it grows and how it becomes an output.
//!
//! CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED walk their tensors once, generic over this; a further combination
//! of types is one more implementation here.

use ember_core::{Clamp, QuantizedMultiplier};

use crate::arch;
use crate::error::{KernelError, Operand, check};
use crate::rows;

/// Arithmetic of a linear operator with activations of type `Value` and weights of type `Weight`.
pub(crate) trait Arithmetic {
    type Value: Copy + Default;
    type Weight: Copy;
    type Sum: Copy + Default;

    /// Checks the per-channel slices against the number of output channels.
    fn check(&self, channels: usize) -> Result<(), KernelError>;

    /// The value that stands for zero, for what lies outside of the input.
    fn zero(&self) -> Self::Value;

    /// The sum of both.
    fn join(&self, a: Self::Sum, b: Self::Sum) -> Self::Sum;

    /// What the sum of an output channel starts with.
    fn start(&self, channel: usize) -> Self::Sum;

    /// `sum + x * w`.
    fn multiply_add(&self, sum: Self::Sum, x: Self::Value, w: Self::Weight) -> Self::Sum;

    /// `sum` plus the products of the pairs; the longer slice's rest is ignored.
    fn dot(&self, sum: Self::Sum, x: &[Self::Value], w: &[Self::Weight]) -> Self::Sum;

    /// The sum as an output value.
    fn finish(&self, channel: usize, sum: Self::Sum) -> Self::Value;
}

/// One output per filter: `x` with each row of `filters`, which are as long as `x`, for the channels from `first` on.
/// Each sum starts with `extra` besides what its channel starts with.
#[inline(never)]
pub(crate) fn dense<A: Arithmetic>(
    arithmetic: &A,
    x: &[A::Value],
    filters: &[A::Weight],
    extra: A::Sum,
    first: usize,
    out: &mut [A::Value],
) {
    let filters = rows::of(filters, x.len());
    for ((out, filter), channel) in out.iter_mut().zip(filters).zip(first..) {
        let start = arithmetic.join(arithmetic.start(channel), extra);
        *out = arithmetic.finish(channel, arithmetic.dot(start, x, filter));
    }
}

/// int8 activations and weights with int32 sums.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'a> {
    /// The input value that stands for zero.
    pub input_zero_point: i32,
    /// The output value that stands for zero.
    pub output_zero_point: i32,
    /// What a fused activation leaves of the output's range.
    pub range: Clamp<i32>,
    /// One value per output channel, in the scale of the sums; `None` is zero.
    pub bias: Option<&'a [i32]>,
    /// `input scale * filter scale / output scale`: one for all output channels, or one each.
    pub multipliers: &'a [QuantizedMultiplier],
}

impl Arithmetic for Int8<'_> {
    type Value = i8;
    type Weight = i8;
    type Sum = i32;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        if let Some(bias) = self.bias {
            check(Operand::Bias, channels, bias.len())?;
        }
        match self.multipliers.len() {
            1 => Ok(()),
            actual => check(Operand::Multipliers, channels, actual),
        }
    }

    #[inline(always)]
    fn zero(&self) -> i8 {
        self.input_zero_point as i8
    }

    #[inline(always)]
    fn join(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn start(&self, channel: usize) -> i32 {
        match self.bias {
            Some(bias) => bias.get(channel).copied().unwrap_or(0),
            None => 0,
        }
    }

    #[inline(always)]
    fn multiply_add(&self, sum: i32, x: i8, w: i8) -> i32 {
        let x = i32::from(x).wrapping_sub(self.input_zero_point);
        sum.wrapping_add(x.wrapping_mul(i32::from(w)))
    }

    #[inline(always)]
    fn dot(&self, sum: i32, x: &[i8], w: &[i8]) -> i32 {
        arch::dot_i8(sum, x, self.input_zero_point.wrapping_neg(), w)
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: i32) -> i8 {
        let each = self.multipliers.get(channel);
        let multiplier = each
            .or(self.multipliers.first())
            .copied()
            .unwrap_or_default();
        let output = multiplier.apply(sum).wrapping_add(self.output_zero_point);
        self.range.apply(output) as i8
    }
}

/// float32 throughout.
#[derive(Clone, Copy, Debug)]
pub struct Float32<'a> {
    /// What a fused activation keeps.
    pub range: Clamp<f32>,
    /// One value per output channel; `None` is zero.
    pub bias: Option<&'a [f32]>,
}

impl Arithmetic for Float32<'_> {
    type Value = f32;
    type Weight = f32;
    type Sum = f32;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        match self.bias {
            Some(bias) => check(Operand::Bias, channels, bias.len()),
            None => Ok(()),
        }
    }

    #[inline(always)]
    fn zero(&self) -> f32 {
        0.0
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }

    /// Zero: TFLM adds the bias last, and floats do not associate.
    #[inline(always)]
    fn start(&self, _channel: usize) -> f32 {
        0.0
    }

    #[inline(always)]
    fn multiply_add(&self, sum: f32, x: f32, w: f32) -> f32 {
        sum + x * w
    }

    #[inline(always)]
    fn dot(&self, sum: f32, x: &[f32], w: &[f32]) -> f32 {
        arch::dot_f32(sum, x, w)
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: f32) -> f32 {
        let bias = match self.bias {
            Some(bias) => bias.get(channel).copied().unwrap_or(0.0),
            None => 0.0,
        };
        self.range.apply(sum + bias)
    }
}
