//! MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL: `micro/kernels/reduce_common.cc`. The axes are
//! constant; others are in [`axes_at`](super::axes_at).

use core::cmp::Ordering;
use core::marker::PhantomData;

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::maximum_minimum::Ordered;
use ember_kernels::reduce::{self, MAX_AXES, Quantization, Reduce, ReduceAxis};
use ember_kernels::{Bool, Element};
use ember_tflite::{OpCode, ReducerOptions};

use super::moves::{Layout, constants, position, same_scale};
use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// Checks types, axes and shapes; gives how many elements an output is made of, at least one.
#[inline(never)]
fn shapes(cx: &Prepare<'_>, dtype: Dtype, shape: &mut Reduce) -> Result<u32, Refused> {
    cx.arity(2..=2, 1)?;
    let keep_dims = cx.options::<ReducerOptions>()?.keep_dims;
    let input = cx.input(0, dtype)?;
    let output = cx.output(0, dtype)?;
    let layout = Layout::of(cx, &input)?;
    let mut reduced = 0u32;
    for axis in constants(cx, 1)? {
        reduced |= 1 << position(cx, *axis, layout.rank)?;
    }
    shape.kept = [ReduceAxis::ONE; MAX_AXES];
    shape.reduced = [ReduceAxis::ONE; MAX_AXES];
    let own = output.shape()?;
    let mut sizes = own.iter();
    let mut addends = 1u32;
    let axes = shape.kept.iter_mut().zip(&mut shape.reduced);
    for ((kept, gone), ((count, step), at)) in axes.zip(layout.own().zip(0u32..)) {
        let axis = ReduceAxis { count, step };
        let expected = if reduced.wrapping_shr(at) & 1 == 0 {
            *kept = axis;
            Some(count)
        } else {
            *gone = axis;
            addends = addends.saturating_mul(count);
            keep_dims.then_some(1)
        };
        if let Some(expected) = expected {
            let found = sizes.next().unwrap_or(0) as u32;
            output.size_is(at as u8, found, expected)?;
        }
    }
    if sizes.next().is_some() || input.elements() == 0 {
        return Err(cx.refuse(Fault::Options));
    }
    Ok(addends)
}

/// Which of the two operators it is.
pub trait Total {
    /// The operator.
    const OP: BuiltinOp;
    /// Whether the sum is divided by the number of addends.
    const DIVIDED: bool;
}

/// MEAN.
pub struct Mean;

/// SUM.
pub struct Sum;

impl Total for Mean {
    const OP: BuiltinOp = BuiltinOp::Mean;
    const DIVIDED: bool = true;
}

impl Total for Sum {
    const OP: BuiltinOp = BuiltinOp::Sum;
    const DIVIDED: bool = false;
}

/// MEAN or SUM of integers.
pub struct Quantized<O, T>(PhantomData<(O, T)>);

/// The scales and zero points of a sum of so many addends.
#[inline(never)]
fn quantization(cx: &Prepare<'_>, addends: u32, divided: bool) -> Result<Quantization, Refused> {
    let output = cx.any(Slot::output(0))?;
    let (scale, zero_point) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let multiplier = QuantizedMultiplier::from_ratio(scale, 1.0, output_scale);
    if multiplier.shift > 30 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    let sum = Quantization {
        input_offset: zero_point.wrapping_mul(addends.cast_signed()),
        multiplier,
        output_zero_point,
    };
    if !divided {
        return Ok(sum);
    }
    cx.expect(sum.mean(addends), Fault::Options)
}

impl<O: Total, T: Element<Wide = i32> + Typed> Kernel for Quantized<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Pair<Reduce, Quantization>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let addends = shapes(cx, T::DTYPE, &mut prepared.first)?;
        prepared.second = quantization(cx, addends, O::DIVIDED)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let Pair { first, second } = prepared;
        Ok(reduce::quantized(first, second, inputs.get(0)?, output)?)
    }
}

/// MEAN or SUM of float32.
pub struct Float32<O>(PhantomData<O>);

impl<O: Total> Kernel for Float32<O> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Pair<Reduce, f32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let addends = shapes(cx, Dtype::Float32, &mut prepared.first)?;
        prepared.second = if O::DIVIDED { addends as f32 } else { 1.0 };
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        Ok(reduce::float32(first, *second, inputs.get(0)?, output)?)
    }
}

/// Which of the two operators it is.
pub trait Extreme {
    /// The operator.
    const OP: BuiltinOp;
    /// How what is wanted compares with the others.
    const WANTED: Ordering;
}

/// REDUCE_MAX.
pub struct Greatest;

/// REDUCE_MIN.
pub struct Least;

impl Extreme for Greatest {
    const OP: BuiltinOp = BuiltinOp::ReduceMax;
    const WANTED: Ordering = Ordering::Greater;
}

impl Extreme for Least {
    const OP: BuiltinOp = BuiltinOp::ReduceMin;
    const WANTED: Ordering = Ordering::Less;
}

/// REDUCE_MAX or REDUCE_MIN of elements as they are: both tensors have one scale.
pub struct ExtremeOf<O, T>(PhantomData<(O, T)>);

impl<O: Extreme, T: Ordered + Typed> Kernel for ExtremeOf<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Reduce;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Reduce) -> Result<(), Refused> {
        shapes(cx, T::DTYPE, prepared)?;
        same_scale(cx, [Slot::input(0), Slot::output(0)])
    }

    fn run(prepared: &Reduce, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        Ok(reduce::extreme(
            prepared,
            O::WANTED,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// REDUCE_ALL.
pub struct All;

impl Kernel for All {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ReduceAll);
    const DTYPE: Option<Dtype> = Some(Dtype::Bool);
    type Prepared = Reduce;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Reduce) -> Result<(), Refused> {
        shapes(cx, Dtype::Bool, prepared)?;
        Ok(())
    }

    fn run(prepared: &Reduce, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<Bool>()?;
        Ok(reduce::all(prepared, inputs.get(0)?, output)?)
    }
}
