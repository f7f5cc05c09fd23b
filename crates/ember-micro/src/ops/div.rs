//! DIV, FLOOR_DIV and FLOOR_MOD: `micro/kernels/div.cc`, `floor_div.cc` and `floor_mod.cc`.

use ember_core::{BuiltinOp, Clamp, QuantizedMultiplier};
use ember_kernels::div;
use ember_kernels::mul::Quantization;
use ember_tflite::DivOptions;

use super::binary::{ALL, BinaryKernel, Operation, Ranged};
use super::linear;
use super::mul::affine;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// DIV of int8.
pub struct DivInt8;

/// DIV of int8.
pub type Int8 = BinaryKernel<DivInt8>;

impl Operation for DivInt8 {
    const OP: BuiltinOp = BuiltinOp::Div;
    type Input1 = i8;
    type Input2 = i8;
    type Output = i8;
    type Prepared = Quantization;
    type Function<'q> = div::Int8<'q>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        let [_, _, output] = ALL;
        let activation = cx.options::<DivOptions>()?.fused_activation_function;
        let ([zero1, zero2, output_zero_point], [scale1, scale2, output_scale]) = affine(cx)?;
        // In single precision, as TFLM.
        let factor = scale1 / (scale2 * output_scale);
        let multiplier = QuantizedMultiplier::from_ratio(factor, 1.0, 1.0);
        // A number of 9 bits leaves 22 to shift by; a factor beyond that asks for a shift to the left, where TFLM aborts.
        if multiplier == QuantizedMultiplier::ZERO || multiplier.shift > 22 {
            return Err(cx.refuse(Fault::Scale(output)));
        }
        Ok(Quantization {
            input_zero_points: [zero1, zero2],
            multiplier,
            output_zero_point,
            range: linear::integer_range(cx, &cx.any(output)?, activation)?,
        })
    }

    fn function(prepared: &Quantization) -> div::Int8<'_> {
        div::Int8(prepared)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $operation:ident, $kernel:ident = $function:ident on $number:ty;)*) => {
        $(
            $(#[$doc])*
            pub struct $operation;

            $(#[$doc])*
            pub type $kernel = BinaryKernel<$operation>;

            impl Operation for $operation {
                const OP: BuiltinOp = BuiltinOp::Div;
                type Input1 = $number;
                type Input2 = $number;
                type Output = $number;
                type Prepared = Clamp<$number>;
                type Function<'q> = div::$function;

                fn prepare(cx: &Prepare<'_>) -> Result<Self::Prepared, Refused> {
                    <$number>::range(cx, cx.options::<DivOptions>()?.fused_activation_function)
                }

                fn function(prepared: &Self::Prepared) -> div::$function {
                    div::$function(*prepared)
                }
            }
        )*
    };
}

numbers! {
    /// DIV of float32.
    DivFloat32, Float32 = Float32 on f32;
    /// DIV of int32.
    DivInt32, Int32 = Int32 on i32;
}

macro_rules! floors {
    ($($(#[$doc:meta])* $operation:ident, $kernel:ident = $op:ident by $function:ident;)*) => {
        $(
            $(#[$doc])*
            pub struct $operation;

            $(#[$doc])*
            pub type $kernel = BinaryKernel<$operation>;

            impl Operation for $operation {
                const OP: BuiltinOp = BuiltinOp::$op;
                type Input1 = f32;
                type Input2 = f32;
                type Output = f32;
                type Prepared = ();
                type Function<'q> = div::$function;

                fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
                    Ok(())
                }

                fn function(_prepared: &()) -> div::$function {
                    div::$function
                }
            }
        )*
    };
}

floors! {
    /// FLOOR_DIV of float32.
    FloorDivFloat32, Floor = FloorDiv by Floor;
    /// FLOOR_MOD of float32.
    FloorModFloat32, Modulo = FloorMod by Modulo;
}
