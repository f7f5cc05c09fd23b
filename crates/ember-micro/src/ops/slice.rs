//! SLICE where begin and size are no constants of int32: `micro/kernels/slice.cc`. [`Slice`](super::transpose::Slice) is that of
//! constants.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::strided::{self, MAX_AXES, Strided, StridedAxis};
use ember_kernels::{Int64, KernelError};
use ember_tflite::{OpCode, Operator, Subgraph};

use super::moves::{self, Layout, same_scale};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::{Inputs, Io};
use crate::kernel::Kernel;
use crate::prepare::Prepare;

const BEGIN: u8 = 1;
const SIZE: u8 = 2;

/// SLICE of elements of any type. The output's shape in the file decides how much: the size that comes as an input must say
/// the same, and the slice must lie within the input, which a run checks.
pub struct Any;

ember_core::plain! {
    /// What [`Any`] prepares.
    #[derive(Clone, Copy, Debug)]
    pub struct Prepared {
        /// The slice when it begins at 0.
        shape: Strided,
        /// Positions of each axis of the input.
        whole: [u32; MAX_AXES],
        /// Axes that the tensors do not have, which are outermost.
        skipped: u32,
        /// 1 where begin and size are int64, else 0.
        wide: u32,
    }
}

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
    type Prepared = Prepared;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Prepared) -> Result<(), Refused> {
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
        prepared.shape = moves::strided(cx, &input)?;
        prepared.whole = from.sizes;
        prepared.skipped = MAX_AXES.wrapping_sub(from.rank) as u32;
        prepared.wide = wide.into();
        let inputs = from.sizes.into_iter().zip(from.steps);
        let outputs = to.sizes.into_iter().zip(to.steps);
        let axes = prepared.shape.axes.iter_mut();
        for (axis, ((whole, input_step), (size, step))) in axes.zip(inputs.zip(outputs)) {
            cx.expect(whole.checked_sub(size), Fault::Options)?;
            *axis = StridedAxis::new(size, input_step, step);
        }
        Ok(())
    }

    fn run(prepared: &Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let start = start(prepared, &inputs)?;
        let shape = prepared.shape.starting(start, 0);
        Ok(strided::copy(&shape, inputs.get(0)?, output)?)
    }
}

/// The first element of the input that the slice has.
fn start(prepared: &Prepared, inputs: &Inputs<'_>) -> Result<u32, InvokeFault> {
    let number = |input: u8, at: usize| -> Result<i64, InvokeFault> {
        let number = if prepared.wide == 0 {
            inputs
                .get::<i32>(input)?
                .get(at)
                .map(|number| i64::from(*number))
        } else {
            inputs
                .get::<Int64>(input)?
                .get(at)
                .map(|number| number.get())
        };
        Ok(number.ok_or(KernelError::Parameters)?)
    };
    let axes = prepared.shape.axes.iter().zip(prepared.whole);
    let mut start = 0u32;
    for ((axis, whole), at) in axes.skip(prepared.skipped as usize).zip(0usize..) {
        let (begin, size) = (number(BEGIN, at)?, number(SIZE, at)?);
        let rest = i64::from(whole).checked_sub(begin);
        let rest = rest.filter(|_| begin >= 0).ok_or(KernelError::Undefined)?;
        let size = if size == -1 { rest } else { size };
        if size != i64::from(axis.count) || size > rest {
            return Err(KernelError::Undefined.into());
        }
        let step = axis.input_step.cast_unsigned();
        start = start.wrapping_add((begin as u32).wrapping_mul(step));
    }
    Ok(start)
}
