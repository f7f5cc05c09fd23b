//! FULLY_CONNECTED of int8, and what it is made of: one row of inputs with each of many rows of weights.

use core::array;

use ember_core::Clamp;

use super::lanes::{GROUP, LANES, Lanes, Scaling, is_usual};
use crate::arithmetic::{Arithmetic, Int8};
use crate::fully_connected::FullyConnected;
use crate::rows;

/// [`fully_connected::connect`](crate::fully_connected::connect) on slices that are checked. False, and nothing written,
/// where the parameters are out of the ordinary.
#[inline(always)]
pub(in crate::arch) fn connect<L: Lanes>(
    lanes: L,
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> bool {
    if !is_usual(arithmetic, Clamp::INT8) {
        return false;
    }
    let (depth, units) = (shape.depth as usize, shape.units as usize);
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, units)) {
        let extra = arithmetic.correction(row);
        let rows = Rows {
            weights: filter,
            units,
        };
        let mut first = 0;
        for out in out.chunks_mut(LANES) {
            let sums = rows.sums(lanes, arithmetic, row, extra, first);
            let scale = lanes.scale(&Scaling::new(arithmetic, first, Clamp::INT8));
            for (out, value) in out.iter_mut().zip(lanes.finish(sums, &scale)) {
                *out = value;
            }
            first += LANES;
        }
    }
    true
}

/// Rows of weights, one per unit.
pub(super) struct Rows<'a> {
    pub(super) weights: &'a [i8],
    pub(super) units: usize,
}

impl Rows<'_> {
    /// The sums of the units from `first` on, which is one of them: each starts with its bias and `extra`. Beyond the last
    /// unit they mean nothing.
    #[inline(always)]
    pub(super) fn sums<L: Lanes>(
        &self,
        lanes: L,
        arithmetic: &Int8<'_>,
        inputs: &[i8],
        extra: i32,
        first: usize,
    ) -> L::Sums {
        let depth = inputs.len();
        // The last unit stands in for those that there are not.
        let row = |lane: usize| -> &[i8] {
            let at = first.saturating_add(lane).min(self.units.saturating_sub(1)) * depth;
            let rest = self.weights.get(at..).unwrap_or(&[]);
            rest.get(..depth).unwrap_or(&[])
        };
        let (chunks, tail) = inputs.as_chunks::<GROUP>();
        let rows: [_; LANES] = array::from_fn(|lane| row(lane).as_chunks::<GROUP>());
        let body = rows.map(|(row, _)| row);
        if body.iter().any(|row| row.len() != chunks.len()) {
            return lanes.sums([0; LANES]);
        }
        let zero_point = arithmetic.input_zero_point;
        let factor = L::weight_factor(zero_point);
        let mut sums = [lanes.sums([0; LANES]); LANES];
        let mut weight_sums = sums;
        for (at, inputs) in chunks.iter().enumerate() {
            let inputs = lanes.chunk(inputs, zero_point);
            for (sum, row) in sums.iter_mut().zip(&body) {
                // SAFETY: the row is as long as the chunks of inputs are many, which was checked above.
                *sum = lanes.dot(*sum, inputs, unsafe { row.get_unchecked(at) });
            }
            if factor != 0 {
                for (sum, row) in weight_sums.iter_mut().zip(&body) {
                    // SAFETY: as above.
                    *sum = lanes.add_weights(*sum, unsafe { row.get_unchecked(at) });
                }
            }
        }
        if !tail.is_empty() {
            let inputs = lanes.chunk(&padded(tail), zero_point);
            let tails = rows.map(|(_, tail)| padded(tail));
            for ((sum, weight_sum), weights) in sums.iter_mut().zip(&mut weight_sums).zip(&tails) {
                *sum = lanes.dot(*sum, inputs, weights);
                if factor != 0 {
                    *weight_sum = lanes.add_weights(*weight_sum, weights);
                }
            }
        }
        let mut totals = lanes.totals(sums);
        if factor != 0 {
            for (total, weights) in totals.iter_mut().zip(lanes.totals(weight_sums)) {
                *total = total.wrapping_add(weights.wrapping_mul(factor));
            }
        }
        for (total, channel) in totals.iter_mut().zip(first..) {
            let start = arithmetic.start(channel).wrapping_add(extra);
            *total = total.wrapping_add(start);
        }
        lanes.sums(totals)
    }
}

/// Up to [`GROUP`] numbers with zeros behind them.
#[inline(always)]
fn padded(values: &[i8]) -> [i8; GROUP] {
    let mut padded = [0; GROUP];
    for (padded, value) in padded.iter_mut().zip(values) {
        *padded = *value;
    }
    padded
}
