//! ADD: `micro/kernels/add_common.cc`.

use core::marker::PhantomData;

use ember_core::view::Pair;
use ember_core::{Activation, BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::add;
use ember_kernels::broadcast::Broadcast;
use ember_tflite::{AddOptions, OpCode};

use super::linear;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The sizes from the innermost dimension outwards.
pub(super) fn innermost_first(shape: ember_tflite::Shape<'_>) -> impl Iterator<Item = u32> {
    let len = shape.len();
    (1..=len).map(move |back| shape.get(len - back).unwrap_or(1) as u32)
}

fn check(cx: &Prepare<'_>, dtype: Dtype, shape: &mut Broadcast) -> Result<Activation, Refused> {
    cx.arity(2..=2, 1)?;
    let activation = cx.options::<AddOptions>()?.fused_activation_function;
    let input1 = cx.input(0, dtype)?.shape()?;
    let input2 = cx.input(1, dtype)?.shape()?;
    let found = Broadcast::new(innermost_first(input1), innermost_first(input2));
    *shape = cx.expect(found, Fault::Broadcast)?;
    let elements = shape
        .axes
        .iter()
        .try_fold(1u32, |n, axis| n.checked_mul(axis.size));
    cx.output(0, dtype)?
        .elements_are(cx.expect(elements, Fault::Broadcast)?)?;
    Ok(activation)
}

/// ADD of integers.
pub struct Quantized<T>(PhantomData<T>);

/// ADD of int8.
pub type Int8 = Quantized<i8>;

/// ADD of int16.
pub type Int16 = Quantized<i16>;

/// An integer that is added.
pub trait Addend: Element<Wide = i32> {
    /// Its type in the file.
    const DTYPE: Dtype;

    /// How far it is shifted to the left before it is scaled.
    const LEFT_SHIFT: u32;
}

impl Addend for i8 {
    const DTYPE: Dtype = Dtype::Int8;
    const LEFT_SHIFT: u32 = add::LEFT_SHIFT_INT8;
}

impl Addend for i16 {
    const DTYPE: Dtype = Dtype::Int16;
    const LEFT_SHIFT: u32 = add::LEFT_SHIFT_INT16;
}

impl<T: Addend> Kernel for Quantized<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Add);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Pair<Broadcast, add::Quantized>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let activation = check(cx, T::DTYPE, &mut prepared.first)?;
        prepared.second = quantization(cx, T::LEFT_SHIFT, activation)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let Pair { first, second } = prepared;
        add::quantized(first, second, inputs.get(0)?, inputs.get(1)?, output)?;
        Ok(())
    }
}

#[inline(never)]
fn quantization(
    cx: &Prepare<'_>,
    left_shift: u32,
    activation: Activation,
) -> Result<add::Quantized, Refused> {
    let output = cx.any(Slot::output(0))?;
    let (scale1, zero1) = cx.any(Slot::input(0))?.affine()?;
    let (scale2, zero2) = cx.any(Slot::input(1))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let twice_the_greater = 2.0 * if scale1 > scale2 { scale1 } else { scale2 };
    // 1 / 2^left_shift, exactly.
    let unshift = 1.0 / (1u32 << left_shift) as f32;
    let ratio = QuantizedMultiplier::from_ratio;
    let output_multiplier = ratio(twice_the_greater, unshift, output_scale);
    // TFLM takes multipliers below 1 only: more than 2^left_shift steps of output in one of input make no sense.
    if output_multiplier.shift > 0 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    Ok(add::Quantized {
        input_zero_points: [zero1, zero2],
        input_multipliers: [
            ratio(scale1, 1.0, twice_the_greater),
            ratio(scale2, 1.0, twice_the_greater),
        ],
        output_multiplier,
        left_shift,
        output_zero_point,
        range: linear::integer_range(cx, &output, activation)?,
    })
}

/// ADD of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        /// How the inputs spread over the output.
        pub shape: Broadcast,
        /// What a fused activation keeps.
        pub range: Clamp<f32>,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Add);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let activation = check(cx, Dtype::Float32, &mut prepared.shape)?;
        prepared.range = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        add::float32(
            &prepared.shape,
            prepared.range,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}
