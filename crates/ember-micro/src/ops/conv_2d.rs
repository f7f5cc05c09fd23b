//! CONV_2D: `micro/kernels/conv_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::weights::Decode;
use ember_kernels::{KernelError, Linear};
use ember_tflite::Conv2dOptions;

use super::hybrid::Hybrid;
use super::linear::{self, FILTER, LinearKernel, Operation, Outputs, WindowOptions};
use super::stored::{self, Stored};
use crate::error::Refused;
use crate::prepare::Prepare;

/// CONV_2D.
pub struct Op;

impl Operation for Op {
    const OP: BuiltinOp = BuiltinOp::Conv2d;
    type Shape = Conv2d;

    #[inline(never)]
    fn prepare(
        cx: &Prepare<'_>,
        (dtype, weights): (Dtype, Dtype),
        shape: &mut Conv2d,
    ) -> Result<Outputs, Refused> {
        cx.arity(2..=3, 1)?;
        let options = cx.options::<Conv2dOptions>()?;
        let filter = cx.typed(FILTER, weights)?;
        let [output_channels, height, width, filter_channels] = filter.dims()?;
        let window = WindowOptions {
            padding: options.padding,
            sizes: [height, width],
            strides: [options.stride_h, options.stride_w],
            dilations: [options.dilation_h_factor, options.dilation_w_factor],
        };
        let (rows, columns) = (&mut shape.rows, &mut shape.columns);
        let [batches, input_channels] =
            linear::window(cx, dtype, &window, Some(output_channels), rows, columns)?;
        // One group covers the whole input; several divide it, and the output channels, evenly.
        let groups = input_channels.checked_div(filter_channels).unwrap_or(0);
        if groups.wrapping_mul(filter_channels) != input_channels
            || output_channels.checked_rem(groups) != Some(0)
        {
            filter.size_is(3, filter_channels, input_channels)?;
        }
        shape.batches = batches;
        shape.input_channels = input_channels;
        shape.filter_channels = filter_channels;
        shape.output_channels = output_channels;
        Ok(Outputs {
            channels: output_channels,
            activation: options.fused_activation_function,
        })
    }

    fn accumulator(cx: &Prepare<'_>) -> Result<Dtype, Refused> {
        Ok(cx.options::<Conv2dOptions>()?.quantized_bias_type)
    }

    fn is_asymmetric(_cx: &Prepare<'_>, per_channel: bool) -> Result<bool, Refused> {
        // `is_hybrid_per_channel` (`lite/kernels/conv.cc`).
        Ok(per_channel)
    }

    fn one_image(shape: &mut Conv2d) -> u32 {
        core::mem::replace(&mut shape.batches, 1)
    }

    fn patch_len(shape: &Conv2d) -> u32 {
        shape.patch_len()
    }

    fn scratch_len(shape: &Conv2d) -> u32 {
        shape.scratch_len()
    }

    fn run_stored(
        shape: &Conv2d,
        arithmetic: &ember_kernels::Int8<'_>,
        input: &[i8],
        weights: &mut dyn Decode,
        scratch: &mut [i8],
        output: &mut [i8],
    ) -> Result<(), KernelError> {
        conv_2d::convolve_stored(shape, arithmetic, input, weights, scratch, output)
    }

    #[inline(always)]
    fn run<A: Linear>(
        shape: &Conv2d,
        arithmetic: &A,
        input: &[A::Value],
        weights: &[A::Weight],
        scratch: &mut [u32],
        output: &mut [A::Output],
    ) -> Result<(), KernelError> {
        conv_2d::convolve_with(shape, arithmetic, input, weights, scratch, output)
    }
}

/// CONV_2D of int8 with int8 weights and int32 bias.
pub type Int8 = LinearKernel<Op, linear::Int8>;

/// CONV_2D of int16 with int8 weights and int64 or int32 bias.
pub type Int16 = LinearKernel<Op, linear::Int16>;

/// CONV_2D of float32.
pub type Float32 = LinearKernel<Op, linear::Float32>;

/// CONV_2D of float32 with int8 weights and float32 bias.
pub type Dynamic = Hybrid<Op>;

/// CONV_2D of int8 with int4 weights and int32 bias.
pub type Int4 = Stored<Op, stored::Int4>;

/// CONV_2D of int8 with int2 weights and int32 bias.
pub type Int2 = Stored<Op, stored::Int2>;

/// CONV_2D of int8 with look-up-table weights and int32 bias.
pub type Lut = Stored<Op, stored::Lut>;

/// CONV_2D of int8 with pruned weights and int32 bias.
pub type Pruned = Stored<Op, stored::Pruned>;

/// CONV_2D of int8 with pruned look-up-table weights and int32 bias.
pub type PrunedLut = Stored<Op, stored::PrunedLut>;
