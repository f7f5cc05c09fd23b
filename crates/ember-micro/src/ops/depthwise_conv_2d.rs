//! DEPTHWISE_CONV_2D: `micro/kernels/depthwise_conv_common.cc`.

use ember_core::{BuiltinOp, Clamp, Dtype};
use ember_kernels::Axis;
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_tflite::{DepthwiseConv2dOptions, OpCode};

use super::linear::{self, QuantizedOutput};
use crate::error::{Fault, InvokeFault};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

crate::record! {
    DepthwiseConv2d { batches: u32, rows: Axis, columns: Axis, channels: u32, multiplier: u32 }
}

struct Checked<'m> {
    shape: DepthwiseConv2d,
    options: DepthwiseConv2dOptions,
    output_channels: u32,
    input: Operand<'m>,
    filter: Operand<'m>,
    output: Operand<'m>,
}

fn check<'m>(cx: &Prepare<'_, 'm>, dtype: Dtype, bias: Dtype) -> Result<Checked<'m>, Fault> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<DepthwiseConv2dOptions>()?;
    let input = cx.input(0, dtype)?;
    let filter = cx.input(1, dtype)?;
    let output = cx.output(0, dtype)?;
    let [batches, height, width, channels] = input.dims()?;
    let [one, rows, columns, output_channels] = filter.dims()?;
    filter.dims_are([1, rows, columns, output_channels])?;
    // The shapes decide, as in TFLM; the option of the same meaning is redundant.
    let multiplier = output_channels.checked_div(channels).unwrap_or(0);
    if multiplier.checked_mul(channels) != Some(output_channels) || multiplier == 0 || one != 1 {
        return Err(Fault::Size {
            slot: filter.slot(),
            dimension: 3,
            found: output_channels,
            expected: channels,
        });
    }
    let DepthwiseConv2dOptions {
        padding,
        stride_w,
        stride_h,
        dilation_w_factor,
        dilation_h_factor,
        ..
    } = options;
    let rows = linear::axis(height, rows, stride_h, dilation_h_factor, padding)?;
    let columns = linear::axis(width, columns, stride_w, dilation_w_factor, padding)?;
    output.dims_are([batches, rows.output, columns.output, output_channels])?;
    linear::bias(cx, bias, output_channels)?;
    Ok(Checked {
        shape: DepthwiseConv2d {
            batches,
            rows,
            columns,
            channels,
            multiplier,
        },
        options,
        output_channels,
        input,
        filter,
        output,
    })
}

/// DEPTHWISE_CONV_2D of int8 with int8 weights and int32 bias.
pub struct Int8;

/// What [`Int8`] prepares.
pub struct PreparedInt8 {
    shape: DepthwiseConv2d,
    quantized: QuantizedOutput,
}

crate::record! { PreparedInt8 { shape: DepthwiseConv2d, quantized: QuantizedOutput } }

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DepthwiseConv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &mut Prepare<'_, '_>) -> Result<PreparedInt8, Fault> {
        let Checked {
            shape,
            options,
            output_channels,
            input,
            filter,
            output,
        } = check(cx, Dtype::Int8, Dtype::Int32)?;
        let activation = options.fused_activation_function;
        let quantized =
            QuantizedOutput::prepare(cx, &input, &filter, &output, activation, output_channels)?;
        Ok(PreparedInt8 { shape, quantized })
    }

    fn run(prepared: PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        depthwise_conv_2d::int8(
            &prepared.shape,
            &arithmetic,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}

/// DEPTHWISE_CONV_2D of float32.
pub struct Float32;

/// What [`Float32`] prepares.
pub struct PreparedFloat32 {
    shape: DepthwiseConv2d,
    range: Clamp<f32>,
}

crate::record! { PreparedFloat32 { shape: DepthwiseConv2d, range: Clamp<f32> } }

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DepthwiseConv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &mut Prepare<'_, '_>) -> Result<PreparedFloat32, Fault> {
        let checked = check(cx, Dtype::Float32, Dtype::Float32)?;
        let range = linear::float32_range(checked.options.fused_activation_function)?;
        Ok(PreparedFloat32 {
            shape: checked.shape,
            range,
        })
    }

    fn run(prepared: PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let arithmetic = linear::float32_arithmetic(prepared.range, &inputs)?;
        depthwise_conv_2d::float32(
            &prepared.shape,
            &arithmetic,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}
