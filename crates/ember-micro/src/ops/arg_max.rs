//! ARG_MAX, ARG_MIN, CUMSUM and ADD_N: `micro/kernels/arg_min_max.cc`, `cumsum.cc` and `add_n.cc`. Axes that are no constants
//! are in [`axes_at`](super::axes_at).

use core::cmp::Ordering;
use core::marker::PhantomData;

use ember_core::view::Pair;
use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::add;
use ember_kernels::arg_max::{self, About, Order};
use ember_kernels::maximum_minimum::Ordered;
use ember_tflite::{CumsumOptions, OpCode};

use super::moves::{around, axis_of, same_scale};
use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The input about the constant axis, and that axis.
fn about(cx: &Prepare<'_>, dtype: Dtype) -> Result<(About, usize), Refused> {
    cx.arity(2..=2, 1)?;
    let shape = cx.input(0, dtype)?.shape()?;
    let at = axis_of(cx, 1, shape.len())?;
    let [outer, axis, inner] = around(shape, at);
    Ok((About { outer, axis, inner }, at))
}

/// Which of the two operators it is.
pub trait Position {
    /// The operator.
    const OP: BuiltinOp;
    /// How what is wanted compares with the others.
    const WANTED: Ordering;
}

/// ARG_MAX.
pub struct Greatest;

/// ARG_MIN.
pub struct Least;

impl Position for Greatest {
    const OP: BuiltinOp = BuiltinOp::ArgMax;
    const WANTED: Ordering = Ordering::Greater;
}

impl Position for Least {
    const OP: BuiltinOp = BuiltinOp::ArgMin;
    const WANTED: Ordering = Ordering::Less;
}

/// ARG_MAX or ARG_MIN along a constant axis, as int32.
pub struct Arg<O, T>(PhantomData<(O, T)>);

impl<O: Position, T: Ordered + Typed> Kernel for Arg<O, T> {
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = About;

    fn prepare(cx: &Prepare<'_>, prepared: &mut About) -> Result<(), Refused> {
        let (shape, at) = about(cx, T::DTYPE)?;
        *prepared = shape;
        let sizes = cx.input(0, T::DTYPE)?.shape()?;
        let kept = sizes.iter().enumerate().filter(|(index, _)| *index != at);
        let own = cx.output(0, Dtype::Int32)?.shape()?;
        if shape.axis == 0 || !own.iter().eq(kept.map(|(_, size)| size)) {
            return Err(cx.refuse(Fault::Options));
        }
        Ok(())
    }

    fn run(prepared: &About, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let input = inputs.get::<T>(0)?;
        Ok(arg_max::position(prepared, O::WANTED, input, output)?)
    }
}

pub(super) fn order(cx: &Prepare<'_>) -> Result<Order, Refused> {
    let options = cx.options::<CumsumOptions>()?;
    cx.same_elements()?;
    Ok(Order {
        exclusive: u32::from(options.exclusive),
        reverse: u32::from(options.reverse),
    })
}

/// The quantization of a sum of elements of the first input's scale, as that of ADD.
#[inline(never)]
pub(super) fn quantization(cx: &Prepare<'_>) -> Result<add::Quantized, Refused> {
    let output = cx.any(Slot::output(0))?;
    let (scale, zero_point) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let ratio = QuantizedMultiplier::from_ratio;
    let left_shift = add::LEFT_SHIFT_INT8;
    let unshift = 1.0 / (1u32 << left_shift) as f32;
    let output_multiplier = ratio(2.0 * scale, unshift, output_scale);
    // TFLM takes multipliers below 1 only.
    if output_multiplier.shift > 0 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    Ok(add::Quantized {
        input_zero_points: [zero_point; 2],
        input_multipliers: [ratio(scale, 1.0, 2.0 * scale); 2],
        output_multiplier,
        left_shift,
        output_zero_point,
        range: i8::RANGE,
    })
}

/// CUMSUM of float32.
pub struct CumsumFloat32;

impl Kernel for CumsumFloat32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Cumsum);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Pair<About, Order>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        (prepared.first, _) = about(cx, Dtype::Float32)?;
        prepared.second = order(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        Ok(arg_max::sums_float32(
            first,
            *second,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// CUMSUM of int8.
pub struct CumsumInt8;

impl Kernel for CumsumInt8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Cumsum);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Pair<Pair<About, Order>, add::Quantized>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        (prepared.first.first, _) = about(cx, Dtype::Int8)?;
        prepared.first.second = order(cx)?;
        prepared.second = quantization(cx)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        let input = inputs.get(0)?;
        Ok(arg_max::sums_int8(
            &first.first,
            first.second,
            second,
            input,
            output,
        )?)
    }
}

/// Checks that all inputs have the type, the elements and the scale of the first.
fn addends(cx: &Prepare<'_>, dtype: Dtype) -> Result<(), Refused> {
    cx.arity(2..=127, 1)?;
    let first = cx.same_elements()?.of(dtype)?;
    for (index, _) in (0..127).zip(cx.operator().inputs().iter()) {
        let input = cx.input(index, dtype)?;
        input.elements_are(first.elements())?;
        same_scale(cx, [first.slot(), input.slot()])?;
    }
    Ok(())
}

/// ADD_N of float32.
pub struct AddN;

impl Kernel for AddN {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::AddN);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        addends(cx, Dtype::Float32)
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<f32>()?;
        output.fill(0.0);
        for index in 0..inputs.len() {
            arg_max::add_float32(inputs.get(index)?, output)?;
        }
        Ok(())
    }
}

/// ADD_N of int8.
pub struct AddNInt8;

impl Kernel for AddNInt8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::AddN);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = add::Quantized;

    fn prepare(cx: &Prepare<'_>, prepared: &mut add::Quantized) -> Result<(), Refused> {
        addends(cx, Dtype::Int8)?;
        *prepared = quantization(cx)?;
        Ok(())
    }

    fn run(prepared: &add::Quantized, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<i8>()?;
        for (out, at) in output.iter_mut().zip(0usize..) {
            let tensors = (0..inputs.len()).filter_map(|index| inputs.get::<i8>(index).ok());
            let elements = tensors.filter_map(|tensor| tensor.get(at).copied());
            *out = arg_max::add_int8(prepared, elements);
        }
        Ok(())
    }
}
