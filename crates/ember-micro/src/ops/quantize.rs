//! QUANTIZE: `micro/kernels/quantize_common.cc`.

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::quantize::{self, Affine, Requantize};
use ember_tflite::OpCode;

use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// QUANTIZE of int8 to int8 of another scale.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Quantize);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Requantize;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Requantize) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        let output = cx.output(0, Dtype::Int8)?;
        let (input_scale, input_zero_point) = cx.input(0, Dtype::Int8)?.affine_int8()?;
        let (output_scale, output_zero_point) = output.affine_int8()?;
        let multiplier = QuantizedMultiplier::from_ratio(input_scale, 1.0, output_scale);
        if multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        *prepared = Requantize {
            multiplier,
            input_zero_point,
            output_zero_point,
        };
        Ok(())
    }

    fn run(prepared: &Requantize, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(quantize::int8_to_int8(prepared, inputs.get(0)?, output)?)
    }
}

/// QUANTIZE of float32 to int8.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Quantize);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Affine;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Affine) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let output = cx.output(0, Dtype::Int8)?;
        output.elements_are(cx.input(0, Dtype::Float32)?.elements())?;
        let (scale, zero_point) = output.affine_int8()?;
        *prepared = Affine { scale, zero_point };
        Ok(())
    }

    fn run(prepared: &Affine, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(quantize::float32_to_int8(
            *prepared,
            inputs.get(0)?,
            output,
        )?)
    }
}
