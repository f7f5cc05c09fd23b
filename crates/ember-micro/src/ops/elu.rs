//! ELU of int8: `micro/kernels/elu.cc`.

use ember_core::{BuiltinOp, Dtype, view};
use ember_kernels::elu;
use ember_kernels::quantize::Affine;
use ember_tflite::OpCode;

use crate::error::{InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// ELU of int8: the table is kept.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Elu);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        super::unary::shapes(cx, [Dtype::Int8; 2])?;
        let affine = |slot| -> Result<Affine, Refused> {
            let (scale, zero_point) = cx.any(slot)?.affine()?;
            Ok(Affine { scale, zero_point })
        };
        let (from, to) = (affine(Slot::input(0))?, affine(Slot::output(0))?);
        for first in (0..=u8::MAX).step_by(4) {
            let bytes = [0, 1, 2, 3].map(|at| {
                let x = first.wrapping_add(at).cast_signed();
                elu::entry(from, to, x).cast_unsigned()
            });
            cx.keep(&[u32::from_le_bytes(bytes)])?;
        }
        Ok(())
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let table = view::from_bytes(view::as_bytes(io.kept())).ok_or(InvokeFault::Prepared)?;
        let (inputs, output) = io.split()?;
        Ok(elu::look_up(table, inputs.get(0)?, output)?)
    }
}
