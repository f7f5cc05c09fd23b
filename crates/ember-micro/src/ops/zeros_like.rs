//! ZEROS_LIKE: `micro/kernels/zeros_like.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// ZEROS_LIKE of elements of any type: zero bytes, also where the type has another zero point, as in TFLM.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ZerosLike);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        Ok(())
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (_, output) = io.split::<u8>()?;
        output.fill(0);
        Ok(())
    }
}
