//! TRANSPOSE, REVERSE_V2, SLICE and BROADCAST_TO: `micro/kernels/transpose_common.cc`, `reverse.cc`, `slice.cc` and
//! `broadcast_to.cc`. Each is one move along the axes of the output.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::strided::{self, MAX_AXES, Strided, StridedAxis};
use ember_tflite::OpCode;

use super::moves::{self, Layout, constants, position, sizes_are};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

/// Input and output, which have one type and one scale.
fn operands<'c>(cx: &'c Prepare<'_>) -> Result<[Operand<'c>; 2], Refused> {
    let input = cx.any(Slot::input(0))?;
    let output = cx.output(0, input.dtype())?;
    moves::same_scale(cx, [input.slot(), output.slot()])?;
    Ok([input, output])
}

/// The axes at the end of a move that a tensor of this rank has.
fn last(axes: &mut [StridedAxis; MAX_AXES], rank: usize) -> impl Iterator<Item = &mut StridedAxis> {
    axes.iter_mut().skip(MAX_AXES.wrapping_sub(rank))
}

fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
    let (inputs, output) = io.split()?;
    Ok(strided::copy(prepared, inputs.get(0)?, output)?)
}

/// TRANSPOSE of elements of any type, by a constant permutation.
pub struct Transpose;

impl Kernel for Transpose {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Transpose);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let [input, output] = operands(cx)?;
        let permutation = constants(cx, 1)?;
        *prepared = moves::strided(cx, &input)?;
        let (from, to) = (Layout::of(cx, &input)?, Layout::of(cx, &output)?);
        if permutation.len() != from.rank || to.rank != from.rank {
            return Err(cx.refuse(Fault::Options));
        }
        let mut taken = 0u32;
        let axes = last(&mut prepared.axes, to.rank);
        for ((axis, (size, step)), (at, dimension)) in
            axes.zip(to.own()).zip(permutation.iter().zip(0..))
        {
            let at = position(cx, *at, from.rank)?;
            taken |= 1 << at;
            let (expected, input_step) = from.dimension(at);
            output.size_is(dimension, size, expected)?;
            *axis = StridedAxis::new(size, input_step, step);
        }
        // Every dimension once.
        if taken.count_ones() as usize != from.rank {
            return Err(cx.refuse(Fault::Options));
        }
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        run(prepared, io)
    }
}

/// REVERSE_V2 of elements of any type, along constant axes.
pub struct Reverse;

impl Kernel for Reverse {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ReverseV2);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let [input, output] = operands(cx)?;
        *prepared = moves::strided(cx, &input)?;
        let layout = Layout::of(cx, &input)?;
        sizes_are(cx, &output, layout.own().map(|(size, _)| size))?;
        let mut reversed = 0u32;
        for axis in constants(cx, 1)? {
            reversed |= 1 << position(cx, *axis, layout.rank)?;
        }
        let axes = last(&mut prepared.axes, layout.rank);
        for ((axis, (size, step)), at) in axes.zip(layout.own()).zip(0u32..) {
            *axis = StridedAxis::new(size, step, step);
            if reversed.wrapping_shr(at) & 1 != 0 {
                let last = size.saturating_sub(1).saturating_mul(step);
                prepared.input_start = prepared.input_start.saturating_add(last);
                axis.input_step = axis.input_step.wrapping_neg();
            }
        }
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        run(prepared, io)
    }
}

/// SLICE of elements of any type, with constant begin and size.
pub struct Slice;

impl Kernel for Slice {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Slice);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let [input, output] = operands(cx)?;
        *prepared = moves::strided(cx, &input)?;
        let (from, to) = (Layout::of(cx, &input)?, Layout::of(cx, &output)?);
        let (begins, sizes) = (constants(cx, 1)?, constants(cx, 2)?);
        if [begins.len(), sizes.len(), to.rank] != [from.rank; 3] {
            return Err(cx.refuse(Fault::Options));
        }
        let axes = last(&mut prepared.axes, to.rank).zip(begins.iter().zip(sizes));
        let layouts = from.own().zip(to.own());
        for (((axis, (begin, size)), ((whole, input_step), (found, step))), dimension) in
            axes.zip(layouts).zip(0..)
        {
            let begin = u32::try_from(*begin).ok().filter(|begin| *begin <= whole);
            let begin = cx.expect(begin, Fault::Options)?;
            let rest = whole.wrapping_sub(begin);
            let size = match *size {
                -1 => Some(rest),
                size => u32::try_from(size).ok().filter(|size| *size <= rest),
            };
            let size = cx.expect(size, Fault::Options)?;
            output.size_is(dimension, found, size)?;
            let skipped = begin.saturating_mul(input_step);
            prepared.input_start = prepared.input_start.saturating_add(skipped);
            *axis = StridedAxis::new(size, input_step, step);
        }
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        run(prepared, io)
    }
}

/// BROADCAST_TO of elements of any type. The output's shape in the file decides; a constant shape must say the same.
pub struct BroadcastTo;

impl Kernel for BroadcastTo {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BroadcastTo);
    const DTYPE: Option<Dtype> = None;
    type Prepared = Strided;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Strided) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let [input, output] = operands(cx)?;
        *prepared = moves::strided(cx, &input)?;
        let (from, to) = (Layout::of(cx, &input)?, Layout::of(cx, &output)?);
        let shape = cx.any(Slot::input(1))?;
        shape.elements_are(to.rank as u32)?;
        if from.rank > to.rank {
            return Err(cx.refuse(Fault::Broadcast));
        }
        // Dimensions that the input does not have count as one position.
        let inputs = from.sizes.into_iter().zip(from.steps);
        let outputs = to.sizes.into_iter().zip(to.steps);
        for (axis, ((own, input_step), (size, step))) in
            prepared.axes.iter_mut().zip(inputs.zip(outputs))
        {
            if own != size && own != 1 {
                return Err(cx.refuse(Fault::Broadcast));
            }
            *axis = StridedAxis::new(size, if own == 1 { 0 } else { input_step }, step);
        }
        Ok(())
    }

    fn run(prepared: &Strided, io: Io<'_>) -> Result<(), InvokeFault> {
        run(prepared, io)
    }
}
