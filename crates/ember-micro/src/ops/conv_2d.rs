//! CONV_2D: `micro/kernels/conv_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_tflite::{Conv2dOptions, OpCode};

use super::linear::{self, QuantizedOutput, WindowOptions};
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

#[inline(never)]
fn prepare(cx: &Prepare<'_>, dtype: Dtype, shape: &mut Conv2d) -> Result<Activation, Refused> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<Conv2dOptions>()?;
    let filter = cx.input(1, dtype)?;
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
    linear::check_bias(cx, dtype, output_channels)?;
    shape.batches = batches;
    shape.input_channels = input_channels;
    shape.filter_channels = filter_channels;
    shape.output_channels = output_channels;
    Ok(options.fused_activation_function)
}

/// CONV_2D of int8 with int8 weights and int32 bias.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        shape: Conv2d,
        quantized: QuantizedOutput,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let PreparedInt8 { shape, quantized } = prepared;
        let activation = prepare(cx, Dtype::Int8, shape)?;
        quantized.prepare(cx, activation, shape.output_channels, false)
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(conv_2d::int8(
            &prepared.shape,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}

/// CONV_2D of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        shape: Conv2d,
        range: Clamp<f32>,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
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
        Ok(conv_2d::float32(
            &prepared.shape,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}
