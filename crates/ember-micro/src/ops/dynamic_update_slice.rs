//! DYNAMIC_UPDATE_SLICE: `micro/kernels/dynamic_update_slice.cc`.

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Int64;
use ember_kernels::dynamic_update_slice::{self, UpdateSlice};
use ember_kernels::strided::{MAX_AXES, StridedAxis};
use ember_tflite::OpCode;

use super::moves::{self, Layout, same_scale, sizes_are};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// DYNAMIC_UPDATE_SLICE of elements of any type, at start indices of int32 or int64, which are clamped such that the update
/// fits.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DynamicUpdateSlice);
    const DTYPE: Option<Dtype> = None;
    /// Where it goes, and 1 where the start indices are int64, else 0.
    type Prepared = Pair<UpdateSlice, u32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let operand = cx.any(Slot::input(0))?;
        let update = cx.input(1, operand.dtype())?;
        let output = cx.output(0, operand.dtype())?;
        same_scale(cx, [operand.slot(), output.slot()])?;
        same_scale(cx, [update.slot(), output.slot()])?;
        let indices = cx.any(Slot::input(2))?;
        prepared.second = u32::from(indices.dtype() == Dtype::Int64);
        if prepared.second == 0 {
            indices.of(Dtype::Int32)?;
        }
        let (whole, part) = (Layout::of(cx, &operand)?, Layout::of(cx, &update)?);
        sizes_are(cx, &output, whole.own().map(|(size, _)| size))?;
        indices.dims_are(&[whole.rank as u32])?;
        if part.rank != whole.rank {
            return Err(cx.refuse(Fault::Options));
        }
        let slice = &mut prepared.first;
        slice.shape = moves::strided(cx, &operand)?;
        slice.skipped = MAX_AXES.wrapping_sub(whole.rank) as u32;
        let sizes = whole.sizes.into_iter().zip(whole.steps);
        let parts = part.sizes.into_iter().zip(part.steps);
        let axes = slice.shape.axes.iter_mut().zip(&mut slice.last);
        for ((axis, last), ((size, step), (own, own_step))) in axes.zip(sizes.zip(parts)) {
            *last = cx.expect(size.checked_sub(own), Fault::Options)?;
            *axis = StridedAxis::new(own, own_step, step);
        }
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (operand, update) = (inputs.get(0)?, inputs.get(1)?);
        let Pair { first, second } = prepared;
        let done = if *second == 0 {
            dynamic_update_slice::bytes::<i32>(first, operand, update, inputs.get(2)?, output)
        } else {
            dynamic_update_slice::bytes::<Int64>(first, operand, update, inputs.get(2)?, output)
        };
        Ok(done?)
    }
}
