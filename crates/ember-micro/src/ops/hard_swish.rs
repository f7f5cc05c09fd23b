//! HARD_SWISH of int8: `micro/kernels/hard_swish_common.cc`.

use ember_core::{BuiltinOp, QuantizedMultiplier};
use ember_kernels::hard_swish::{self, Quantization};

use super::unary::{Operation, UnaryKernel};
use crate::error::{Fault, Refused, Slot};
use crate::prepare::Prepare;

/// HARD_SWISH of int8.
pub struct OfInt8;

/// HARD_SWISH of int8.
pub type Int8 = UnaryKernel<OfInt8>;

/// The upper half of a multiplier: `DownScaleInt32ToInt16Multiplier` (`kernels/internal/common.h`).
const fn upper_half(multiplier: QuantizedMultiplier) -> i32 {
    const HALF: i32 = 1 << 15;
    if multiplier.multiplier >= i32::MAX - HALF {
        32767
    } else {
        (multiplier.multiplier + HALF) >> 16
    }
}

impl Operation for OfInt8 {
    const OP: BuiltinOp = BuiltinOp::HardSwish;
    type Input = i8;
    type Output = i8;
    type Prepared = Quantization;
    type Function<'q> = hard_swish::Int8<'q>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        let (input, output) = (cx.any(Slot::input(0))?, cx.any(Slot::output(0))?);
        let (scale, input_zero_point) = input.affine()?;
        let (output_scale, output_zero_point) = output.affine()?;
        let fine = (1.0 / 128.0) * scale;
        let factor = |x: f32| QuantizedMultiplier::from_ratio(x, 1.0, 1.0);
        let of_output = factor(fine / output_scale);
        let of_ramp = factor(fine / (3.0 / 32768.0));
        if !(-15..=0).contains(&of_output.shift) {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        if of_ramp.shift < -15 || of_ramp.multiplier == 0 {
            return Err(cx.refuse(Fault::Scale(input.slot())));
        }
        Ok(Quantization {
            input_zero_point,
            output_zero_point,
            output_multiplier: upper_half(of_output),
            output_exponent: of_output.shift,
            ramp_multiplier: upper_half(of_ramp),
            ramp_exponent: of_ramp.shift,
        })
    }

    fn function(prepared: &Quantization) -> hard_swish::Int8<'_> {
        hard_swish::Int8(prepared)
    }
}
