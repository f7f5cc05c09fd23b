//! DEQUANTIZE: `micro/kernels/dequantize_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::dequantize::{self, Affine};
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// DEQUANTIZE of int8 to float32.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Dequantize);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Affine;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Affine) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.input(0, Dtype::Int8)?;
        cx.output(0, Dtype::Float32)?
            .elements_are(input.elements())?;
        let (scale, zero_point) = input.affine_int8()?;
        *prepared = Affine { scale, zero_point };
        Ok(())
    }

    fn run(prepared: &Affine, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(dequantize::int8_to_float32(
            *prepared,
            inputs.get(0)?,
            output,
        )?)
    }
}
