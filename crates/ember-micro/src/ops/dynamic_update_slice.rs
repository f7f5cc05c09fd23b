//! DYNAMIC_UPDATE_SLICE: `micro/kernels/dynamic_update_slice.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Int64;
use ember_kernels::strided::{self, MAX_AXES, Strided, StridedAxis};
use ember_kernels::{KernelError, reshape};
use ember_tflite::OpCode;

use super::moves::{self, Layout, same_scale, sizes_are};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::kernel::Kernel;
use crate::prepare::Prepare;

ember_core::plain! {
    /// What [`Any`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// Where the update goes when all start indices are 0.
        shape: Strided,
        /// The greatest start index of each axis.
        last: [u32; MAX_AXES],
        /// Axes that the tensors do not have, which are outermost.
        skipped: u32,
        /// 1 where the start indices are int64, else 0.
        wide: u32,
    }
}

/// DYNAMIC_UPDATE_SLICE of elements of any type, at start indices of int32 or int64, which are clamped such that the update
/// fits.
pub struct Any;

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DynamicUpdateSlice);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let operand = cx.any(Slot::input(0))?;
        let update = cx.input(1, operand.dtype())?;
        let output = cx.output(0, operand.dtype())?;
        same_scale(cx, [operand.slot(), output.slot()])?;
        same_scale(cx, [update.slot(), output.slot()])?;
        let indices = cx.any(Slot::input(2))?;
        prepared.wide = u32::from(indices.dtype() == Dtype::Int64);
        if prepared.wide == 0 {
            indices.of(Dtype::Int32)?;
        }
        let (whole, part) = (Layout::of(cx, &operand)?, Layout::of(cx, &update)?);
        sizes_are(cx, &output, whole.own().map(|(size, _)| size))?;
        indices.dims_are(&[whole.rank as u32])?;
        if part.rank != whole.rank {
            return Err(cx.refuse(Fault::Options));
        }
        prepared.shape = moves::strided(cx, &operand)?;
        prepared.skipped = MAX_AXES.wrapping_sub(whole.rank) as u32;
        let sizes = whole.sizes.into_iter().zip(whole.steps);
        let parts = part.sizes.into_iter().zip(part.steps);
        let axes = prepared.shape.axes.iter_mut().zip(&mut prepared.last);
        for ((axis, last), ((size, step), (own, own_step))) in axes.zip(sizes.zip(parts)) {
            *last = cx.expect(size.checked_sub(own), Fault::Options)?;
            *axis = StridedAxis::new(own, own_step, step);
        }
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        reshape::bytes(inputs.get(0)?, output)?;
        let start = start(prepared, &inputs)?;
        let shape = prepared.shape.starting(0, start);
        Ok(strided::copy(&shape, inputs.get(1)?, output)?)
    }
}

/// The first element of the output that the update covers.
fn start(prepared: &Prepared, inputs: &Inputs<'_>) -> Result<u32, InvokeFault> {
    let axes = prepared.shape.axes.iter().zip(&prepared.last);
    let mut start = 0u32;
    for ((axis, last), at) in axes.skip(prepared.skipped as usize).zip(0usize..) {
        let index = if prepared.wide == 0 {
            inputs.get::<i32>(2)?.get(at).map(|index| i64::from(*index))
        } else {
            inputs.get::<Int64>(2)?.get(at).map(|index| index.get())
        };
        let index = index.ok_or(KernelError::Parameters)?;
        let index = index.clamp(0, i64::from(*last)) as u32;
        let step = axis.output_step.cast_unsigned();
        start = start.wrapping_add(index.wrapping_mul(step));
    }
    Ok(start)
}
