//! DEPTH_TO_SPACE and SPACE_TO_DEPTH: `micro/kernels/depth_to_space.cc` and `space_to_depth.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::strided::{self, Strided, StridedAxis};
use ember_tflite::{DepthToSpaceOptions, OpCode, SpaceToDepthOptions};

use super::moves::{self, same_scale};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The move from the tensor with the deeper pixels to the one with more of them.
fn to_space(cx: &Prepare<'_>, block: i32, deep: Slot, wide: Slot) -> Result<Strided, Refused> {
    cx.arity(1..=1, 1)?;
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    same_scale(cx, [input.slot(), output.slot()])?;
    let block = u32::try_from(block).ok().filter(|block| *block > 0);
    let block = cx.expect(block, Fault::Options)?;
    let [batches, height, width, depth] = cx.any(deep)?.dims()?;
    let [_, _, _, channels] = cx.any(wide)?.dims()?;
    let rows = height.checked_mul(block).zip(width.checked_mul(block));
    let (rows, columns) = cx.expect(rows, Fault::Options)?;
    cx.any(wide)?
        .dims_are(&[batches, rows, columns, channels])?;
    let squared = block
        .checked_mul(block)
        .and_then(|n| n.checked_mul(channels));
    cx.any(deep)?
        .size_is(3, depth, cx.expect(squared, Fault::Options)?)?;
    let mut shape = moves::strided(cx, &input)?;
    // Batches and rows of the deep tensor, rows within a block, columns, columns within a block, channels. Products of
    // sizes of a checked model fit.
    let line = columns.wrapping_mul(channels);
    let run = block.wrapping_mul(channels);
    shape.axes = [
        StridedAxis::ONE,
        StridedAxis::new(
            batches.wrapping_mul(height),
            width.wrapping_mul(depth),
            block.wrapping_mul(line),
        ),
        StridedAxis::new(block, run, line),
        StridedAxis::new(width, depth, run),
        StridedAxis::new(block, channels, channels),
        StridedAxis::new(channels, 1, 1),
    ];
    Ok(shape)
}

/// DEPTH_TO_SPACE of elements of any type.
pub struct DepthToSpace;

impl Kernel for DepthToSpace {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::DepthToSpace);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        let block = cx.options::<DepthToSpaceOptions>()?.block_size;
        *prepared = to_space(cx, block, Slot::input(0), Slot::output(0))?;
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(strided::copy(prepared, inputs.get(0)?, output)?)
    }
}

/// SPACE_TO_DEPTH of elements of any type.
pub struct SpaceToDepth;

impl Kernel for SpaceToDepth {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::SpaceToDepth);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        let block = cx.options::<SpaceToDepthOptions>()?.block_size;
        *prepared = to_space(cx, block, Slot::output(0), Slot::input(0))?;
        // The same move backwards.
        for axis in &mut prepared.axes {
            core::mem::swap(&mut axis.input_step, &mut axis.output_step);
        }
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(strided::copy(prepared, inputs.get(0)?, output)?)
    }
}
