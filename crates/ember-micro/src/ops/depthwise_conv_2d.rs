//! DEPTHWISE_CONV_2D: `micro/kernels/depthwise_conv_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::weights::Decode;
use ember_kernels::{KernelError, Linear};
use ember_tflite::DepthwiseConv2dOptions;

use super::hybrid::Hybrid;
use super::linear::{self, FILTER, LinearKernel, Operation, Outputs, WindowOptions};
use super::stored::{self, Stored};
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// DEPTHWISE_CONV_2D.
pub struct Op;

impl Operation for Op {
    const OP: BuiltinOp = BuiltinOp::DepthwiseConv2d;
    type Shape = DepthwiseConv2d;

    #[inline(never)]
    fn prepare(
        cx: &Prepare<'_>,
        (dtype, weights): (Dtype, Dtype),
        shape: &mut DepthwiseConv2d,
    ) -> Result<Outputs, Refused> {
        cx.arity(2..=3, 1)?;
        let options = cx.options::<DepthwiseConv2dOptions>()?;
        let filter = cx.typed(FILTER, weights)?;
        let [one, height, width, output_channels] = filter.dims()?;
        filter.size_is(0, one, 1)?;
        let window = WindowOptions {
            padding: options.padding,
            sizes: [height, width],
            strides: [options.stride_h, options.stride_w],
            dilations: [options.dilation_h_factor, options.dilation_w_factor],
        };
        let (rows, columns) = (&mut shape.rows, &mut shape.columns);
        let [batches, channels] =
            linear::window(cx, dtype, &window, Some(output_channels), rows, columns)?;
        // The shapes decide, as in TFLM; the option of the same meaning is redundant.
        let multiplier = output_channels.checked_div(channels).unwrap_or(0);
        if multiplier.wrapping_mul(channels) != output_channels {
            filter.size_is(3, output_channels, channels)?;
        }
        shape.batches = batches;
        shape.channels = channels;
        shape.multiplier = multiplier;
        Ok(Outputs {
            channels: output_channels,
            activation: options.fused_activation_function,
        })
    }

    fn accumulator(_cx: &Prepare<'_>) -> Result<Dtype, Refused> {
        Ok(Dtype::Int64)
    }

    fn is_asymmetric(cx: &Prepare<'_>, per_channel: bool) -> Result<bool, Refused> {
        if per_channel {
            return Ok(true);
        }
        let [_, _, _, expected] = cx.any(FILTER)?.dims()?;
        Err(cx.refuse(Fault::Scales {
            slot: FILTER,
            found: 1,
            expected,
        }))
    }

    fn one_image(shape: &mut DepthwiseConv2d) -> u32 {
        core::mem::replace(&mut shape.batches, 1)
    }

    fn patch_len(shape: &DepthwiseConv2d) -> u32 {
        shape.patch_len()
    }

    fn scratch_len(shape: &DepthwiseConv2d) -> u32 {
        let taps = shape.rows.filter.wrapping_mul(shape.columns.filter);
        taps.wrapping_mul(shape.channels)
            .wrapping_mul(shape.multiplier)
    }

    fn run_stored(
        shape: &DepthwiseConv2d,
        arithmetic: &ember_kernels::Int8<'_>,
        input: &[i8],
        weights: &mut dyn Decode,
        scratch: &mut [i8],
        output: &mut [i8],
    ) -> Result<(), KernelError> {
        depthwise_conv_2d::convolve_stored(shape, arithmetic, input, weights, scratch, output)
    }

    #[inline(always)]
    fn run<A: Linear>(
        shape: &DepthwiseConv2d,
        arithmetic: &A,
        input: &[A::Value],
        weights: &[A::Weight],
        scratch: &mut [u32],
        output: &mut [A::Output],
    ) -> Result<(), KernelError> {
        depthwise_conv_2d::convolve_with(shape, arithmetic, input, weights, scratch, output)
    }
}

/// DEPTHWISE_CONV_2D of int8 with int8 weights and int32 bias.
pub type Int8 = LinearKernel<Op, linear::Int8>;

/// DEPTHWISE_CONV_2D of int16 with int8 weights and int64 bias.
pub type Int16 = LinearKernel<Op, linear::Int16>;

/// DEPTHWISE_CONV_2D of float32.
pub type Float32 = LinearKernel<Op, linear::Float32>;

/// DEPTHWISE_CONV_2D of float32 with int8 weights and float32 bias.
pub type Dynamic = Hybrid<Op>;

/// DEPTHWISE_CONV_2D of int8 with int4 weights and int32 bias.
pub type Int4 = Stored<Op, stored::Int4>;

/// DEPTHWISE_CONV_2D of int8 with int2 weights and int32 bias.
pub type Int2 = Stored<Op, stored::Int2>;

/// DEPTHWISE_CONV_2D of int8 with look-up-table weights and int32 bias.
pub type Lut = Stored<Op, stored::Lut>;

/// DEPTHWISE_CONV_2D of int8 with pruned weights and int32 bias.
pub type Pruned = Stored<Op, stored::Pruned>;

/// DEPTHWISE_CONV_2D of int8 with pruned look-up-table weights and int32 bias.
pub type PrunedLut = Stored<Op, stored::PrunedLut>;
