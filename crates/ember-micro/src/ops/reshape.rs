//! RESHAPE, SQUEEZE and EXPAND_DIMS: `micro/kernels/reshape_common.cc`, `squeeze.cc` and `expand_dims.cc`. The planner gives input and output the same bytes where it can, and then
//! there is nothing to do.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::reshape;
use ember_tflite::OpCode;

use super::moves::axis_of;
use crate::error::{Fault, InvokeFault, Refused, Slot};
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

/// SQUEEZE of any type. TFLM does not read which dimensions go: the output's shape in the file decides.
pub struct Squeeze;

impl Kernel for Squeeze {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Squeeze);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        cx.same_elements()?;
        Ok(())
    }

    fn run(prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        Any::run(prepared, io)
    }
}

/// EXPAND_DIMS of any type.
pub struct ExpandDims;

impl Kernel for ExpandDims {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ExpandDims);
    const DTYPE: Option<Dtype> = None;
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let input = cx.same_elements()?;
        let output = cx.any(Slot::output(0))?.shape()?;
        // The axis counts among the dimensions of the output.
        let axis = axis_of(cx, 1, output.len())?;
        let sizes = input.shape()?;
        let sizes = sizes.iter();
        let kept = output.iter().enumerate().filter(|(at, _)| *at != axis);
        if output.get(axis) != Some(1) || !kept.map(|(_, size)| size).eq(sizes) {
            return Err(cx.refuse(Fault::Options));
        }
        Ok(())
    }

    fn run(prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        Any::run(prepared, io)
    }
}
