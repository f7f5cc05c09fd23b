//! LEAKY_RELU: `micro/kernels/leaky_relu_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::leaky_relu::{self, Quantization};
use ember_tflite::LeakyReluOptions;

use super::typed::Typed;
use super::unary::{Operation, UnaryKernel};
use crate::error::{Fault, Refused, Slot};
use crate::prepare::Prepare;

/// The slope, which is finite.
fn alpha(cx: &Prepare<'_>) -> Result<f32, Refused> {
    let alpha = cx.options::<LeakyReluOptions>()?.alpha;
    cx.expect(alpha.is_finite().then_some(alpha), Fault::Options)
}

/// LEAKY_RELU of float32.
pub struct OfFloat32;

/// LEAKY_RELU of float32.
pub type Float32 = UnaryKernel<OfFloat32>;

impl Operation for OfFloat32 {
    const OP: BuiltinOp = BuiltinOp::LeakyRelu;
    type Input = f32;
    type Output = f32;
    type Prepared = [f32; 1];
    type Function<'q> = leaky_relu::Float32;

    fn prepare(cx: &Prepare<'_>) -> Result<[f32; 1], Refused> {
        Ok([alpha(cx)?])
    }

    fn function(&[alpha]: &[f32; 1]) -> leaky_relu::Float32 {
        leaky_relu::Float32(alpha)
    }
}

/// LEAKY_RELU of integers.
pub struct OfQuantized<T>(PhantomData<T>);

/// LEAKY_RELU of int8.
pub type Int8 = UnaryKernel<OfQuantized<i8>>;

/// LEAKY_RELU of int16.
pub type Int16 = UnaryKernel<OfQuantized<i16>>;

impl<T: Element<Wide = i32> + Typed> Operation for OfQuantized<T> {
    const OP: BuiltinOp = BuiltinOp::LeakyRelu;
    type Input = T;
    type Output = T;
    type Prepared = Quantization;
    type Function<'q> = leaky_relu::Quantized<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        quantization(cx)
    }

    fn function(prepared: &Quantization) -> leaky_relu::Quantized<'_, T> {
        leaky_relu::Quantized(prepared, PhantomData)
    }
}

#[inline(never)]
fn quantization(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
    let alpha = alpha(cx)?;
    let output = cx.any(Slot::output(0))?;
    let (scale, input_zero_point) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    // Both in single precision, as TFLM.
    let magnitude = if alpha < 0.0 { -alpha } else { alpha };
    let factor = |x: f32| QuantizedMultiplier::from_ratio(x / output_scale, 1.0, 1.0);
    let (multiplier, alpha_multiplier) = (factor(scale), factor(scale * magnitude));
    if multiplier.shift > 30 || alpha_multiplier.shift > 30 {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    Ok(Quantization {
        input_zero_point,
        output_zero_point,
        multiplier,
        alpha_multiplier,
        alpha_sign: if alpha < 0.0 { -1 } else { 1 },
    })
}
