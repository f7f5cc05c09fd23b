//! Real numbers and the bytes of tensors: quantizing, dequantizing, the best class.

use ember_core::{Dtype, float};
use ember_tflite::Tensor;

/// How a tensor's bytes stand for real numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Code {
    dtype: Dtype,
    scale: f32,
    zero_point: i32,
}

impl Code {
    /// The code of a float32 tensor, or of an 8-bit or 16-bit one with one scale and zero point; `None` of any other.
    pub(crate) fn of(tensor: &Tensor<'_>) -> Option<Code> {
        let dtype = tensor.dtype();
        let (scale, zero_point) = match dtype {
            Dtype::Float32 => (1.0, 0),
            Dtype::Int8 | Dtype::Uint8 | Dtype::Int16 => {
                let quantization = tensor.quantization()?;
                (quantization.scale(0)?, quantization.zero_point(0)?)
            }
            _ => return None,
        };
        Some(Code {
            dtype,
            scale,
            zero_point,
        })
    }

    /// The integer nearest to the real number: `round(real / scale) + zero_point`, halves away from zero, kept inside the
    /// type; as `AffineQuantize` in TFLite's `kernels/internal/reference/quantize.h`.
    fn integer(self, real: f32, (low, high): (i32, i32)) -> i32 {
        let steps = float::round(real / self.scale) as i32;
        steps.saturating_add(self.zero_point).clamp(low, high)
    }

    /// Appends the bytes that stand for `real`.
    pub(crate) fn push(self, real: f32, bytes: &mut Vec<u8>) {
        match self.dtype {
            Dtype::Int8 => bytes.push(self.integer(real, (-128, 127)) as u8),
            Dtype::Uint8 => bytes.push(self.integer(real, (0, 255)) as u8),
            Dtype::Int16 => {
                let integer = self.integer(real, (-32_768, 32_767)) as i16;
                bytes.extend(integer.to_le_bytes());
            }
            _ => bytes.extend(real.to_le_bytes()),
        }
    }

    /// Writes the bytes that stand for `values` into `bytes`, which has room for exactly those.
    pub(crate) fn encode(self, values: &[f32], bytes: &mut [u8]) {
        let mut encoded = Vec::with_capacity(bytes.len());
        for value in values {
            self.push(*value, &mut encoded);
        }
        bytes.copy_from_slice(&encoded);
    }

    /// The real numbers that `bytes` stand for: `(integer - zero_point) * scale`, as TFLite's
    /// `kernels/internal/reference/dequantize.h`.
    pub(crate) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let real = |integer: i32| integer.saturating_sub(self.zero_point) as f32 * self.scale;
        match self.dtype {
            Dtype::Int8 => bytes
                .iter()
                .map(|byte| real(i32::from(*byte as i8)))
                .collect(),
            Dtype::Uint8 => bytes.iter().map(|byte| real(i32::from(*byte))).collect(),
            Dtype::Int16 => {
                let (pairs, _) = bytes.as_chunks::<2>();
                pairs
                    .iter()
                    .map(|pair| real(i32::from(i16::from_le_bytes(*pair))))
                    .collect()
            }
            _ => {
                let (words, _) = bytes.as_chunks::<4>();
                words.iter().map(|word| f32::from_le_bytes(*word)).collect()
            }
        }
    }
}

/// The class with the highest score, the first of several equal ones; `None` of no scores. NaN is never the highest.
#[must_use]
pub fn argmax(scores: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (class, score) in scores.iter().enumerate() {
        if !score.is_nan() && best.is_none_or(|(_, highest)| *score > highest) {
            best = Some((class, *score));
        }
    }
    best.map(|(class, _)| class)
}

/// Cross entropy of one image in nats, as Keras computes it from probabilities
/// (`sparse_categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`): every probability is clipped to
/// 1e-7..=1 - 1e-7, and the clipped ones are normalized.
pub(crate) fn cross_entropy(probabilities: &[f32], label: usize) -> f64 {
    const CLIP: f64 = 1e-7;
    let clipped = |probability: f32| {
        let probability = f64::from(probability);
        if probability.is_nan() {
            CLIP
        } else {
            probability.clamp(CLIP, 1.0 - CLIP)
        }
    };
    let sum: f64 = probabilities
        .iter()
        .map(|probability| clipped(*probability))
        .sum();
    let of_label = probabilities
        .get(label)
        .map_or(CLIP, |probability| clipped(*probability));
    -(of_label / sum).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INT8: Code = Code {
        dtype: Dtype::Int8,
        scale: 0.25,
        zero_point: -3,
    };

    #[test]
    fn integers_are_the_nearest_with_halves_away_from_zero_and_stay_in_range() {
        let mut bytes = [0; 6];
        INT8.encode(&[0.0, 0.125, -0.125, 0.124, 1_000.0, -1_000.0], &mut bytes);
        assert_eq!(bytes.map(|byte| byte as i8), [-3, -2, -4, -3, 127, -128]);
        assert_eq!(INT8.decode(&bytes[..3]), [0.0, 0.25, -0.25]);
    }

    #[test]
    fn wider_types_are_little_endian() {
        let int16 = Code {
            dtype: Dtype::Int16,
            scale: 0.5,
            zero_point: 0,
        };
        let mut bytes = [0; 4];
        int16.encode(&[129.0, -0.5], &mut bytes);
        assert_eq!(bytes, [2, 1, 255, 255]);
        assert_eq!(int16.decode(&bytes), [129.0, -0.5]);
    }

    #[test]
    fn the_first_of_equal_scores_is_the_class() {
        assert_eq!(argmax(&[0.1, 0.4, 0.4]), Some(1));
        assert_eq!(argmax(&[f32::NAN, 0.1]), Some(1));
        assert_eq!(argmax(&[]), None);
    }

    #[test]
    fn cross_entropy_is_clipped_and_normalized() {
        // Nine times 1e-7 beside 1 - 1e-7: the sum is 1 + 8e-7.
        let mut sure = [0.0; 10];
        sure[3] = 1.0;
        let right = cross_entropy(&sure, 3);
        assert!((right - 9e-7).abs() < 1e-9, "{right}");
        let wrong = cross_entropy(&sure, 4);
        assert!((wrong - (-(1e-7_f64).ln() + 8e-7)).abs() < 1e-9, "{wrong}");
        assert!((cross_entropy(&[0.25; 4], 0) - 4.0_f64.ln()).abs() < 1e-9);
    }
}
