//! The lanes as arrays: no instruction by name, for machines whose vectors the compiler uses by itself.

use super::float32::{Floats, INTERLEAVED};
use super::lanes::{GROUP, LANES, Lanes, Scaling, TAPS};

/// Arrays. NEON is always there on AArch64, so nothing needs to be asked.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Plain;

impl Lanes for Plain {
    type Sums = [i32; LANES];
    type Inputs = [i8; TAPS];
    type Weights = [i8; GROUP];
    type Chunk = [i16; GROUP];
    type Scale = Scaling;

    const OFFSET: i32 = 0;

    #[inline(always)]
    fn place(channel: usize, tap: usize) -> usize {
        tap * LANES + channel
    }

    #[inline(always)]
    fn sums(self, sums: [i32; LANES]) -> [i32; LANES] {
        sums
    }

    #[inline(always)]
    fn inputs(self, inputs: [i8; TAPS]) -> [i8; TAPS] {
        inputs
    }

    #[inline(always)]
    fn weights(self, weights: &[i8; GROUP]) -> [i8; GROUP] {
        *weights
    }

    #[inline(always)]
    fn multiply_add(
        self,
        mut sums: [i32; LANES],
        inputs: [i8; TAPS],
        weights: [i8; GROUP],
    ) -> [i32; LANES] {
        for (x, weights) in inputs.iter().zip(weights.as_chunks::<LANES>().0) {
            for (sum, w) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(i32::from(i16::from(*x) * i16::from(*w)));
            }
        }
        sums
    }

    #[inline(always)]
    fn larger(self, mut a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        for (a, b) in a.iter_mut().zip(b) {
            *a = b.max(*a);
        }
        a
    }

    #[inline(always)]
    fn weight_factor(_zero_point: i32) -> i32 {
        0
    }

    #[inline(always)]
    fn chunk(self, inputs: &[i8; GROUP], zero_point: i32) -> [i16; GROUP] {
        inputs.map(|x| i16::from(x).wrapping_sub(zero_point as i16))
    }

    #[inline(always)]
    fn dot(
        self,
        mut sums: [i32; LANES],
        inputs: [i16; GROUP],
        weights: &[i8; GROUP],
    ) -> [i32; LANES] {
        let inputs = inputs.as_chunks::<LANES>().0;
        for (inputs, weights) in inputs.iter().zip(weights.as_chunks::<LANES>().0) {
            for ((sum, x), w) in sums.iter_mut().zip(inputs).zip(weights) {
                *sum = sum.wrapping_add(i32::from(*x) * i32::from(*w));
            }
        }
        sums
    }

    #[inline(always)]
    fn add_weights(self, mut sums: [i32; LANES], weights: &[i8; GROUP]) -> [i32; LANES] {
        for weights in weights.as_chunks::<LANES>().0 {
            for (sum, w) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(i32::from(*w));
            }
        }
        sums
    }

    #[inline(always)]
    fn totals(self, sums: [[i32; LANES]; LANES]) -> [i32; LANES] {
        sums.map(|sums| {
            sums.iter()
                .fold(0, |total: i32, sum| total.wrapping_add(*sum))
        })
    }

    #[inline(always)]
    fn scale(self, scaling: &Scaling) -> Scaling {
        *scaling
    }

    #[inline(always)]
    fn finish(self, sums: [i32; LANES], scale: &Scaling) -> [i8; LANES] {
        let mut outputs = [0; LANES];
        let factors = scale.multipliers.iter().zip(scale.left).zip(scale.right);
        for ((output, sum), ((multiplier, left), right)) in
            outputs.iter_mut().zip(sums).zip(factors)
        {
            let sum = sum.wrapping_shl(left.cast_unsigned());
            let product = i64::from(sum) * i64::from(*multiplier);
            let product = ((product + (1 << 30)) >> 31) as i32;
            let lowered = product.wrapping_add(product >> 31);
            let shifted = lowered.wrapping_shr(right.cast_unsigned()).wrapping_add(1) >> 1;
            let scaled = if right < 0 { product } else { shifted };
            *output = scale.range.apply(scaled.wrapping_add(scale.zero_point)) as i8;
        }
        outputs
    }
}

impl Floats for Plain {
    type Channels = [f32; LANES];
    type Interleaved = [f32; INTERLEAVED];

    #[inline(always)]
    fn channels(self, numbers: &[f32; LANES]) -> [f32; LANES] {
        *numbers
    }

    #[inline(always)]
    fn numbers(self, channels: [f32; LANES]) -> [f32; LANES] {
        channels
    }

    #[inline(always)]
    fn multiply_add(self, mut sums: [f32; LANES], x: f32, weights: [f32; LANES]) -> [f32; LANES] {
        for (sum, w) in sums.iter_mut().zip(weights) {
            *sum += x * w;
        }
        sums
    }

    #[inline(always)]
    fn add(self, mut a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }

    #[inline(always)]
    fn less(self, a: [f32; LANES], mut b: [f32; LANES]) -> [f32; LANES] {
        for (a, b) in a.into_iter().zip(&mut b) {
            *b = if a < *b { a } else { *b };
        }
        b
    }

    #[inline(always)]
    fn greater(self, a: [f32; LANES], mut b: [f32; LANES]) -> [f32; LANES] {
        for (a, b) in a.into_iter().zip(&mut b) {
            *b = if a > *b { a } else { *b };
        }
        b
    }

    #[inline(always)]
    fn interleaved(self, numbers: &[f32; INTERLEAVED]) -> [f32; INTERLEAVED] {
        *numbers
    }

    #[inline(always)]
    fn interleaved_multiply_add(
        self,
        mut sums: [f32; INTERLEAVED],
        x: [f32; INTERLEAVED],
        weights: [f32; INTERLEAVED],
    ) -> [f32; INTERLEAVED] {
        for ((sum, x), w) in sums.iter_mut().zip(x).zip(weights) {
            *sum += x * w;
        }
        sums
    }

    #[inline(always)]
    fn interleaved_numbers(self, sums: [f32; INTERLEAVED]) -> [f32; INTERLEAVED] {
        sums
    }
}
