//! SQUARED_DIFFERENCE: `micro/kernels/squared_difference.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::sub::Number;
use ember_kernels::{Element, add, squared_difference};

use super::binary::{ALL, BinaryKernel, Operation};
use super::mul::affine;
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// The squared difference of numbers without a scale.
pub struct OfNumbers<T>(PhantomData<T>);

/// SQUARED_DIFFERENCE of float32.
pub type Float32 = BinaryKernel<OfNumbers<f32>>;

/// SQUARED_DIFFERENCE of int32.
pub type Int32 = BinaryKernel<OfNumbers<i32>>;

impl<T: Typed + Number> Operation for OfNumbers<T> {
    const OP: BuiltinOp = BuiltinOp::SquaredDifference;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = ();
    type Function<'q> = squared_difference::Plain<T>;

    fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
        Ok(())
    }

    fn function(_prepared: &()) -> squared_difference::Plain<T> {
        squared_difference::Plain(PhantomData)
    }
}

/// The squared difference of integers with scales.
pub struct OfQuantized<T>(PhantomData<T>);

/// SQUARED_DIFFERENCE of int8.
pub type Int8 = BinaryKernel<OfQuantized<i8>>;

/// SQUARED_DIFFERENCE of int16.
pub type Int16 = BinaryKernel<OfQuantized<i16>>;

impl<T: Element<Wide = i32> + Typed> Operation for OfQuantized<T> {
    const OP: BuiltinOp = BuiltinOp::SquaredDifference;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = add::Quantized;
    type Function<'q> = squared_difference::Quantized<'q, T>;

    fn prepare(cx: &Prepare<'_>) -> Result<add::Quantized, Refused> {
        let [_, _, output] = ALL;
        let ([zero1, zero2, output_zero_point], [scale1, scale2, output_scale]) = affine(cx)?;
        let left_shift = if T::DTYPE == Dtype::Int16 {
            for slot in ALL {
                cx.any(slot)?.scale_about(0)?;
            }
            squared_difference::LEFT_SHIFT_INT16
        } else {
            squared_difference::LEFT_SHIFT_INT8
        };
        let twice_the_greater = 2.0 * if scale1 > scale2 { scale1 } else { scale2 };
        let ratio = QuantizedMultiplier::from_ratio;
        let shifted = (1u32 << (2 * left_shift)) as f32 * output_scale;
        let output_multiplier = ratio(twice_the_greater, twice_the_greater, shifted);
        if output_multiplier.shift > 30 {
            return Err(cx.refuse(Fault::Scale(output)));
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
            range: T::RANGE,
        })
    }

    fn function(prepared: &add::Quantized) -> squared_difference::Quantized<'_, T> {
        squared_difference::Quantized(prepared, PhantomData)
    }
}
