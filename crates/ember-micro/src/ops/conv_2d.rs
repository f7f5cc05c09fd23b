//! CONV_2D: `micro/kernels/conv_common.cc`.

use ember_core::{BuiltinOp, Clamp, Dtype};
use ember_kernels::Axis;
use ember_kernels::conv_2d::{self, Conv2d};
use ember_tflite::{Conv2dOptions, OpCode};

use super::linear::{self, QuantizedOutput};
use crate::error::{Fault, InvokeFault};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

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

struct Checked<'m> {
    shape: Conv2d,
    options: Conv2dOptions,
    input: Operand<'m>,
    filter: Operand<'m>,
    output: Operand<'m>,
}

fn check<'m>(cx: &Prepare<'_, 'm>, dtype: Dtype, bias: Dtype) -> Result<Checked<'m>, Fault> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<Conv2dOptions>()?;
    let input = cx.input(0, dtype)?;
    let filter = cx.input(1, dtype)?;
    let output = cx.output(0, dtype)?;
    let [batches, height, width, input_channels] = input.dims()?;
    let [output_channels, rows, columns, filter_channels] = filter.dims()?;
    let groups = input_channels.checked_div(filter_channels);
    let grouped = groups.is_some_and(|groups| {
        groups.checked_mul(filter_channels) == Some(input_channels)
            && output_channels.checked_rem(groups) == Some(0)
    });
    if !grouped {
        return Err(Fault::Size {
            slot: filter.slot(),
            dimension: 3,
            found: filter_channels,
            expected: input_channels,
        });
    }
    let Conv2dOptions {
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
        shape: Conv2d {
            batches,
            rows,
            columns,
            input_channels,
            filter_channels,
            output_channels,
        },
        options,
        input,
        filter,
        output,
    })
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

    fn prepare(cx: &mut Prepare<'_, '_>) -> Result<PreparedInt8, Fault> {
        let Checked {
            shape,
            options,
            input,
            filter,
            output,
        } = check(cx, Dtype::Int8, Dtype::Int32)?;
        let activation = options.fused_activation_function;
        let channels = shape.output_channels;
        let quantized =
            QuantizedOutput::prepare(cx, &input, &filter, &output, activation, channels)?;
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
