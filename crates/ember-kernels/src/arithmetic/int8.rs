//! The arithmetic of int8.

use ember_core::{Clamp, QuantizedMultiplier};

use super::{Arithmetic, check_multipliers, multiplier_of};
use crate::arch;
use crate::conv_2d::Conv2d;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::error::{KernelError, Operand, check};
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::MaxPool;

/// int8 activations and weights with int32 sums.
#[derive(Clone, Copy, Debug)]
pub struct Int8<'a> {
    /// The input value that stands for zero, an int8.
    pub input_zero_point: i32,
    /// The output value that stands for zero, an int8.
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

impl Arithmetic for Int8<'_> {
    type Value = i8;
    type Output = i8;
    type Weight = i8;
    type Sum = i32;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        // The arithmetic of TFLM's kernels asks for as much (`micro/kernels/conv_common.cc`), and 16 bits hold every difference.
        let zero_points = [self.input_zero_point, self.output_zero_point];
        if zero_points.iter().any(|zero| i8::try_from(*zero).is_err()) {
            return Err(KernelError::Parameters);
        }
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
    fn starts(&self, channel: usize) -> [i32; 4] {
        let bias = self
            .bias
            .and_then(|bias| bias.get(channel..)?.first_chunk());
        bias.copied().unwrap_or([0; 4])
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
    fn dots(&self, sums: &mut [i32; 4], x: &[i8], filters: &[i8]) {
        arch::dots_i8(sums, x, self.input_zero_point.wrapping_neg(), filters);
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: i32) -> i8 {
        let scaled = multiplier_of(self.multipliers, channel).apply(sum);
        self.range
            .apply(scaled.wrapping_add(self.output_zero_point)) as i8
    }

    #[inline(always)]
    fn fast_conv_2d(
        &self,
        shape: &Conv2d,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) -> bool {
        arch::conv_2d_i8(shape, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_conv_2d_pooled(
        &self,
        shape: &Conv2d,
        pool: &MaxPool<i32>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) -> bool {
        arch::conv_2d_pooled_i8(shape, pool, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_depthwise_conv_2d(
        &self,
        shape: &DepthwiseConv2d,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) -> bool {
        arch::depthwise_conv_2d_i8(shape, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_fully_connected(
        &self,
        shape: &FullyConnected,
        input: &[i8],
        filter: &[i8],
        output: &mut [i8],
    ) -> bool {
        arch::fully_connected_i8(shape, self, input, filter, output)
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
