//! Rounding to multiples of a scale, whose gradient is that of the clamp alone.

use super::simd::Arithmetic;
use super::{Kernel, simd};

/// Rounds to the multiples of `scale` from `least` to `greatest` of them; halves go away from 0.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) scale: f32,
    pub(crate) least: f32,
    pub(crate) greatest: f32,
    pub(crate) shape: [usize; 2],
}

impl Round {
    /// The rounded numbers.
    pub(crate) fn rounded(&self, numbers: &[f32]) -> Vec<f32> {
        let mut rounded = vec![0.0; numbers.len()];
        simd::round(self, numbers, &mut rounded);
        rounded
    }
}

impl Kernel<1> for Round {
    type Saved = ();

    fn forward(&self, [numbers]: [&[f32]; 1]) -> (Vec<f32>, ()) {
        (self.rounded(numbers), ())
    }

    fn backward(
        &self,
        [numbers]: [&[f32]; 1],
        (): &(),
        gradient: &[f32],
        _: [bool; 1],
    ) -> [Option<Vec<f32>>; 1] {
        let [least, greatest] = [self.least, self.greatest].map(|end| end * self.scale);
        let passed = numbers.iter().zip(gradient).map(|(number, gradient)| {
            let within = least <= *number && *number <= greatest;
            if within { *gradient } else { 0.0 }
        });
        [Some(passed.collect())]
    }

    fn shape(&self) -> [usize; 2] {
        self.shape
    }
}

/// Writes the rounded numbers.
#[inline(always)]
pub(super) fn round<A: Arithmetic>(own: &Round, numbers: &[f32], rounded: &mut [f32]) {
    for (number, rounded) in numbers.iter().zip(rounded) {
        let steps = number / own.scale;
        let steps = (steps + 0.5_f32.copysign(steps)).trunc();
        // The sum makes one 0 of the two.
        *rounded = steps.max(own.least).min(own.greatest) * own.scale + 0.0;
    }
}
