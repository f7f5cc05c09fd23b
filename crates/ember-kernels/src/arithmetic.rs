//! The arithmetics of the linear operators: what a sum starts with, how it grows and how it becomes an output.
//!
//! CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED walk their tensors once, generic over this; a further combination
//! of types is one more implementation here.

use ember_core::view::{Int64, Plain};
use ember_core::{Clamp, QuantizedMultiplier};

use crate::arch;
use crate::conv_2d::{self, Conv2d};
use crate::depthwise_conv_2d::{self, DepthwiseConv2d};
use crate::error::{KernelError, Operand, check};
use crate::fully_connected::{self, FullyConnected};
use crate::hybrid::Hybrid;
use crate::rows;

/// The linear operators in one arithmetic.
///
/// Their loops are generic inside of this crate and compiled in it, with its optimization level: a firmware compiles these
/// for speed and what is around them for size.
pub trait Linear {
    /// Elements of the input.
    type Value: Plain;
    /// Elements of the filter.
    type Weight: Plain;
    /// Elements of the output.
    type Output: Plain;

    /// [`conv_2d::convolve`].
    ///
    /// # Errors
    /// As there.
    fn conv_2d(
        &self,
        shape: &Conv2d,
        input: &[Self::Value],
        filter: &[Self::Weight],
        output: &mut [Self::Output],
    ) -> Result<(), KernelError>;

    /// [`depthwise_conv_2d::convolve`].
    ///
    /// # Errors
    /// As there.
    fn depthwise_conv_2d(
        &self,
        shape: &DepthwiseConv2d,
        input: &[Self::Value],
        filter: &[Self::Weight],
        output: &mut [Self::Output],
    ) -> Result<(), KernelError>;

    /// [`fully_connected::connect`].
    ///
    /// # Errors
    /// As there.
    fn fully_connected(
        &self,
        shape: &FullyConnected,
        input: &[Self::Value],
        filter: &[Self::Weight],
        output: &mut [Self::Output],
    ) -> Result<(), KernelError>;
}

/// Arithmetic of a linear operator with activations of type `Value` and weights of type `Weight`.
///
/// An operator calls it in this order: [`check`](Self::check), then per output [`start`](Self::start),
/// [`dot`](Self::dot) or [`multiply_add`](Self::multiply_add), and [`finish`](Self::finish).
pub(crate) trait Arithmetic {
    /// Elements of the input.
    type Value: Plain + Default;
    /// Elements of the output.
    type Output: Plain;
    /// Elements of the filter.
    type Weight: Plain + Default;
    /// What products are added up in.
    type Sum: Copy + Default;

    /// Checks the per-channel slices against the number of output channels.
    ///
    /// # Errors
    /// There are more or fewer.
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
    fn finish(&self, channel: usize, sum: Self::Sum) -> Self::Output;

    /// What a dense layer adds to every sum over this row of input.
    #[inline(always)]
    fn correction(&self, _row: &[Self::Value]) -> Self::Sum {
        Self::Sum::default()
    }
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
    out: &mut [A::Output],
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
    /// The filter value that stands for zero in a dense layer: 0 wherever weights are symmetric, but TFLM honours
    /// another one for per-tensor weights. Convolutions ignore it.
    pub filter_zero_point: i32,
    /// What a fused activation leaves of the output's range.
    pub range: Clamp<i32>,
    /// One value per output channel, in the scale of the sums; `None` is zero.
    pub bias: Option<&'a [i32]>,
    /// `input scale * filter scale / output scale`: one for all output channels, or one each.
    pub multipliers: &'a [QuantizedMultiplier],
}

/// Checks that there is one multiplier, or one per output channel.
fn check_multipliers(
    multipliers: &[QuantizedMultiplier],
    channels: usize,
) -> Result<(), KernelError> {
    match multipliers.len() {
        1 => Ok(()),
        actual => check(Operand::Multipliers, channels, actual),
    }
}

/// The multiplier of an output channel: its own, or the only one.
#[inline(always)]
fn multiplier_of(multipliers: &[QuantizedMultiplier], channel: usize) -> QuantizedMultiplier {
    let each = multipliers.get(channel);
    each.or(multipliers.first()).copied().unwrap_or_default()
}

impl Arithmetic for Int8<'_> {
    type Value = i8;
    type Output = i8;
    type Weight = i8;
    type Sum = i32;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        if let Some(bias) = self.bias {
            check(Operand::Bias, channels, bias.len())?;
        }
        check_multipliers(self.multipliers, channels)
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
        let bias = self.bias.and_then(|bias| bias.get(channel));
        bias.copied().unwrap_or(0)
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
        let scaled = multiplier_of(self.multipliers, channel).apply(sum);
        self.range
            .apply(scaled.wrapping_add(self.output_zero_point)) as i8
    }

    /// `Σ (x - zx) * (w - zw) = Σ (x - zx) * w - zw * Σ (x - zx)`: the second sum is the same for every unit.
    #[inline(always)]
    fn correction(&self, row: &[i8]) -> i32 {
        let mut sum = 0i32;
        if self.filter_zero_point != 0 {
            for x in row {
                sum = sum.wrapping_add(i32::from(*x).wrapping_sub(self.input_zero_point));
            }
        }
        sum.wrapping_mul(self.filter_zero_point).wrapping_neg()
    }
}

/// One value per output channel that sums of 16-bit activations start with.
#[derive(Clone, Copy, Debug)]
pub enum WideBias<'a> {
    /// Zero.
    None,
    /// In 32 bits.
    Int32(&'a [i32]),
    /// In 64 bits.
    Int64(&'a [Int64]),
}

/// int16 activations with int8 weights, both with zero point 0, and 64-bit sums.
#[derive(Clone, Copy, Debug)]
pub struct Int16<'a> {
    /// What a fused activation leaves of the output's range.
    pub range: Clamp<i32>,
    /// In the scale of the sums.
    pub bias: WideBias<'a>,
    /// Whether TFLM adds up in 32 bits, as it does for a bias of 32 bits: then sums wrap there, and are scaled with the
    /// whole multiplier instead of its upper half.
    pub narrow: bool,
    /// `input scale * filter scale / output scale`: one for all output channels, or one each.
    pub multipliers: &'a [QuantizedMultiplier],
}

impl Arithmetic for Int16<'_> {
    type Value = i16;
    type Output = i16;
    type Weight = i8;
    type Sum = i64;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        match self.bias {
            WideBias::None => {}
            WideBias::Int32(bias) => check(Operand::Bias, channels, bias.len())?,
            WideBias::Int64(bias) => check(Operand::Bias, channels, bias.len())?,
        }
        check_multipliers(self.multipliers, channels)
    }

    #[inline(always)]
    fn zero(&self) -> i16 {
        0
    }

    #[inline(always)]
    fn join(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn start(&self, channel: usize) -> i64 {
        match self.bias {
            WideBias::None => 0,
            WideBias::Int32(bias) => bias.get(channel).map_or(0, |bias| i64::from(*bias)),
            WideBias::Int64(bias) => bias.get(channel).map_or(0, |bias| bias.get()),
        }
    }

    #[inline(always)]
    fn multiply_add(&self, sum: i64, x: i16, w: i8) -> i64 {
        sum.wrapping_add(i64::from(i32::from(x).wrapping_mul(i32::from(w))))
    }

    #[inline(always)]
    fn dot(&self, sum: i64, x: &[i16], w: &[i8]) -> i64 {
        arch::dot_i16(sum, x, w)
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: i64) -> i16 {
        let multiplier = multiplier_of(self.multipliers, channel);
        let output = if self.narrow {
            // Modulo 2^32 it is what 32 bits would have held.
            multiplier.apply(sum as i32)
        } else {
            multiplier.apply_wide(sum)
        };
        self.range.apply(output) as i16
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
    type Output = f32;
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

macro_rules! linear {
    ($($type:ty: $value:ty, $weight:ty => $output:ty;)*) => {
        $(impl Linear for $type {
            type Value = $value;
            type Weight = $weight;
            type Output = $output;

            fn conv_2d(
                &self,
                shape: &Conv2d,
                input: &[Self::Value],
                filter: &[Self::Weight],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                conv_2d::run(shape, self, input, filter, output)
            }

            fn depthwise_conv_2d(
                &self,
                shape: &DepthwiseConv2d,
                input: &[Self::Value],
                filter: &[Self::Weight],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                depthwise_conv_2d::run(shape, self, input, filter, output)
            }

            fn fully_connected(
                &self,
                shape: &FullyConnected,
                input: &[Self::Value],
                filter: &[Self::Weight],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                fully_connected::run(shape, self, input, filter, output)
            }
        })*
    };
}

linear! {
    Int8<'_>: i8, i8 => i8;
    Int16<'_>: i16, i8 => i16;
    Float32<'_>: f32, f32 => f32;
    Hybrid<'_>: i8, i8 => f32;
}
