//! ARG_MAX, ARG_MIN, CUMSUM, MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL and REVERSE_V2 along axes that are no constants: TFLM
//! (`micro/kernels/arg_min_max.cc`, `cumsum.cc`, `reduce_common.cc`, `reverse.cc`) reads them when it runs.
//!
//! The output's shape in the file decides how much there is: a run gives an error where the axes that come as an input would
//! give another number of elements.

use core::marker::PhantomData;

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::axes::Sizes;
use ember_kernels::maximum_minimum::Ordered;
use ember_kernels::reduce::{self, Quantization};
use ember_kernels::strided::MAX_AXES;
use ember_kernels::{Bool, Element, add, arg_max as kernels, strided};
use ember_tflite::{OpCode, Operator, ReducerOptions, Subgraph};

use super::arg_max::{self, Position};
use super::moves::{same_scale, sizes_are, varies};
use super::pack::element_bytes;
use super::reduce::{Extreme, Total};
use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The number of the axes among the inputs.
const AXES: u8 = 1;

const VARIES: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = Some(varies::<AXES>);

/// The dimensions of the first input, whose axes are int32.
fn sizes(cx: &Prepare<'_>, dtype: Dtype) -> Result<Sizes, Refused> {
    cx.arity(2..=2, 1)?;
    cx.input(AXES, Dtype::Int32)?;
    let input = cx.input(0, dtype)?;
    let shape = input.shape()?;
    let mut sizes = [1; MAX_AXES];
    if shape.len() > MAX_AXES {
        return Err(cx.refuse(Fault::Rank {
            slot: input.slot(),
            found: shape.len() as u32,
            expected: MAX_AXES as u32,
        }));
    }
    for (to, size) in sizes.iter_mut().zip(shape.iter()) {
        *to = size as u32;
    }
    Ok(Sizes {
        sizes,
        rank: shape.len() as u32,
    })
}

/// [`sizes`] where the axes are one, which the output has not.
fn about(cx: &Prepare<'_>, dtype: Dtype) -> Result<Sizes, Refused> {
    let sizes = sizes(cx, dtype)?;
    cx.input(AXES, Dtype::Int32)?.elements_are(1)?;
    Ok(sizes)
}

/// ARG_MAX or ARG_MIN along an axis that is no constant, as int32.
pub struct Arg<O, T>(PhantomData<(O, T)>);

impl<O: Position, T: Ordered + Typed> Kernel for Arg<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Sizes;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Sizes) -> Result<(), Refused> {
        *prepared = about(cx, T::DTYPE)?;
        let output = cx.output(0, Dtype::Int32)?.shape()?.len();
        let fits = output.wrapping_add(1) == prepared.rank as usize;
        cx.expect(fits.then_some(()), Fault::Options)
    }

    fn run(prepared: &Sizes, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (input, axis) = (inputs.get::<T>(0)?, inputs.get(AXES)?);
        Ok(kernels::position_at(
            prepared,
            O::WANTED,
            input,
            axis,
            output,
        )?)
    }
}

/// CUMSUM of float32 along an axis that is no constant.
pub struct CumsumFloat32;

impl Kernel for CumsumFloat32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Cumsum);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Pair<Sizes, kernels::Order>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        prepared.first = about(cx, Dtype::Float32)?;
        prepared.second = arg_max::order(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let (input, axis) = (inputs.get(0)?, inputs.get(AXES)?);
        Ok(kernels::sums_float32_at(
            first, *second, input, axis, output,
        )?)
    }
}

/// CUMSUM of int8 along an axis that is no constant.
pub struct CumsumInt8;

impl Kernel for CumsumInt8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Cumsum);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Pair<Pair<Sizes, kernels::Order>, add::Quantized>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        prepared.first.first = about(cx, Dtype::Int8)?;
        prepared.first.second = arg_max::order(cx)?;
        prepared.second = arg_max::quantization(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let (input, axis) = (inputs.get(0)?, inputs.get(AXES)?);
        Ok(kernels::sums_int8_at(
            &first.first,
            first.second,
            second,
            input,
            axis,
            output,
        )?)
    }
}

/// [`sizes`] of a reduction, whose output has as many dimensions where it keeps them.
#[inline(never)]
fn reduction(cx: &Prepare<'_>, dtype: Dtype) -> Result<Sizes, Refused> {
    let sizes = sizes(cx, dtype)?;
    let keep_dims = cx.options::<ReducerOptions>()?.keep_dims;
    let output = cx.output(0, dtype)?.shape()?.len();
    let fits = if keep_dims {
        output == sizes.rank as usize
    } else {
        output <= sizes.rank as usize
    };
    if !fits || cx.input(0, dtype)?.elements() == 0 {
        return Err(cx.refuse(Fault::Options));
    }
    Ok(sizes)
}

/// MEAN or SUM of integers along axes that are no constants.
pub struct Quantized<O, T>(PhantomData<(O, T)>);

impl<O: Total, T: Element<Wide = i32> + Typed> Kernel for Quantized<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Pair<Sizes, Quantization>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        prepared.first = reduction(cx, T::DTYPE)?;
        prepared.second = quantization(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let Pair { first, second } = prepared;
        let (input, axes) = (inputs.get(0)?, inputs.get(AXES)?);
        let divided = O::DIVIDED.into();
        Ok(reduce::quantized_at(
            first, second, divided, input, axes, output,
        )?)
    }
}

/// Scales and zero points of a sum of one addend.
#[inline(never)]
fn quantization(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
    let output = cx.any(Slot::output(0))?;
    let (scale, input_offset) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let multiplier = QuantizedMultiplier::from_ratio(scale, 1.0, output_scale);
    if multiplier.shift > 30 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    Ok(Quantization {
        input_offset,
        multiplier,
        output_zero_point,
    })
}

/// MEAN or SUM of float32 along axes that are no constants.
pub struct Float32<O>(PhantomData<O>);

impl<O: Total> Kernel for Float32<O> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Sizes;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Sizes) -> Result<(), Refused> {
        *prepared = reduction(cx, Dtype::Float32)?;
        Ok(())
    }

    fn run(prepared: &Sizes, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (input, axes) = (inputs.get(0)?, inputs.get(AXES)?);
        let divided = O::DIVIDED.into();
        Ok(reduce::float32_at(prepared, divided, input, axes, output)?)
    }
}

/// REDUCE_MAX or REDUCE_MIN along axes that are no constants: both tensors have one scale.
pub struct ExtremeOf<O, T>(PhantomData<(O, T)>);

impl<O: Extreme, T: Ordered + Typed> Kernel for ExtremeOf<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Sizes;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Sizes) -> Result<(), Refused> {
        *prepared = reduction(cx, T::DTYPE)?;
        same_scale(cx, [Slot::input(0), Slot::output(0)])
    }

    fn run(prepared: &Sizes, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let (input, axes) = (inputs.get(0)?, inputs.get(AXES)?);
        Ok(reduce::extreme_at(
            prepared,
            O::WANTED,
            input,
            axes,
            output,
        )?)
    }
}

/// REDUCE_ALL along axes that are no constants.
pub struct All;

impl Kernel for All {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ReduceAll);
    const DTYPE: Option<Dtype> = Some(Dtype::Bool);
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    type Prepared = Sizes;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Sizes) -> Result<(), Refused> {
        *prepared = reduction(cx, Dtype::Bool)?;
        Ok(())
    }

    fn run(prepared: &Sizes, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<Bool>()?;
        let (input, axes) = (inputs.get(0)?, inputs.get(AXES)?);
        Ok(reduce::all_at(prepared, input, axes, output)?)
    }
}

/// REVERSE_V2 of elements of any type, along axes that are no constants.
pub struct Reverse;

impl Kernel for Reverse {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::ReverseV2);
    const DTYPE: Option<Dtype> = None;
    const SUITS: Option<fn(&Subgraph<'_>, &Operator<'_>) -> bool> = VARIES;
    /// The dimensions, and the bytes of an element.
    type Prepared = Pair<Sizes, u32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let input = cx.any(Slot::input(0))?;
        let output = cx.output(0, input.dtype())?;
        same_scale(cx, [input.slot(), output.slot()])?;
        prepared.first = sizes(cx, input.dtype())?;
        prepared.second = element_bytes(cx, &input)?;
        let own = prepared.first.sizes.iter().copied();
        // Of an exact size, which `take` keeps.
        sizes_are(cx, &output, own.take(prepared.first.rank as usize))
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let (input, axes) = (inputs.get(0)?, inputs.get(AXES)?);
        Ok(strided::reverse_at(first, *second, input, axes, output)?)
    }
}
