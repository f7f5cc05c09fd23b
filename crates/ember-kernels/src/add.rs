//! ADD: `reference_integer_ops::Add` (`kernels/internal/reference/integer_ops/add.h`) and `reference_ops::Add`
//! (`kernels/internal/reference/add.h`), with broadcasting.

use ember_core::{Clamp, QuantizedMultiplier};

use crate::broadcast::Broadcast;
use crate::element::Element;
use crate::error::{KernelError, Operand, check};

/// Bits that inputs of int8 are shifted to the left before they are scaled, so that their sum keeps its precision.
pub const LEFT_SHIFT_INT8: u32 = 20;

/// The same for int16: what 32 bits leave.
pub const LEFT_SHIFT_INT16: u32 = 15;

ember_core::plain! {
    /// Quantization of an addition of integers (`CalculateOpDataAdd` in `micro/kernels/add_common.cc`).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantized {
        /// Zero points of the two inputs.
        pub input_zero_points: [i32; 2],
        /// Each input's scale divided by twice the greater of both.
        pub input_multipliers: [QuantizedMultiplier; 2],
        /// Twice the greater input scale divided by `2^left_shift` output scales.
        pub output_multiplier: QuantizedMultiplier,
        /// [`LEFT_SHIFT_INT8`] or [`LEFT_SHIFT_INT16`].
        pub left_shift: u32,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
        /// What a fused activation leaves of the output's range.
        pub range: Clamp<i32>,
    }
}

/// Sum of integer tensors, equal to TFLM's to the byte.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn quantized<T: Element<Wide = i32>>(
    shape: &Broadcast,
    quantization: &Quantized,
    input1: &[T],
    input2: &[T],
    output: &mut [T],
) -> Result<(), KernelError> {
    let q = quantization;
    let [zero1, zero2] = q.input_zero_points;
    let [scale1, scale2] = q.input_multipliers;
    let scaled = |x: T, zero: i32, scale: QuantizedMultiplier| {
        scale.apply(x.wide().wrapping_sub(zero).wrapping_shl(q.left_shift))
    };
    add(shape, input1, input2, output, |x1, x2| {
        let sum = scaled(x1, zero1, scale1).wrapping_add(scaled(x2, zero2, scale2));
        let output = q
            .output_multiplier
            .apply(sum)
            .wrapping_add(q.output_zero_point);
        T::within(output, q.range)
    })
}

/// Sum of float32 tensors.
///
/// # Errors
/// As [`quantized`].
pub fn float32(
    shape: &Broadcast,
    range: Clamp<f32>,
    input1: &[f32],
    input2: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    add(shape, input1, input2, output, |x1, x2| range.apply(x1 + x2))
}

#[inline(always)]
fn add<T: Copy>(
    shape: &Broadcast,
    input1: &[T],
    input2: &[T],
    output: &mut [T],
    f: impl Fn(T, T) -> T,
) -> Result<(), KernelError> {
    let [len1, len2] = shape.input_lens().ok_or(KernelError::Parameters)?;
    check(Operand::Input, len1, input1.len())?;
    check(Operand::Input2, len2, input2.len())?;
    let len = shape.output_len().ok_or(KernelError::Parameters)?;
    check(Operand::Output, len, output.len())?;
    shape.apply(input1, input2, output, f);
    Ok(())
}
