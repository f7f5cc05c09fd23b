//! PRELU: `micro/kernels/prelu_common.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::prelu::{self, Quantization};

use super::binary::{ALL, BinaryKernel, Operation};
use super::mul::affine;
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// PRELU of integers with slopes of int8.
pub struct PreluQuantized<T>(PhantomData<T>);

/// PRELU of int8.
pub type Int8 = BinaryKernel<PreluQuantized<i8>>;

/// PRELU of int16.
pub type Int16 = BinaryKernel<PreluQuantized<i16>>;

impl<T: Element<Wide = i32> + Typed> Operation for PreluQuantized<T> {
    const OP: BuiltinOp = BuiltinOp::Prelu;
    type Input1 = T;
    type Input2 = i8;
    type Output = T;
    type Prepared = Quantization;
    type Function<'q> = prelu::Quantized<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        let [_, _, output] = ALL;
        let (zero_points, [scale, alpha_scale, output_scale]) = affine(cx)?;
        let [input_zero_point, alpha_zero_point, output_zero_point] = zero_points;
        let multiplier = QuantizedMultiplier::from_ratio(scale, 1.0, output_scale);
        let alpha_multiplier = QuantizedMultiplier::from_ratio(scale, alpha_scale, output_scale);
        if multiplier.shift > 30 || alpha_multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output)));
        }
        Ok(Quantization {
            input_zero_point,
            alpha_zero_point,
            output_zero_point,
            multiplier,
            alpha_multiplier,
        })
    }

    fn function(prepared: &Quantization) -> prelu::Quantized<'_, T> {
        prelu::Quantized(prepared, PhantomData)
    }
}

/// PRELU of float32.
pub struct PreluFloat32;

/// PRELU of float32.
pub type Float32 = BinaryKernel<PreluFloat32>;

impl Operation for PreluFloat32 {
    const OP: BuiltinOp = BuiltinOp::Prelu;
    type Input1 = f32;
    type Input2 = f32;
    type Output = f32;
    type Prepared = ();
    type Function<'q> = prelu::Float32;

    fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
        Ok(())
    }

    fn function(_prepared: &()) -> prelu::Float32 {
        prelu::Float32
    }
}
