//! RELU and RELU6: `micro/kernels/activations_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::quantize::Requantize;
use ember_kernels::relu;
use ember_tflite::OpCode;

use super::linear;
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// RELU of int8, with rescaling.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        to: Requantize,
        range: Clamp<i32>,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        let output = cx.output(0, Dtype::Int8)?;
        let (input_scale, input_zero_point) = cx.input(0, Dtype::Int8)?.affine_int8()?;
        let (output_scale, output_zero_point) = output.affine_int8()?;
        // The quotient is taken in single precision here.
        let multiplier = QuantizedMultiplier::from_ratio(input_scale / output_scale, 1.0, 1.0);
        if multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        prepared.to = Requantize {
            multiplier,
            input_zero_point,
            output_zero_point,
        };
        prepared.range = linear::int8_range(cx, &output, Activation::Relu)?;
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(relu::int8(
            &prepared.to,
            prepared.range,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// RELU6 of int8. It does not rescale: TFLM clamps in the input's quantization.
pub struct Relu6Int8;

impl Kernel for Relu6Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu6);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Clamp<i32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Clamp<i32>) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        let (input, output) = (cx.input(0, Dtype::Int8)?, cx.output(0, Dtype::Int8)?);
        output.affine_int8()?;
        *prepared = linear::int8_range(cx, &input, Activation::Relu6)?;
        Ok(())
    }

    fn run(prepared: &Clamp<i32>, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(relu::relu6_int8(*prepared, inputs.get(0)?, output)?)
    }
}

/// RELU of float32.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Clamp<f32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Clamp<f32>) -> Result<(), Refused> {
        *prepared = prepare_float32(cx, Activation::Relu)?;
        Ok(())
    }

    fn run(prepared: &Clamp<f32>, io: Io<'_>) -> Result<(), InvokeFault> {
        run_float32(*prepared, io)
    }
}

/// RELU6 of float32.
pub struct Relu6Float32;

impl Kernel for Relu6Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu6);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Clamp<f32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Clamp<f32>) -> Result<(), Refused> {
        *prepared = prepare_float32(cx, Activation::Relu6)?;
        Ok(())
    }

    fn run(prepared: &Clamp<f32>, io: Io<'_>) -> Result<(), InvokeFault> {
        run_float32(*prepared, io)
    }
}

fn prepare_float32(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<f32>, Refused> {
    cx.arity(1..=1, 1)?;
    cx.same_elements()?;
    linear::float32_range(cx, activation)
}

fn run_float32(range: Clamp<f32>, io: Io<'_>) -> Result<(), InvokeFault> {
    let (inputs, output) = io.split()?;
    Ok(relu::float32(range, inputs.get(0)?, output)?)
}
