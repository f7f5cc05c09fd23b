//! DEQUANTIZE: `micro/kernels/dequantize_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::dequantize::{self, Affine};
use ember_tflite::OpCode;

use super::quantize::Integer;
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// DEQUANTIZE of integers to float32.
pub struct ToFloat32<X>(PhantomData<X>);

/// DEQUANTIZE of int8 to float32.
pub type Int8 = ToFloat32<i8>;

/// DEQUANTIZE of int16 to float32.
pub type Int16 = ToFloat32<i16>;

/// DEQUANTIZE of uint8 to float32.
pub type Uint8 = ToFloat32<u8>;

impl<X: Integer> Kernel for ToFloat32<X> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Dequantize);
    const DTYPE: Option<Dtype> = Some(X::DTYPE);
    type Prepared = Affine;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Affine) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.input(0, X::DTYPE)?;
        cx.output(0, Dtype::Float32)?
            .elements_are(input.elements())?;
        let (scale, zero_point) = input.affine()?;
        *prepared = Affine { scale, zero_point };
        Ok(())
    }

    fn run(prepared: &Affine, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let input = inputs.get::<X>(0)?;
        Ok(dequantize::dequantize(*prepared, input, output)?)
    }
}

/// DEQUANTIZE of float16 to float32: weights of half the size in front of float kernels. LiteRT has it, TFLM does not.
pub struct Float16;

impl Kernel for Float16 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Dequantize);
    const DTYPE: Option<Dtype> = Some(Dtype::Float16);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let elements = cx.input(0, Dtype::Float16)?.elements();
        cx.output(0, Dtype::Float32)?.elements_are(elements)
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(dequantize::float16(inputs.get(0)?, output)?)
    }
}
