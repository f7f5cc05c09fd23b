//! CONV_2D: `micro/kernels/conv_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::Axis;
use ember_kernels::conv_2d::{self, Conv2d};
use ember_tflite::{Conv2dOptions, OpCode};

use super::linear::{self, Convolution, QuantizedOutput, WindowOptions};
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

crate::record! {
    Conv2d {
        batches: u32,
        rows: Axis,
        columns: Axis,
        input_channels: u32,
        filter_channels: u32,
        output_channels: u32,
    }
}

#[inline(never)]
fn check(cx: &Prepare<'_>, dtype: Dtype) -> Result<(Conv2d, Activation), Refused> {
    let options = cx.options::<Conv2dOptions>()?;
    let window = WindowOptions {
        padding: options.padding,
        strides: [options.stride_h, options.stride_w],
        dilations: [options.dilation_h_factor, options.dilation_w_factor],
    };
    let Convolution {
        batches,
        rows,
        columns,
        input_channels,
        filter: [output_channels, _, _, filter_channels],
    } = linear::convolution(cx, dtype, &window, 0)?;
    // One group covers the whole input; several divide it, and the output channels, evenly.
    let groups = input_channels.checked_div(filter_channels).unwrap_or(0);
    if groups.wrapping_mul(filter_channels) != input_channels
        || output_channels.checked_rem(groups) != Some(0)
    {
        let filter = cx.input(1, dtype)?;
        filter.size_is(3, filter_channels, input_channels)?;
    }
    let shape = Conv2d {
        batches,
        rows,
        columns,
        input_channels,
        filter_channels,
        output_channels,
    };
    Ok((shape, options.fused_activation_function))
}

/// CONV_2D of int8 with int8 weights and int32 bias.
pub struct Int8;

/// What [`Int8`] prepares.
pub struct PreparedInt8 {
    shape: Conv2d,
    quantized: QuantizedOutput,
}

crate::record! { PreparedInt8 { shape: Conv2d, quantized: QuantizedOutput } }

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>) -> Result<PreparedInt8, Refused> {
        let (shape, activation) = check(cx, Dtype::Int8)?;
        let quantized = QuantizedOutput::prepare(cx, activation, shape.output_channels)?;
        Ok(PreparedInt8 { shape, quantized })
    }

    fn run(prepared: PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        conv_2d::int8(
            &prepared.shape,
            &arithmetic,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}

/// CONV_2D of float32.
pub struct Float32;

/// What [`Float32`] prepares.
pub struct PreparedFloat32 {
    shape: Conv2d,
    range: Clamp<f32>,
}

crate::record! { PreparedFloat32 { shape: Conv2d, range: Clamp<f32> } }

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>) -> Result<PreparedFloat32, Refused> {
        let (shape, activation) = check(cx, Dtype::Float32)?;
        let range = linear::float32_range(cx, activation)?;
        Ok(PreparedFloat32 { shape, range })
    }

    fn run(prepared: PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let arithmetic = linear::float32_arithmetic(prepared.range, &inputs)?;
        conv_2d::float32(
            &prepared.shape,
            &arithmetic,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}
