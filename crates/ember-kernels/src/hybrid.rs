//! Float activations on int8 weights, as dynamic range quantization has them: each image of the input is quantized as it
//! comes, the sums are integers, and the outputs are floats again.
//!
//! After LiteRT's hybrid kernels (`EvalHybridPerChannel` of `lite/kernels/conv.cc` and `depthwise_conv.cc`,
//! `EvalHybridDense` of `fully_connected.cc`), which TFLM does not have. The quantization is theirs exactly; the few float
//! operations behind the sums may be fused there.

use ember_core::{Clamp, float};

use crate::arch;
use crate::arithmetic::Arithmetic;
use crate::error::{KernelError, Operand, check};

/// What one image was quantized with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantized {
    /// The real value of one step.
    pub scale: f32,
    /// The integer that stands for 0.
    pub zero_point: i32,
}

/// Quantizes to -127..=127 about 0 (`PortableSymmetricQuantizeFloats`,
/// `kernels/internal/reference/portable_tensor_utils.cc`).
///
/// # Errors
/// Input and output differ in length.
pub fn quantize_symmetric(input: &[f32], output: &mut [i8]) -> Result<Quantized, KernelError> {
    check(Operand::Scratch, input.len(), output.len())?;
    let (min, max) = ends(input);
    let range = if -min > max { -min } else { max };
    let (scale, inverse) = if range > 0.0 {
        (range / 127.0, 127.0 / range)
    } else {
        (1.0, 0.0)
    };
    for (out, x) in output.iter_mut().zip(input) {
        *out = (float::round(*x * inverse) as i32).clamp(-127, 127) as i8;
    }
    Ok(Quantized {
        scale,
        zero_point: 0,
    })
}

/// Quantizes to all of int8 such that 0 is a step (`PortableAsymmetricQuantizeFloats`, there too).
///
/// # Errors
/// Input and output differ in length.
pub fn quantize_asymmetric(input: &[f32], output: &mut [i8]) -> Result<Quantized, KernelError> {
    check(Operand::Scratch, input.len(), output.len())?;
    let (min, max) = ends(input);
    if min == max {
        output.fill(0);
        return Ok(Quantized {
            scale: 1.0,
            zero_point: 0,
        });
    }
    // In double precision, as there.
    let (min, max) = (f64::from(min), f64::from(max));
    let scale = (max - min) / 255.0;
    let from_min = -128.0 - min / scale;
    let from_max = 127.0 - max / scale;
    // Whichever end has less of an error; both terms are positive.
    let error = |limit: f64, end: f64| limit + if end < 0.0 { -end / scale } else { end / scale };
    let zero_point = if error(128.0, min) < error(127.0, max) {
        from_min
    } else {
        from_max
    };
    // Half away from zero, within int8: a conversion to an integer cuts off.
    let half = if zero_point < 0.0 { -0.5 } else { 0.5 };
    let zero_point = ((zero_point + half) as i32).clamp(-128, 127);
    let scale = scale as f32;
    let inverse = (1.0 / f64::from(scale)) as f32;
    for (out, x) in output.iter_mut().zip(input) {
        *out = (float::round(zero_point as f32 + *x * inverse) as i32).clamp(-128, 127) as i8;
    }
    Ok(Quantized { scale, zero_point })
}

/// The least and the greatest value, 0 included.
fn ends(input: &[f32]) -> (f32, f32) {
    let (mut min, mut max) = (0.0, 0.0);
    for x in input {
        if *x < min {
            min = *x;
        }
        if *x > max {
            max = *x;
        }
    }
    (min, max)
}

/// int8 activations, quantized a moment ago, with int8 weights and float outputs.
#[derive(Clone, Copy, Debug)]
pub struct Hybrid<'a> {
    /// What the input was quantized with.
    pub input: Quantized,
    /// What a fused activation keeps.
    pub range: Clamp<f32>,
    /// One value per output channel; `None` is zero.
    pub bias: Option<&'a [f32]>,
    /// The weights' scales: one, or one per output channel.
    pub scales: &'a [f32],
}

impl Arithmetic for Hybrid<'_> {
    type Value = i8;
    type Output = f32;
    type Weight = i8;
    type Sum = i32;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        if let Some(bias) = self.bias {
            check(Operand::Bias, channels, bias.len())?;
        }
        match self.scales.len() {
            1 => Ok(()),
            actual => check(Operand::Multipliers, channels, actual),
        }
    }

    #[inline(always)]
    fn zero(&self) -> i8 {
        self.input.zero_point as i8
    }

    #[inline(always)]
    fn join(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn start(&self, _channel: usize) -> i32 {
        0
    }

    #[inline(always)]
    fn multiply_add(&self, sum: i32, x: i8, w: i8) -> i32 {
        let x = i32::from(x).wrapping_sub(self.input.zero_point);
        sum.wrapping_add(x.wrapping_mul(i32::from(w)))
    }

    #[inline(always)]
    fn dot(&self, sum: i32, x: &[i8], w: &[i8]) -> i32 {
        arch::dot_i8(sum, x, self.input.zero_point.wrapping_neg(), w)
    }

    #[inline(always)]
    fn dots(&self, sums: &mut [i32; 4], x: &[i8], filters: &[i8]) {
        arch::dots_i8(sums, x, self.input.zero_point.wrapping_neg(), filters);
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: i32) -> f32 {
        let scale = self.scales.get(channel).or(self.scales.first());
        let scale = scale.copied().unwrap_or(0.0) * self.input.scale;
        let bias = self.bias.and_then(|bias| bias.get(channel));
        let bias = bias.copied().unwrap_or(0.0);
        self.range.apply(sum as f32 * scale + bias)
    }
}

#[cfg(test)]
mod tests {
    use super::{Quantized, quantize_asymmetric, quantize_symmetric};
    use proptest::prelude::*;

    #[test]
    fn nothing_but_zeros() {
        let one = Quantized {
            scale: 1.0,
            zero_point: 0,
        };
        let mut found = [9; 3];
        assert_eq!(quantize_symmetric(&[0.0; 3], &mut found), Ok(one));
        assert_eq!(found, [0; 3]);
        found = [9; 3];
        assert_eq!(quantize_asymmetric(&[0.0; 3], &mut found), Ok(one));
        assert_eq!(found, [0; 3]);
    }

    proptest! {
        #[test]
        fn what_is_quantized_is_near(input in prop::collection::vec(-9.0f32..9.0, 1..40), low in -9.0f32..9.0) {
            let input: std::vec::Vec<f32> = input.iter().map(|x| x.max(low)).collect();
            for quantize in [quantize_symmetric, quantize_asymmetric] {
                let mut found = std::vec![0; input.len()];
                let Quantized { scale, zero_point } = quantize(&input, &mut found).unwrap();
                for (x, q) in input.iter().zip(&found) {
                    let back = (i32::from(*q) - zero_point) as f32 * scale;
                    // Half a step; one where the zero point was moved to a step.
                    prop_assert!((back - x).abs() <= scale * 1.01, "{x} came back as {back}");
                }
            }
        }

        #[test]
        fn anything_at_all_is_quantized(bits in prop::collection::vec(any::<u32>(), 0..20)) {
            let input: std::vec::Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
            let mut found = std::vec![0; input.len()];
            let _ = quantize_symmetric(&input, &mut found);
            let _ = quantize_asymmetric(&input, &mut found);
        }
    }
}
