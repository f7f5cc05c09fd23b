//! Pixels as a model's input: what a user of TensorFlow Lite writes as `x / 255` and `round(x / scale) + zero_point`.

use ember_tflite::Tensor;

use crate::scores::Code;

/// The int8 that stands for a pixel 0..=255 taken as 0..=1: `round(pixel / 255 / scale) + zero_point`, in float32, halves
/// away from zero, kept inside -128..=127. With scale 1/255 and zero point -128, which is what a data set of images
/// calibrates to, this is `pixel - 128`.
///
/// A firmware's host side sends what this gives, so host and chip see the same bytes.
#[must_use]
pub fn quantize_pixel(pixel: u8, scale: f32, zero_point: i32) -> i8 {
    let steps = ember_core::float::round(real(pixel) / scale) as i32;
    steps.saturating_add(zero_point).clamp(-128, 127) as i8
}

/// A pixel as the training saw it.
fn real(pixel: u8) -> f32 {
    f32::from(pixel) / 255.0
}

/// What turns pixels into the bytes of a model's input: a table of the bytes for each of the 256 pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageEncoder {
    /// The bytes of pixel 0, then of pixel 1, …
    table: Vec<u8>,
    /// Bytes of one element.
    width: usize,
}

impl ImageEncoder {
    /// The encoder for an input tensor of type float32, or int8, uint8 or int16 with scale and zero point; `None` for any
    /// other.
    #[must_use]
    pub fn new(tensor: &Tensor<'_>) -> Option<ImageEncoder> {
        Self::over(tensor, 0.0, 1.0)
    }

    /// [`new`](Self::new) for pixels that stand for other real numbers: 0 for `black`, 255 for `white`, the others evenly
    /// between them. Many image models take -1..=1.
    #[must_use]
    pub fn over(tensor: &Tensor<'_>, black: f32, white: f32) -> Option<ImageEncoder> {
        let code = Code::of(tensor)?;
        let mut table = Vec::new();
        for pixel in 0..=255 {
            code.push(black + real(pixel) * (white - black), &mut table);
        }
        Some(ImageEncoder {
            width: table.len() / 256,
            table,
        })
    }

    /// Bytes that `pixels` pixels become.
    #[must_use]
    pub fn encoded_len(&self, pixels: usize) -> usize {
        pixels * self.width
    }

    /// Writes the input's bytes for `pixels` (`[rows, cols, channels]`, row-major) into `input`. Where the lengths do not
    /// fit, as many as both have.
    pub fn encode(&self, pixels: &[u8], input: &mut [u8]) {
        if self.width == 1 {
            for (byte, pixel) in input.iter_mut().zip(pixels) {
                *byte = self.table[usize::from(*pixel)];
            }
        } else {
            for (bytes, pixel) in input.chunks_exact_mut(self.width).zip(pixels) {
                let start = usize::from(*pixel) * self.width;
                bytes.copy_from_slice(&self.table[start..start + self.width]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_quantization_of_images_subtracts_128() {
        for pixel in 0..=255_u8 {
            let expected = (i32::from(pixel) - 128) as i8;
            assert_eq!(
                quantize_pixel(pixel, 1.0 / 255.0, -128),
                expected,
                "pixel {pixel}"
            );
        }
    }

    #[test]
    fn values_beyond_the_type_are_clamped() {
        assert_eq!(quantize_pixel(255, 0.001, 0), 127);
        assert_eq!(quantize_pixel(0, 1.0, -300), -128);
        assert_eq!(quantize_pixel(255, 1e-30, -128), 127);
    }
}
