//! Scales and zero points, and numbers rounded to them.

use ember_core::Dtype;
use ember_graph::quantized::f16;
use ember_graph::{Elements, Quantization};

use crate::scheme::{Granularity, WeightType};
use crate::{Clipping, Range, clip};

/// No activation has a smaller scale: below, the integer softmax has no exponent left (`kernels/softmax.cc` refuses
/// 2⁻²⁶), and what so small a range holds is noise.
const LEAST_ACTIVATION_SCALE: f32 = 1.0 / (1 << 24) as f32;

/// No weight has a smaller scale, so that its product with an activation's is still a normal f32.
const LEAST_WEIGHT_SCALE: f32 = 1e-30;

/// Scale and zero point of int8 activations in this range, widened to contain 0; none when the scale is not finite.
#[must_use]
pub fn activation_parameters(range: Range) -> Option<Quantization> {
    let (min, max) = (range.min.min(0.0), range.max.max(0.0));
    if min == max {
        return Some(Quantization::PerTensor {
            scale: 1.0,
            zero_point: i32::from(i8::MIN),
        });
    }
    let scale = ((max - min) / 255.0).max(LEAST_ACTIVATION_SCALE);
    if !scale.is_finite() {
        return None;
    }
    let (least, greatest) = (f64::from(i8::MIN), f64::from(i8::MAX));
    // The zero point is that of the scale before it is rounded to f32.
    let exact = ((f64::from(max) - f64::from(min)) / 255.0).max(f64::from(LEAST_ACTIVATION_SCALE));
    let steps = |real: f32| f64::from(real) / exact;
    // Both ends of the range give a zero point; the one nearer to 0 in sum gives it more exactly.
    let from_min = least - steps(min);
    let from_max = greatest - steps(max);
    let min_error = least.abs() + steps(min).abs();
    let max_error = greatest.abs() + steps(max).abs();
    let zero_point = if min_error < max_error {
        from_min
    } else {
        from_max
    };
    Some(Quantization::PerTensor {
        scale,
        zero_point: zero_point.clamp(least, greatest).round() as i32,
    })
}

/// Scale of int16 activations in this range, made symmetric; none when the scale is not finite.
#[must_use]
pub fn int16_parameters(range: Range) -> Option<Quantization> {
    let reach = range.min.abs().max(range.max.abs());
    let scale = if reach == 0.0 {
        1.0
    } else {
        (reach / f32::from(i16::MAX)).max(LEAST_ACTIVATION_SCALE)
    };
    scale.is_finite().then_some(Quantization::PerTensor {
        scale,
        zero_point: 0,
    })
}

/// Real numbers as elements of an activation's type.
pub(super) fn round_activation(
    numbers: &[f32],
    dtype: Dtype,
    quantization: &Quantization,
) -> Elements {
    let Some(scale) = quantization.scales().first() else {
        return Elements::Float32(numbers.to_vec());
    };
    let zero_point = f64::from(quantization.zero_point());
    let rounded = |number: &f32| (f64::from(*number) / f64::from(*scale) + zero_point).round();
    if dtype == Dtype::Int16 {
        Elements::Int16(
            numbers
                .iter()
                .map(|number| rounded(number) as i16)
                .collect(),
        )
    } else {
        Elements::Int8(numbers.iter().map(|number| rounded(number) as i8).collect())
    }
}

/// Weights as floats of this type.
pub(super) fn float_weights(numbers: &[f32], dtype: Dtype) -> Elements {
    if dtype == Dtype::Float16 {
        // The greatest f16 is the nearest that it has to anything beyond.
        let half = |number: &f32| f16::from_f32(number.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()));
        Elements::Float16(numbers.iter().map(half).collect())
    } else {
        Elements::Float32(numbers.to_vec())
    }
}

/// How the weights of a layer become integers.
#[derive(Clone, Copy, Debug)]
pub struct WeightRounding {
    /// [`WeightType::Int8`], [`WeightType::Int4`] or [`WeightType::Int2`].
    pub weights: WeightType,
    /// How much of their distribution the integers cover.
    pub clip: Clipping,
    /// Which of them share a scale.
    pub per: Granularity,
}

impl WeightRounding {
    /// The scale of each channel before the bias is thought of; one for all with [`Granularity::Tensor`]. 0 where all
    /// weights are 0. `axis` is the dimension of `shape` that counts the channels.
    #[must_use]
    pub fn scales(&self, numbers: &[f32], shape: &[usize], axis: usize) -> Vec<f32> {
        let limit = ember_graph::quantized::weight_limit(self.weights.dtype());
        let scale = |numbers: &[f32]| clip::magnitude(numbers, limit, self.clip) / f32::from(limit);
        match self.per {
            Granularity::Tensor => vec![scale(numbers)],
            Granularity::Channel => {
                let channels = Channels::new(shape, axis);
                (0..channels.count)
                    .map(|channel| scale(&channels.numbers(numbers, channel)))
                    .collect()
            }
        }
    }

    /// The integers of `numbers` at these scales, one or one for each channel: halves away from 0, in
    /// `-limit..=limit`.
    #[must_use]
    pub fn round(&self, numbers: &[f32], shape: &[usize], axis: usize, scales: &[f32]) -> Vec<i8> {
        let limit = f64::from(ember_graph::quantized::weight_limit(self.weights.dtype()));
        let channels = Channels::new(shape, axis);
        let rounded = numbers.iter().enumerate().map(|(position, number)| {
            let scale = scales[channels.of(position) % scales.len()];
            (f64::from(*number) / f64::from(scale))
                .round()
                .clamp(-limit, limit) as i8
        });
        rounded.collect()
    }
}

/// The scale at which a channel's weights are rounded: `scale`, or what its bias needs to stay in `±bias_limit` at
/// `input_scale * scale`.
pub(super) fn with_room_for_bias(scale: f32, bias: f32, input_scale: f32, bias_limit: f64) -> f32 {
    let for_bias = f64::from(bias.abs()) / (f64::from(input_scale) * bias_limit);
    usable(scale.max(for_bias as f32))
}

/// A scale that can be divided by.
pub(super) fn usable(scale: f32) -> f32 {
    if scale == 0.0 {
        1.0
    } else {
        scale.max(LEAST_WEIGHT_SCALE)
    }
}

/// Which channel a row-major position belongs to.
pub(crate) struct Channels {
    count: usize,
    inner: usize,
}

impl Channels {
    pub(crate) fn new(shape: &[usize], axis: usize) -> Self {
        Self {
            count: shape[axis],
            inner: shape[axis + 1..].iter().product(),
        }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    pub(crate) const fn of(&self, position: usize) -> usize {
        position / self.inner % self.count
    }

    /// The numbers of one channel, in their order.
    pub(crate) fn numbers(&self, numbers: &[f32], channel: usize) -> Vec<f32> {
        let positions = numbers.iter().enumerate();
        let own = positions.filter(|(position, _)| self.of(*position) == channel);
        own.map(|(_, number)| *number).collect()
    }
}
