//! SLICE where begin and size are no constants of int32: `micro/kernels/slice.cc`. [`Slice`](super::transpose::Slice) is that of
//! constants.

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Int64;
use ember_kernels::slice::{self, SliceAt};
use ember_kernels::strided::{MAX_AXES, StridedAxis};
use ember_tflite::{OpCode, Operator, Subgraph};

use super::moves::{self, Layout, same_scale};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

const BEGIN: u8 = 1;
const SIZE: u8 = 2;

/// SLICE of elements of any type. The output's shape in the file decides how much: the size that comes as an input must say
/// the same, and the slice must lie within the input, which a run checks.
pub struct Any;

fn suits(graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
    let constant = |index| {
        let tensor = Slot::input(index).of(graph, operator);
        tensor.is_some_and(|tensor| tensor.dtype() == Dtype::Int32 && !tensor.data().is_empty())
    };
    !(constant(BEGIN) && constant(SIZE))
}

impl Kernel for Any {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Slice);
    const DTYPE: Option<Dtype> = None;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(suits);
    /// The slice, and 1 where begin and size are int64, else 0.
    type Prepared = Pair<SliceAt, u32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        cx.arity(3..=3, 1)?;
        let input = cx.any(Slot::input(0))?;
        let output = cx.output(0, input.dtype())?;
        same_scale(cx, [input.slot(), output.slot()])?;
        let numbers = cx.any(Slot::input(BEGIN))?.dtype();
        let wide = numbers == Dtype::Int64;
        let numbers = if wide { numbers } else { Dtype::Int32 };
        let (from, to) = (Layout::of(cx, &input)?, Layout::of(cx, &output)?);
        for index in [BEGIN, SIZE] {
            cx.input(index, numbers)?.dims_are(&[from.rank as u32])?;
        }
        if to.rank != from.rank {
            return Err(cx.refuse(Fault::Options));
        }
        let slice = &mut prepared.first;
        slice.shape = moves::strided(cx, &input)?;
        slice.whole = from.sizes;
        slice.skipped = MAX_AXES.wrapping_sub(from.rank) as u32;
        prepared.second = wide.into();
        let inputs = from.sizes.into_iter().zip(from.steps);
        let outputs = to.sizes.into_iter().zip(to.steps);
        let axes = slice.shape.axes.iter_mut();
        for (axis, ((whole, input_step), (size, step))) in axes.zip(inputs.zip(outputs)) {
            cx.expect(whole.checked_sub(size), Fault::Options)?;
            *axis = StridedAxis::new(size, input_step, step);
        }
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let input = inputs.get(0)?;
        let Pair { first, second } = prepared;
        let done = if *second == 0 {
            let (begins, sizes) = (inputs.get(BEGIN)?, inputs.get(SIZE)?);
            slice::bytes::<i32>(first, input, begins, sizes, output)
        } else {
            let (begins, sizes) = (inputs.get(BEGIN)?, inputs.get(SIZE)?);
            slice::bytes::<Int64>(first, input, begins, sizes, output)
        };
        Ok(done?)
    }
}
