//! ABS and RSQRT of integers: `micro/kernels/elementwise.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier, elementary};
use ember_kernels::Element;
use ember_kernels::abs::{self, ROOT_SHIFT};
use ember_kernels::quantize::Requantize;

use super::typed::Typed;
use super::unary::{Operation, UnaryKernel};
use crate::error::{Fault, Refused, Slot};
use crate::prepare::Prepare;

/// ABS of integers.
pub struct AbsOf<T>(PhantomData<T>);

/// ABS of int8.
pub type Int8 = UnaryKernel<AbsOf<i8>>;

/// ABS of int16.
pub type Int16 = UnaryKernel<AbsOf<i16>>;

/// RSQRT of integers.
pub struct RsqrtOf<T>(PhantomData<T>);

/// RSQRT of int8.
pub type RsqrtInt8 = UnaryKernel<RsqrtOf<i8>>;

/// RSQRT of int16.
pub type RsqrtInt16 = UnaryKernel<RsqrtOf<i16>>;

/// Scales and zero points of input and output; TFLM takes those of int16 about 0 only.
fn affine(cx: &Prepare<'_>) -> Result<([f32; 2], Requantize), Refused> {
    let (input, output) = (cx.any(Slot::input(0))?, cx.any(Slot::output(0))?);
    let (input_scale, input_zero_point) = input.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    if input.dtype() == Dtype::Int16 {
        input.scale_about(0)?;
        output.scale_about(0)?;
    }
    let requantize = Requantize {
        multiplier: QuantizedMultiplier::ZERO,
        input_zero_point,
        output_zero_point,
    };
    Ok(([input_scale, output_scale], requantize))
}

impl<T: Element<Wide = i32> + Typed> Operation for AbsOf<T> {
    const OP: BuiltinOp = BuiltinOp::Abs;
    type Input = T;
    type Output = T;
    type Prepared = Requantize;
    type Function<'q> = abs::Abs<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Requantize, Refused> {
        let ([input_scale, output_scale], mut requantize) = affine(cx)?;
        // Equal scales are told by the multiplier that is zero.
        if input_scale != output_scale {
            let factor = input_scale / output_scale;
            requantize.multiplier = QuantizedMultiplier::from_ratio(factor, 1.0, 1.0);
            let multiplier = requantize.multiplier;
            if multiplier == QuantizedMultiplier::ZERO || multiplier.shift > 30 {
                return Err(cx.refuse(Fault::Scale(Slot::output(0))));
            }
        }
        Ok(requantize)
    }

    fn function(prepared: &Requantize) -> abs::Abs<'_, T> {
        abs::Abs(prepared, PhantomData)
    }
}

impl<T: Element<Wide = i32> + Typed> Operation for RsqrtOf<T> {
    const OP: BuiltinOp = BuiltinOp::Rsqrt;
    type Input = T;
    type Output = T;
    type Prepared = Requantize;
    type Function<'q> = abs::Rsqrt<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Requantize, Refused> {
        let ([input_scale, output_scale], mut requantize) = affine(cx)?;
        let divisor = elementary::sqrt(input_scale) * output_scale;
        let multiplier = QuantizedMultiplier::from_ratio(1.0, 1.0, divisor);
        let shift = multiplier.shift.wrapping_sub(ROOT_SHIFT);
        if multiplier == QuantizedMultiplier::ZERO || !(-31..=0).contains(&shift) {
            return Err(cx.refuse(Fault::Scale(Slot::output(0))));
        }
        requantize.multiplier = QuantizedMultiplier {
            shift,
            ..multiplier
        };
        Ok(requantize)
    }

    fn function(prepared: &Requantize) -> abs::Rsqrt<'_, T> {
        abs::Rsqrt(prepared, PhantomData)
    }
}
