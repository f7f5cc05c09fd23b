//! SHAPE: `micro/kernels/shape.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// SHAPE of a tensor of any type, as int32.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Shape);
    const DTYPE: Option<Dtype> = None;
    /// The dimensions are kept: they do not change.
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let shape = cx.any(crate::error::Slot::input(0))?.shape()?;
        cx.output(0, Dtype::Int32)?
            .dims_are(&[shape.len() as u32])?;
        for dim in shape.iter() {
            cx.keep(&[dim as u32])?;
        }
        Ok(())
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let dims = io.kept();
        let (_, output) = io.split()?;
        Ok(ember_kernels::shape::int32(dims, output)?)
    }
}
