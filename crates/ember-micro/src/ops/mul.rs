//! MUL: `micro/kernels/mul_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::mul::{self, Quantization, Times};
use ember_tflite::MulOptions;

use super::binary::{ALL, BinaryKernel, Operation, Ranged, int32_range};
use super::linear;
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// MUL of float32.
pub struct MulFloat32;

/// MUL of float32.
pub type Float32 = BinaryKernel<MulFloat32>;

impl Operation for MulFloat32 {
    const OP: BuiltinOp = BuiltinOp::Mul;
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;
    type Prepared = Clamp<f32>;
    type Function<'q> = Times<f32>;

    fn prepare(cx: &Prepare<'_>) -> Result<Clamp<f32>, Refused> {
        f32::range(cx, cx.options::<MulOptions>()?.fused_activation_function)
    }

    fn function(prepared: &Clamp<f32>) -> Times<f32> {
        Times(*prepared)
    }
}

/// MUL of int32, whatever scale the file gives it.
pub struct MulInt32;

/// MUL of int32.
pub type Int32 = BinaryKernel<MulInt32>;

impl Operation for MulInt32 {
    const OP: BuiltinOp = BuiltinOp::Mul;
    type Input1 = i32;
    type Input2 = i32;
    type Output = i32;
    type Prepared = Clamp<i32>;
    type Function<'q> = Times<i32>;

    fn prepare(cx: &Prepare<'_>) -> Result<Clamp<i32>, Refused> {
        int32_range(cx, cx.options::<MulOptions>()?.fused_activation_function)
    }

    fn function(prepared: &Clamp<i32>) -> Times<i32> {
        Times(*prepared)
    }
}

/// MUL of integers with scales.
pub struct MulQuantized<T>(PhantomData<T>);

/// MUL of int8.
pub type Int8 = BinaryKernel<MulQuantized<i8>>;

/// MUL of int16.
pub type Int16 = BinaryKernel<MulQuantized<i16>>;

impl<T: Element<Wide = i32> + Typed> Operation for MulQuantized<T> {
    const OP: BuiltinOp = BuiltinOp::Mul;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = Quantization;
    type Function<'q> = mul::Quantized<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        let [_, _, output] = ALL;
        let activation = cx.options::<MulOptions>()?.fused_activation_function;
        let ([zero1, zero2, output_zero_point], [scale1, scale2, output_scale]) = affine(cx)?;
        if T::DTYPE == Dtype::Int16 {
            for slot in ALL {
                cx.any(slot)?.scale_about(0)?;
            }
        }
        let multiplier = QuantizedMultiplier::from_ratio(scale1, scale2, output_scale);
        if multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output)));
        }
        Ok(Quantization {
            input_zero_points: [zero1, zero2],
            multiplier,
            output_zero_point,
            range: linear::integer_range(cx, &cx.any(output)?, activation)?,
        })
    }

    fn function(prepared: &Quantization) -> mul::Quantized<'_, T> {
        mul::Quantized(prepared, PhantomData)
    }
}

/// Zero points and scales of both inputs and the output.
#[inline(never)]
pub(super) fn affine(cx: &Prepare<'_>) -> Result<([i32; 3], [f32; 3]), Refused> {
    let [input1, input2, output] = ALL;
    let (scale1, zero1) = cx.any(input1)?.affine()?;
    let (scale2, zero2) = cx.any(input2)?.affine()?;
    let (output_scale, output_zero) = cx.any(output)?.affine()?;
    Ok(([zero1, zero2, output_zero], [scale1, scale2, output_scale]))
}
