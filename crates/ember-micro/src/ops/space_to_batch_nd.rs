//! SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: `micro/kernels/space_to_batch_nd.cc` and `batch_to_space_nd.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::space_to_batch_nd::{self, SpaceToBatch};
use ember_tflite::OpCode;

use super::moves::{constants, same_scale};
use super::pack::element_bytes;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

/// Dimensions `[batches, height, width, depth]`, of three as if the width were 1.
fn dims(operand: &Operand<'_>) -> Result<[u32; 4], Refused> {
    let shape = operand.shape()?;
    if shape.len() == 3 {
        let [batches, height, depth] = operand.dims()?;
        return Ok([batches, height, 1, depth]);
    }
    operand.dims()
}

/// Checks both tensors, the constant blocks and what lies around the larger images.
#[inline(never)]
fn shapes(cx: &Prepare<'_>, small: Slot, large: Slot) -> Result<SpaceToBatch, Refused> {
    cx.arity(3..=3, 1)?;
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    same_scale(cx, [input.slot(), output.slot()])?;
    let (small, large) = (cx.any(small)?, cx.any(large)?);
    let [small_batches, small_height, small_width, small_depth] = dims(&small)?;
    let [batches, height, width, depth] = dims(&large)?;
    let (around, rest) = constants(cx, 2)?.as_chunks::<2>();
    let sides = match (constants(cx, 1)?, around, large.shape()?.len()) {
        ([rows, columns], [above, left], 4) => Some(([*rows, *columns], [*above, *left])),
        ([rows], [above], 3) => Some(([*rows, 1], [*above, [0, 0]])),
        _ => None,
    };
    let (block, around) = cx.expect(sides.filter(|_| rest.is_empty()), Fault::Options)?;
    let natural = |number: i32| cx.expect(u32::try_from(number).ok(), Fault::Options);
    let [rows, columns] = block;
    let block = [natural(rows)?, natural(columns)?];
    let [[above, below], [left, right]] = around;
    let before = [natural(above)?, natural(left)?];
    let behind = [natural(below)?, natural(right)?];
    let covered = |small: u32, at: usize| {
        let get = |list: &[u32; 2]| list.get(at).copied().unwrap_or(0);
        let whole = small.checked_mul(get(&block))?;
        whole.checked_sub(get(&before))?.checked_sub(get(&behind))
    };
    let [rows, columns] = block;
    let fits = covered(small_height, 0) == Some(height)
        && covered(small_width, 1) == Some(width)
        && batches
            .checked_mul(rows)
            .and_then(|n| n.checked_mul(columns))
            == Some(small_batches)
        && small_depth == depth
        && small.shape()?.len() == large.shape()?.len();
    cx.expect(fits.then_some(()), Fault::Options)?;
    let pixel = depth.checked_mul(element_bytes(cx, &input)?);
    Ok(SpaceToBatch {
        batches,
        space: [height, width],
        batch: [small_height, small_width],
        block,
        before,
        pixel: cx.expect(pixel, Fault::Options)?,
    })
}

/// BATCH_TO_SPACE_ND of elements of any type.
pub struct BatchToSpace;

impl Kernel for BatchToSpace {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BatchToSpaceNd);
    const DTYPE: Option<Dtype> = None;
    type Prepared = SpaceToBatch;

    fn prepare(cx: &Prepare<'_>, prepared: &mut SpaceToBatch) -> Result<(), Refused> {
        *prepared = shapes(cx, Slot::input(0), Slot::output(0))?;
        Ok(())
    }

    fn run(prepared: &SpaceToBatch, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(space_to_batch_nd::to_space(
            prepared,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// SPACE_TO_BATCH_ND of elements of any type. What surrounds the larger images is zero bytes, also where the type has another
/// zero point: TFLM leaves that out, LiteRT does not.
pub struct SpaceToBatchNd;

impl Kernel for SpaceToBatchNd {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::SpaceToBatchNd);
    const DTYPE: Option<Dtype> = None;
    type Prepared = SpaceToBatch;

    fn prepare(cx: &Prepare<'_>, prepared: &mut SpaceToBatch) -> Result<(), Refused> {
        *prepared = shapes(cx, Slot::output(0), Slot::input(0))?;
        Ok(())
    }

    fn run(prepared: &SpaceToBatch, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<u8>()?;
        output.fill(0);
        Ok(space_to_batch_nd::to_batch(
            prepared,
            inputs.get(0)?,
            output,
        )?)
    }
}
