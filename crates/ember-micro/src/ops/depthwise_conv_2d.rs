//! DEPTHWISE_CONV_2D: `micro/kernels/depthwise_conv_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_tflite::{DepthwiseConv2dOptions, OpCode};

use super::linear::{self, QuantizedOutput, WindowOptions};
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

#[inline(never)]
fn prepare(
    cx: &Prepare<'_>,
    dtype: Dtype,
    shape: &mut DepthwiseConv2d,
) -> Result<Activation, Refused> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<DepthwiseConv2dOptions>()?;
    let filter = cx.input(1, dtype)?;
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
    linear::check_bias(cx, dtype, output_channels)?;
    shape.batches = batches;
    shape.channels = channels;
    shape.multiplier = multiplier;
    Ok(options.fused_activation_function)
}

/// DEPTHWISE_CONV_2D of int8 with int8 weights and int32 bias.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        shape: DepthwiseConv2d,
        quantized: QuantizedOutput,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DepthwiseConv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let PreparedInt8 { shape, quantized } = prepared;
        let activation = prepare(cx, Dtype::Int8, shape)?;
        let channels = shape.channels.wrapping_mul(shape.multiplier);
        quantized.prepare(cx, activation, channels, false)
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(depthwise_conv_2d::int8(
            &prepared.shape,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}

/// DEPTHWISE_CONV_2D of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        shape: DepthwiseConv2d,
        range: Clamp<f32>,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DepthwiseConv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let activation = prepare(cx, Dtype::Float32, &mut prepared.shape)?;
        prepared.range = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let arithmetic = linear::float32_arithmetic(prepared.range, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(depthwise_conv_2d::float32(
            &prepared.shape,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}
