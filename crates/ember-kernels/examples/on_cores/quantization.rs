//! What int8 kernels are called with besides tensors, the extremes included.

use ember_core::{Clamp, QuantizedMultiplier, multiply_by_quantized_multiplier};
use ember_kernels::Int8;

use crate::cases::{CHANNELS, Tensors};
use crate::random::Random;

/// What int8 kernels are called with besides tensors.
pub(crate) struct Quantization {
    pub(crate) zero_points: (i32, i32),
    range: Clamp<i32>,
    /// How many multipliers there are.
    count: usize,
    has_bias: bool,
    /// Channels whose weights are all zero: every so many from the first on, or none.
    dead: usize,
}

impl Quantization {
    pub(crate) fn new(random: &mut Random, tensors: &mut Tensors, channels: usize) -> Self {
        let ordinary = random.within(0, 3) > 0;
        for (bias, multiplier) in tensors.bias.iter_mut().zip(&mut tensors.multipliers) {
            *bias = random.next() as i32 >> 15;
            *multiplier = QuantizedMultiplier {
                multiplier: (1 << 30) | (random.next() >> 2) as i32,
                shift: -(random.within(1, 12) as i32) + if ordinary { 0 } else { 2 },
            };
        }
        // Channels without weights have factors like these.
        if random.within(0, 3) == 0 {
            tensors.multipliers[1].shift = -(random.within(20, 31) as i32);
        }
        if random.within(0, 3) == 0 {
            tensors.multipliers[0] = QuantizedMultiplier::ZERO;
        }
        if random.within(0, 7) == 0 {
            tensors.bias[0] = i32::MAX - 1000;
            tensors.bias[1] = i32::MIN / 2;
        }
        // What training leaves of channels that it has no use for: no weights, a scale next to nothing, and a bias in it.
        let dead = if random.within(0, 2) == 0 {
            random.within(1, 3) as usize
        } else {
            0
        };
        let numbers = tensors.bias.iter_mut().zip(&mut tensors.multipliers);
        for (number, (bias, multiplier)) in numbers.enumerate() {
            if dead > 0 && number % dead == 0 {
                let below = (random.next() >> 24) as i32 - 128;
                let huge = (1 << 30) + below;
                *bias = if random.flag() { huge } else { -huge };
                multiplier.shift = -(random.within(21, 31) as i32);
            }
        }
        let zero = |random: &mut Random| random.within(0, 255) as i32 - 128;
        let full = random.flag();
        let (low, high) = (zero(random), zero(random));
        Self {
            zero_points: (zero(random), zero(random)),
            range: if full {
                Clamp::INT8
            } else {
                Clamp {
                    min: low.min(high),
                    max: low.max(high),
                }
            },
            count: if random.within(0, 4) == 0 {
                1
            } else {
                channels
            },
            has_bias: random.within(0, 4) > 0,
            dead,
        }
    }

    /// Takes the weights of dead channels from a filter of which `channel(index)` is an element's.
    pub(crate) fn kill(&self, filter: &mut [i8], channel: impl Fn(usize) -> usize) {
        for (index, weight) in filter.iter_mut().enumerate() {
            if channel(index).checked_rem(self.dead) == Some(0) {
                *weight = 0;
            }
        }
    }

    pub(crate) fn finish(&self, tensors: &Tensors, channel: usize, sum: i32) -> i8 {
        let multiplier = tensors.multipliers[if self.count == 1 { 0 } else { channel }];
        let bias = if self.has_bias {
            tensors.bias[channel]
        } else {
            0
        };
        let sum = sum.wrapping_add(bias);
        let scaled = multiply_by_quantized_multiplier(sum, multiplier);
        scaled
            .wrapping_add(self.zero_points.1)
            .max(self.range.min)
            .min(self.range.max) as i8
    }

    /// The arithmetic.
    pub(crate) fn arithmetic<'t>(
        &self,
        bias: &'t [i32],
        multipliers: &'t [QuantizedMultiplier; CHANNELS],
    ) -> Int8<'t> {
        Int8 {
            input_zero_point: self.zero_points.0,
            output_zero_point: self.zero_points.1,
            filter_zero_point: 0,
            range: self.range,
            bias: self.has_bias.then_some(bias),
            multipliers: &multipliers[..self.count],
        }
    }
}
