//! RELU and RELU6: `micro/kernels/activations_common.cc`.

use core::marker::PhantomData;

use ember_core::view::Pair;
use ember_core::{Activation, BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::quantize::{self, Requantize};
use ember_kernels::relu;
use ember_tflite::OpCode;

use super::linear;
use super::quantize::Integer;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// RELU of integers, with rescaling.
pub struct Quantized<T>(PhantomData<T>);

/// RELU of int8.
pub type Int8 = Quantized<i8>;

/// RELU of int16.
pub type Int16 = Quantized<i16>;

impl<T: Integer> Kernel for Quantized<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Pair<Requantize, Clamp<i32>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.same_elements()?;
        let output = cx.any(Slot::output(0))?;
        let (input_scale, input_zero_point) = input.affine()?;
        let (output_scale, output_zero_point) = output.affine()?;
        // The quotient is taken in single precision here.
        let multiplier = QuantizedMultiplier::from_ratio(input_scale / output_scale, 1.0, 1.0);
        if multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        // TFLM takes no other zero points of int16.
        if T::DTYPE == Dtype::Int16 {
            input.scale_about(0)?;
            output.scale_about(0)?;
        }
        prepared.first = Requantize {
            multiplier,
            input_zero_point,
            output_zero_point,
        };
        prepared.second = linear::integer_range(cx, &output, Activation::Relu)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let input = inputs.get::<T>(0)?;
        let Pair { first, second } = prepared;
        Ok(quantize::requantize(first, *second, input, output)?)
    }
}

/// RELU6 of integers. It does not rescale: TFLM clamps in the input's quantization.
pub struct Relu6Quantized<T>(PhantomData<T>);

/// RELU6 of int8.
pub type Relu6Int8 = Relu6Quantized<i8>;

/// RELU6 of int16.
pub type Relu6Int16 = Relu6Quantized<i16>;

impl<T: Integer> Kernel for Relu6Quantized<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Relu6);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Clamp<i32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Clamp<i32>) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.same_elements()?;
        cx.any(Slot::output(0))?.affine()?;
        *prepared = linear::integer_range(cx, &input, Activation::Relu6)?;
        Ok(())
    }

    fn run(prepared: &Clamp<i32>, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        Ok(relu::clamp(*prepared, inputs.get(0)?, output)?)
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
    let (inputs, output) = io.split::<f32>()?;
    Ok(relu::clamp(range, inputs.get(0)?, output)?)
}
