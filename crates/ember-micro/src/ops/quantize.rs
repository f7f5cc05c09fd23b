//! QUANTIZE: `micro/kernels/quantize_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::quantize::{self, Affine, Requantize};
use ember_tflite::OpCode;

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// An integer that a tensor is quantized to.
pub trait Integer: Element<Wide = i32> {
    /// Its type in the file.
    const DTYPE: Dtype;
}

impl Integer for i8 {
    const DTYPE: Dtype = Dtype::Int8;
}

impl Integer for i16 {
    const DTYPE: Dtype = Dtype::Int16;
}

impl Integer for u8 {
    const DTYPE: Dtype = Dtype::Uint8;
}

impl Integer for i32 {
    const DTYPE: Dtype = Dtype::Int32;
}

const OUTPUT: Slot = Slot::output(0);

/// QUANTIZE of integers to integers of another scale or type.
pub struct Between<X, Y>(PhantomData<(X, Y)>);

/// QUANTIZE of int8 to int8 of another scale.
pub type Int8 = Between<i8, i8>;

/// QUANTIZE of int8 to int16.
pub type Int8ToInt16 = Between<i8, i16>;

/// QUANTIZE of int16 to int8.
pub type Int16ToInt8 = Between<i16, i8>;

/// QUANTIZE of int16 to int16 of another scale.
pub type Int16 = Between<i16, i16>;

/// QUANTIZE of int8 to uint8.
pub type Int8ToUint8 = Between<i8, u8>;

/// QUANTIZE of uint8 to int8.
pub type Uint8ToInt8 = Between<u8, i8>;

/// QUANTIZE of int8 to int32.
pub type Int8ToInt32 = Between<i8, i32>;

/// QUANTIZE of int16 to int32.
pub type Int16ToInt32 = Between<i16, i32>;

/// QUANTIZE of int32 to int8.
pub type Int32ToInt8 = Between<i32, i8>;

/// QUANTIZE of int32 to int16.
pub type Int32ToInt16 = Between<i32, i16>;

impl<X: Integer, Y: Integer> Kernel for Between<X, Y> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Quantize);
    const DTYPE: Option<Dtype> = Some(X::DTYPE);
    const OTHER: Option<(Slot, Dtype)> = Some((OUTPUT, Y::DTYPE));
    type Prepared = Requantize;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Requantize) -> Result<(), Refused> {
        *prepared = between(cx)?;
        Ok(())
    }

    fn run(prepared: &Requantize, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<Y>()?;
        let input = inputs.get::<X>(0)?;
        Ok(quantize::requantize(prepared, Y::RANGE, input, output)?)
    }
}

#[inline(never)]
fn between(cx: &Prepare<'_>) -> Result<Requantize, Refused> {
    cx.arity(1..=1, 1)?;
    let (input, output) = (cx.any(Slot::input(0))?, cx.any(OUTPUT)?);
    output.elements_are(input.elements())?;
    let (input_scale, input_zero_point) = input.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let multiplier = QuantizedMultiplier::from_ratio(input_scale, 1.0, output_scale);
    if multiplier.shift > 30 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    Ok(Requantize {
        multiplier,
        input_zero_point,
        output_zero_point,
    })
}

/// QUANTIZE of float32.
pub struct FromFloat32<Y>(PhantomData<Y>);

/// QUANTIZE of float32 to int8.
pub type Float32 = FromFloat32<i8>;

/// QUANTIZE of float32 to int16.
pub type Float32ToInt16 = FromFloat32<i16>;

impl<Y: Integer> Kernel for FromFloat32<Y> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Quantize);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    const OTHER: Option<(Slot, Dtype)> = Some((OUTPUT, Y::DTYPE));
    type Prepared = Affine;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Affine) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let output = cx.output(0, Y::DTYPE)?;
        output.elements_are(cx.input(0, Dtype::Float32)?.elements())?;
        let (scale, zero_point) = output.affine()?;
        *prepared = Affine { scale, zero_point };
        Ok(())
    }

    fn run(prepared: &Affine, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<Y>()?;
        Ok(quantize::quantize(*prepared, inputs.get(0)?, output)?)
    }
}
