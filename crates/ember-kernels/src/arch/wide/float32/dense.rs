//! FULLY_CONNECTED of float32, and what it is made of: one run of inputs with each of eight runs of weights.

use core::array;

use super::{Floats, INTERLEAVED};
use crate::arch::wide::lanes::LANES;
use crate::arithmetic::{Arithmetic, Float32};
use crate::fully_connected::FullyConnected;
use crate::rows;

/// [`fully_connected::connect`](crate::fully_connected::connect) on slices that are checked.
#[inline(always)]
pub(in crate::arch) fn connect<F: Floats>(
    floats: F,
    shape: &FullyConnected,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> bool {
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    let filters = Stored {
        weights: filter,
        size: depth,
        count: units,
    };
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, units)) {
        let mut first = 0;
        for out in out.chunks_mut(LANES) {
            let sums = filters.dot(floats, [0.0; LANES], row, first, 0);
            for ((out, sum), unit) in out.iter_mut().zip(sums).zip(first..) {
                *out = arithmetic.finish(unit, sum);
            }
            first += LANES;
        }
    }
    true
}

/// Filters as they lie in the file.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) weights: &'a [f32],
    /// Elements of each.
    pub(super) size: usize,
    pub(super) count: usize,
}

impl Stored<'_> {
    /// The sums of the filters from `first` on plus the products of the inputs with their weights from `from` on, as
    /// [`dot_f32`](crate::arch::dot_f32). Beyond the last filter they mean nothing.
    #[inline(always)]
    pub(super) fn dot<F: Floats>(
        &self,
        floats: F,
        sums: [f32; LANES],
        inputs: &[f32],
        first: usize,
        from: usize,
    ) -> [f32; LANES] {
        let (chunks, rest) = inputs.as_chunks::<INTERLEAVED>();
        // The last filter stands in for those that there are not.
        let run = |lane: usize| -> &[f32] {
            let filter = first.saturating_add(lane).min(self.count.saturating_sub(1));
            let at = filter.wrapping_mul(self.size).wrapping_add(from);
            let run = self.weights.get(at..).unwrap_or(&[]);
            run.get(..inputs.len()).unwrap_or(&[])
        };
        let runs: [_; LANES] = array::from_fn(|lane| run(lane).as_chunks::<INTERLEAVED>());
        let body = runs.map(|(run, _)| run);
        if body.iter().any(|run| run.len() != chunks.len()) {
            return sums;
        }
        let mut interleaved = sums.map(|sum| floats.interleaved(&[sum, 0.0, 0.0, 0.0]));
        for (at, x) in chunks.iter().enumerate() {
            let x = floats.interleaved(x);
            for (sums, run) in interleaved.iter_mut().zip(&body) {
                // SAFETY: the run is as long as the chunks of inputs are many, which was checked above.
                let weights = floats.interleaved(unsafe { run.get_unchecked(at) });
                *sums = floats.interleaved_multiply_add(*sums, x, weights);
            }
        }
        let mut totals = sums;
        let lanes = totals.iter_mut().zip(interleaved).zip(runs);
        for ((total, sums), (_, weights)) in lanes {
            let [mut sum, sum1, sum2, sum3] = floats.interleaved_numbers(sums);
            for (x, w) in rest.iter().zip(weights) {
                sum += x * w;
            }
            *total = (sum + sum1) + (sum2 + sum3);
        }
        totals
    }
}
