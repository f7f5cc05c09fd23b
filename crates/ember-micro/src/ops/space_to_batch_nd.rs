//! SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: `micro/kernels/space_to_batch_nd.cc` and `batch_to_space_nd.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::space_to_batch_nd::{self, SpaceToBatch, SpaceToBatchAt};
use ember_tflite::{OpCode, Operator, Subgraph};

use super::moves::{constants, same_scale, varies};
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

/// The number of the blocks among the inputs.
const BLOCKS: u8 = 1;
/// The number of what lies around the larger images.
const AROUND: u8 = 2;

fn suits(graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
    varies::<BLOCKS>(graph, operator) || varies::<AROUND>(graph, operator)
}

/// Checks both tensors.
#[inline(never)]
fn shapes(cx: &Prepare<'_>, small: Slot, large: Slot) -> Result<SpaceToBatchAt, Refused> {
    cx.arity(3..=3, 1)?;
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    same_scale(cx, [input.slot(), output.slot()])?;
    let (small, large) = (cx.any(small)?, cx.any(large)?);
    let [small_batches, small_height, small_width, small_depth] = dims(&small)?;
    let [batches, height, width, depth] = dims(&large)?;
    let rank = large.shape()?.len();
    let pixel = depth.checked_mul(element_bytes(cx, &input)?);
    let pixel =
        pixel.filter(|_| small_depth == depth && small.shape().is_ok_and(|s| s.len() == rank));
    Ok(SpaceToBatchAt {
        shape: SpaceToBatch {
            batches,
            space: [height, width],
            batch: [small_height, small_width],
            block: [0; 2],
            before: [0; 2],
            pixel: cx.expect(pixel, Fault::Options)?,
        },
        small_batches,
        sides: (rank as u32).saturating_sub(2),
    })
}

/// [`shapes`] with constant blocks.
fn blocks(cx: &Prepare<'_>, small: Slot, large: Slot) -> Result<SpaceToBatch, Refused> {
    let shape = shapes(cx, small, large)?;
    let shape = shape.with(constants(cx, BLOCKS)?, constants(cx, AROUND)?);
    cx.expect(shape, Fault::Options)
}

/// [`shapes`] with blocks of int32 that are no constants.
fn at(cx: &Prepare<'_>, small: Slot, large: Slot) -> Result<SpaceToBatchAt, Refused> {
    let shape = shapes(cx, small, large)?;
    cx.input(BLOCKS, Dtype::Int32)?.elements_are(shape.sides)?;
    let around = cx.input(AROUND, Dtype::Int32)?;
    around.elements_are(shape.sides.saturating_mul(2))?;
    Ok(shape)
}

/// BATCH_TO_SPACE_ND of elements of any type.
pub struct BatchToSpace;

impl Kernel for BatchToSpace {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BatchToSpaceNd);
    const DTYPE: Option<Dtype> = None;
    type Prepared = SpaceToBatch;

    fn prepare(cx: &Prepare<'_>, prepared: &mut SpaceToBatch) -> Result<(), Refused> {
        *prepared = blocks(cx, Slot::input(0), Slot::output(0))?;
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
        *prepared = blocks(cx, Slot::output(0), Slot::input(0))?;
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

/// [`BatchToSpace`] with blocks that are no constants.
pub struct BatchToSpaceAt;

impl Kernel for BatchToSpaceAt {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BatchToSpaceNd);
    const DTYPE: Option<Dtype> = None;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(suits);
    type Prepared = SpaceToBatchAt;

    fn prepare(cx: &Prepare<'_>, prepared: &mut SpaceToBatchAt) -> Result<(), Refused> {
        *prepared = at(cx, Slot::input(0), Slot::output(0))?;
        Ok(())
    }

    fn run(prepared: &SpaceToBatchAt, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (blocks, around) = (inputs.get(BLOCKS)?, inputs.get(AROUND)?);
        let input = inputs.get(0)?;
        Ok(space_to_batch_nd::to_space_at(
            prepared, input, blocks, around, output,
        )?)
    }
}

/// [`SpaceToBatchNd`] with blocks that are no constants.
pub struct SpaceToBatchNdAt;

impl Kernel for SpaceToBatchNdAt {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::SpaceToBatchNd);
    const DTYPE: Option<Dtype> = None;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(suits);
    type Prepared = SpaceToBatchAt;

    fn prepare(cx: &Prepare<'_>, prepared: &mut SpaceToBatchAt) -> Result<(), Refused> {
        *prepared = at(cx, Slot::output(0), Slot::input(0))?;
        Ok(())
    }

    fn run(prepared: &SpaceToBatchAt, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<u8>()?;
        output.fill(0);
        let (blocks, around) = (inputs.get(BLOCKS)?, inputs.get(AROUND)?);
        let input = inputs.get(0)?;
        Ok(space_to_batch_nd::to_batch_at(
            prepared, input, blocks, around, output,
        )?)
    }
}
