//! The arithmetic of float32.

use ember_core::Clamp;

use super::Arithmetic;
use crate::arch;
use crate::conv_2d::Conv2d;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::error::{KernelError, Operand, check};
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::MaxPool;

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
    fn fast_conv_2d(
        &self,
        shape: &Conv2d,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) -> bool {
        arch::conv_2d_f32(shape, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_conv_2d_pooled(
        &self,
        shape: &Conv2d,
        pool: &MaxPool<f32>,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) -> bool {
        arch::conv_2d_pooled_f32(shape, pool, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_depthwise_conv_2d(
        &self,
        shape: &DepthwiseConv2d,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) -> bool {
        arch::depthwise_conv_2d_f32(shape, self, input, filter, scratch, output)
    }

    #[inline(always)]
    fn fast_fully_connected(
        &self,
        shape: &FullyConnected,
        input: &[f32],
        filter: &[f32],
        output: &mut [f32],
    ) -> bool {
        arch::fully_connected_f32(shape, self, input, filter, output)
    }

    #[inline(always)]
    fn dots(&self, sums: &mut [f32; 4], x: &[f32], filters: &[f32]) {
        arch::dots_f32(sums, x, filters);
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
