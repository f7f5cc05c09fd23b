//! PACK: `micro/kernels/pack.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::pack::{self, Pack};
use ember_tflite::{OpCode, PackOptions};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

/// Bytes of one element; the types whose elements are not whole bytes are refused.
pub(super) fn element_bytes(cx: &Prepare<'_>, operand: &Operand<'_>) -> Result<u32, Refused> {
    let found = operand.dtype();
    match found.bits() {
        Some(bits) if bits % 8 == 0 => Ok(bits / 8),
        _ => Err(cx.refuse(Fault::Dtype {
            slot: operand.slot(),
            found,
            expected: Dtype::Int8,
        })),
    }
}

/// PACK of whole-byte elements of any type.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Pack);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Pack;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Pack) -> Result<(), Refused> {
        cx.arity(1..=127, 1)?;
        let options = cx.options::<PackOptions>()?;
        let output = cx.any(Slot::output(0))?;
        let values = cx.operator().inputs().len() as u32;
        let shape = output.shape()?;
        let rank = shape.len();
        let axis = match usize::try_from(options.axis) {
            Ok(axis) => axis,
            Err(_) => rank.wrapping_add_signed(options.axis as isize),
        };
        let [mut outer, mut inner] = [1u32, element_bytes(cx, &output)?];
        for (dim, size) in shape.iter().enumerate() {
            // Products of sizes of a checked model fit.
            if dim < axis {
                outer = outer.saturating_mul(size as u32);
            } else if dim > axis {
                inner = inner.saturating_mul(size as u32);
            }
        }
        if shape.get(axis) != Some(values as usize)
            || u32::try_from(options.values_count) != Ok(values)
        {
            return Err(cx.refuse(Fault::Options));
        }
        let elements = output.elements().checked_div(values).unwrap_or(0);
        for (index, _) in (0..127).zip(0..values) {
            let input = cx.any(Slot::input(index))?.of(output.dtype())?;
            input.elements_are(elements)?;
        }
        *prepared = Pack {
            outer,
            values,
            inner,
        };
        Ok(())
    }

    fn run(prepared: &Pack, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        for index in 0..inputs.len() {
            pack::bytes(prepared, u32::from(index), inputs.get(index)?, output)?;
        }
        Ok(())
    }
}
