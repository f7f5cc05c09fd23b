//! RESHAPE: `micro/kernels/reshape_common.cc`. The planner gives input and output the same bytes where it can, and then
//! there is nothing to do.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::reshape;
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// RESHAPE of any type. The output's shape in the file decides; the shape that comes as an input or option says the
/// same, and TFLM does not read it either.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Reshape);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=2, 1)?;
        cx.same_elements()?;
        Ok(())
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        if inputs.is_output(0) {
            return Ok(());
        }
        Ok(reshape::bytes(inputs.get(0)?, output)?)
    }
}
