//! LOGISTIC and TANH of integers: `micro/kernels/logistic_common.cc` and `micro/kernels/tanh.cc`.

use ember_core::BuiltinOp;
use ember_kernels::logistic::{self, Quantization, Steps};

use super::unary::{Operation, UnaryKernel};
use crate::error::{Fault, Refused, Slot};
use crate::prepare::Prepare;

/// Scale and zero point that an output of int8 has.
struct Output {
    scale: f32,
    zero_point: i32,
}

/// The function of int8. TFLM does not look at the output's scale, LiteRT does: with another the numbers mean nothing.
fn of_int8(cx: &Prepare<'_>, expected: &Output) -> Result<Quantization, Refused> {
    let (input, output) = (cx.any(Slot::input(0))?, cx.any(Slot::output(0))?);
    let (scale, zero_point) = input.affine()?;
    if output.scale_about(expected.zero_point)? != expected.scale {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    cx.expect(
        Quantization::new(scale, zero_point),
        Fault::Scale(input.slot()),
    )
}

/// The function of int16.
fn of_int16(cx: &Prepare<'_>, exact: i32) -> Result<Steps, Refused> {
    let (input, output) = (cx.any(Slot::input(0))?, cx.any(Slot::output(0))?);
    let scale = input.scale_about(0)?;
    if logistic::log2_of_power(output.scale_about(0)?) != Some(-15) {
        return Err(cx.refuse(Fault::Scale(output.slot())));
    }
    cx.expect(Steps::new(scale, exact), Fault::Scale(input.slot()))
}

macro_rules! operations {
    ($($(#[$doc:meta])* $operation:ident, $kernel:ident = $op:ident on $element:ty, $prepared:ident, $prepare:ident($argument:expr) by $function:ident;)*) => {
        $(
            $(#[$doc])*
            pub struct $operation;

            $(#[$doc])*
            pub type $kernel = UnaryKernel<$operation>;

            impl Operation for $operation {
                const OP: BuiltinOp = BuiltinOp::$op;
                type Input = $element;
                type Output = $element;
                type Prepared = $prepared;
                type Function<'q> = logistic::$function<'q>;

                fn prepare(cx: &Prepare<'_>) -> Result<$prepared, Refused> {
                    $prepare(cx, $argument)
                }

                fn function(prepared: &$prepared) -> logistic::$function<'_> {
                    logistic::$function(prepared)
                }
            }
        )*
    };
}

operations! {
    /// LOGISTIC of int8.
    LogisticOfInt8, Int8 = Logistic on i8, Quantization, of_int8(&Output { scale: 1.0 / 256.0, zero_point: -128 }) by Int8;
    /// TANH of int8.
    TanhOfInt8, TanhInt8 = Tanh on i8, Quantization, of_int8(&Output { scale: 1.0 / 128.0, zero_point: 0 }) by TanhInt8;
    /// LOGISTIC of int16.
    LogisticOfInt16, Int16 = Logistic on i16, Steps, of_int16(0) by Int16;
    /// TANH of int16.
    TanhOfInt16, TanhInt16 = Tanh on i16, Steps, of_int16(1) by TanhInt16;
}
