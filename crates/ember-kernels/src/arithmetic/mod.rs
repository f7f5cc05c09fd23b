//! The arithmetics of the linear operators: what a sum starts with, how it grows and how it becomes an output.
//!
//! CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED walk their tensors once, generic over this; a further combination
//! of types is one more implementation here.

mod float32;
mod int16;
mod int8;

pub use float32::Float32;
pub use int8::Int8;
pub use int16::{Int16, WideBias};

use ember_core::QuantizedMultiplier;
use ember_core::view::Plain;

use crate::conv_2d::{self, Conv2d};
use crate::depthwise_conv_2d::{self, DepthwiseConv2d};
use crate::element::Element;
use crate::error::{KernelError, Operand, check};
use crate::fully_connected::{self, FullyConnected};
use crate::hybrid::Hybrid;
use crate::max_pool_2d::MaxPool;
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
    type Output: Element;

    /// [`conv_2d::convolve_with`].
    ///
    /// # Errors
    /// As there.
    fn conv_2d(
        &self,
        shape: &Conv2d,
        input: &[Self::Value],
        filter: &[Self::Weight],
        scratch: &mut [u32],
        output: &mut [Self::Output],
    ) -> Result<(), KernelError>;

    /// [`conv_2d::convolve_pooled`].
    ///
    /// # Errors
    /// As there.
    fn conv_2d_pooled(
        &self,
        shape: &Conv2d,
        pool: &MaxPool<<Self::Output as Element>::Wide>,
        input: &[Self::Value],
        filter: &[Self::Weight],
        scratch: &mut [u32],
        output: &mut [Self::Output],
    ) -> Result<(), KernelError>;

    /// [`depthwise_conv_2d::convolve_with`].
    ///
    /// # Errors
    /// As there.
    fn depthwise_conv_2d(
        &self,
        shape: &DepthwiseConv2d,
        input: &[Self::Value],
        filter: &[Self::Weight],
        scratch: &mut [u32],
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
    type Output: Element;
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

    /// [`Self::start`] of four channels from one on, of which there are as many.
    #[inline(always)]
    fn starts(&self, channel: usize) -> [Self::Sum; 4] {
        [0, 1, 2, 3].map(|behind| self.start(channel.wrapping_add(behind)))
    }

    /// `sum + x * w`.
    fn multiply_add(&self, sum: Self::Sum, x: Self::Value, w: Self::Weight) -> Self::Sum;

    /// `sum` plus the products of the pairs; the longer slice's rest is ignored.
    fn dot(&self, sum: Self::Sum, x: &[Self::Value], w: &[Self::Weight]) -> Self::Sum;

    /// [`Self::dot`] with four filters of `x`'s length, which are one after the other.
    #[inline(always)]
    fn dots(&self, sums: &mut [Self::Sum; 4], x: &[Self::Value], filters: &[Self::Weight]) {
        for (sum, filter) in sums.iter_mut().zip(rows::of(filters, x.len())) {
            *sum = self.dot(*sum, x, filter);
        }
    }

    /// The sum as an output value.
    fn finish(&self, channel: usize, sum: Self::Sum) -> Self::Output;

    /// A convolution in one group, of slices that are checked, by the processor's own code. False where that has none for
    /// this shape: then nothing is written.
    #[inline(always)]
    fn fast_conv_2d(
        &self,
        _shape: &Conv2d,
        _input: &[Self::Value],
        _filter: &[Self::Weight],
        _scratch: &mut [u32],
        _output: &mut [Self::Output],
    ) -> bool {
        false
    }

    /// [`Self::fast_conv_2d`] with the largest of each of the pooling's windows.
    #[inline(always)]
    fn fast_conv_2d_pooled(
        &self,
        _shape: &Conv2d,
        _pool: &MaxPool<<Self::Output as Element>::Wide>,
        _input: &[Self::Value],
        _filter: &[Self::Weight],
        _scratch: &mut [u32],
        _output: &mut [Self::Output],
    ) -> bool {
        false
    }

    /// [`Self::fast_conv_2d`] for a depthwise convolution.
    #[inline(always)]
    fn fast_depthwise_conv_2d(
        &self,
        _shape: &DepthwiseConv2d,
        _input: &[Self::Value],
        _filter: &[Self::Weight],
        _scratch: &mut [u32],
        _output: &mut [Self::Output],
    ) -> bool {
        false
    }

    /// [`Self::fast_conv_2d`] for a dense layer.
    #[inline(always)]
    fn fast_fully_connected(
        &self,
        _shape: &FullyConnected,
        _input: &[Self::Value],
        _filter: &[Self::Weight],
        _output: &mut [Self::Output],
    ) -> bool {
        false
    }

    /// What a dense layer adds to every sum over this row of input.
    #[inline(always)]
    fn correction(&self, _row: &[Self::Value]) -> Self::Sum {
        Self::Sum::default()
    }
}

/// Puts an output to its place.
#[inline(always)]
pub(crate) fn assign<T>(place: &mut T, output: T) {
    *place = output;
}

/// One output per filter: `x` with each row of `filters`, which are as long as `x`, for the channels from `first` on.
/// Each sum starts with `extra` besides what its channel starts with, and each output goes to its place by `store`.
#[inline(never)]
pub(crate) fn dense<A: Arithmetic>(
    arithmetic: &A,
    x: &[A::Value],
    filters: &[A::Weight],
    extra: A::Sum,
    first: usize,
    out: &mut [A::Output],
    store: impl Fn(&mut A::Output, A::Output),
) {
    let (mut filters, mut channel) = (filters, first);
    let mut out = out;
    while out.len() >= 4 {
        let (Some((now, later)), Some((rows, others))) = (
            core::mem::take(&mut out).split_at_mut_checked(4),
            filters.split_at_checked(x.len().wrapping_mul(4)),
        ) else {
            return;
        };
        let mut sums = arithmetic
            .starts(channel)
            .map(|start| arithmetic.join(start, extra));
        arithmetic.dots(&mut sums, x, rows);
        finish(arithmetic, &sums, channel, now, &store);
        channel = channel.wrapping_add(4);
        (out, filters) = (later, others);
    }
    for (out, channel) in out.iter_mut().zip(channel..) {
        let Some((filter, others)) = filters.split_at_checked(x.len()) else {
            return;
        };
        let start = arithmetic.join(arithmetic.start(channel), extra);
        let sum = arithmetic.dot(start, x, filter);
        finish(
            arithmetic,
            &[sum],
            channel,
            core::slice::from_mut(out),
            &store,
        );
        filters = others;
    }
}

/// The sums of channels from the first on as outputs. A function of its own, because a compiler that knows that there are four
/// at most makes four copies of it.
#[inline(never)]
fn finish<A: Arithmetic>(
    arithmetic: &A,
    sums: &[A::Sum],
    first: usize,
    out: &mut [A::Output],
    store: &impl Fn(&mut A::Output, A::Output),
) {
    for ((out, sum), channel) in out.iter_mut().zip(sums).zip(first..) {
        store(out, arithmetic.finish(channel, *sum));
    }
}

/// Checks that there is one multiplier, or one per output channel.
pub(crate) fn check_multipliers(
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
pub(crate) fn multiplier_of(
    multipliers: &[QuantizedMultiplier],
    channel: usize,
) -> QuantizedMultiplier {
    let each = multipliers.get(channel);
    each.or(multipliers.first()).copied().unwrap_or_default()
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
                scratch: &mut [u32],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                conv_2d::run(shape, self, input, filter, scratch, output)
            }

            fn conv_2d_pooled(
                &self,
                shape: &Conv2d,
                pool: &MaxPool<<$output as Element>::Wide>,
                input: &[Self::Value],
                filter: &[Self::Weight],
                scratch: &mut [u32],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                conv_2d::run_pooled(shape, pool, self, input, filter, scratch, output)
            }

            fn depthwise_conv_2d(
                &self,
                shape: &DepthwiseConv2d,
                input: &[Self::Value],
                filter: &[Self::Weight],
                scratch: &mut [u32],
                output: &mut [Self::Output],
            ) -> Result<(), KernelError> {
                depthwise_conv_2d::run(shape, self, input, filter, scratch, output)
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
