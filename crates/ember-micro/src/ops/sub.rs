//! ADD of int32, and SUB: `micro/kernels/add.cc` and `micro/kernels/sub_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Clamp, QuantizedMultiplier};
use ember_kernels::add;
use ember_kernels::sub::{self, Minus, Number, Plus};
use ember_tflite::{AddOptions, SubOptions};

use super::add::Addend;
use super::binary::{ALL, BinaryKernel, Operation, Ranged};
use super::linear;
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// ADD of numbers without a scale.
pub struct AddNumbers<T>(PhantomData<T>);

/// ADD of int32.
pub type AddInt32 = BinaryKernel<AddNumbers<i32>>;

impl<T: Ranged + Number> Operation for AddNumbers<T> {
    const OP: BuiltinOp = BuiltinOp::Add;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = Clamp<T>;
    type Function<'q> = Plus<T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Clamp<T>, Refused>
    where
        Clamp<T>: ember_core::view::Plain,
    {
        T::range(cx, cx.options::<AddOptions>()?.fused_activation_function)
    }

    fn function(prepared: &Clamp<T>) -> Plus<T> {
        Plus(*prepared)
    }
}

/// SUB of numbers without a scale.
pub struct SubNumbers<T>(PhantomData<T>);

/// SUB of float32.
pub type Float32 = BinaryKernel<SubNumbers<f32>>;

/// SUB of int32.
pub type Int32 = BinaryKernel<SubNumbers<i32>>;

impl<T: Ranged + Number> Operation for SubNumbers<T> {
    const OP: BuiltinOp = BuiltinOp::Sub;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = Clamp<T>;
    type Function<'q> = Minus<T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Clamp<T>, Refused> {
        T::range(cx, cx.options::<SubOptions>()?.fused_activation_function)
    }

    fn function(prepared: &Clamp<T>) -> Minus<T> {
        Minus(*prepared)
    }
}

/// SUB of integers with scales.
pub struct SubQuantized<T>(PhantomData<T>);

/// SUB of int8.
pub type Int8 = BinaryKernel<SubQuantized<i8>>;

/// SUB of int16.
pub type Int16 = BinaryKernel<SubQuantized<i16>>;

impl<T: Addend + Typed> Operation for SubQuantized<T> {
    const OP: BuiltinOp = BuiltinOp::Sub;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = add::Quantized;
    type Function<'q> = sub::Quantized<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<add::Quantized, Refused> {
        quantization(cx, T::LEFT_SHIFT)
    }

    fn function(prepared: &add::Quantized) -> sub::Quantized<'_, T> {
        sub::Quantized(prepared, PhantomData)
    }
}

/// `CalculateOpDataSub`: the parameters are those of ADD.
#[inline(never)]
fn quantization(cx: &Prepare<'_>, left_shift: u32) -> Result<add::Quantized, Refused> {
    let activation = cx.options::<SubOptions>()?.fused_activation_function;
    let [input1, input2, output] = ALL;
    let output = cx.any(output)?;
    let (scale1, zero1) = cx.any(input1)?.affine()?;
    let (scale2, zero2) = cx.any(input2)?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let twice_the_greater = 2.0 * if scale1 > scale2 { scale1 } else { scale2 };
    let ratio = QuantizedMultiplier::from_ratio;
    let unshift = 1.0 / (1u32 << left_shift) as f32;
    let output_multiplier = ratio(twice_the_greater, unshift, output_scale);
    // TFLM takes multipliers below 1 only.
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
