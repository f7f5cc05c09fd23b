//! How often an activation took which numbers, in bins that grow with them.
//!
//! The bins' width is a power of two and 0 lies on a border, so that two bins become one without loss when a greater
//! number comes: the counts do not depend on the order of the samples.

use crate::clip::{self, Clipping};

use super::Range;

/// Bins on each side of 0.
const HALF: usize = 2048;

/// Steps between the integers of int8, for which ranges are chosen.
const STEPS: f64 = 255.0;

/// How often an activation took which numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Histogram {
    /// The width of a bin is 2 to this power.
    exponent: i32,
    /// Counts of the bins, the most negative one first.
    counts: Vec<u64>,
    /// Numbers that are exactly 0: no clipping costs them anything.
    zeros: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            exponent: i32::MIN,
            counts: vec![0; 2 * HALF],
            zeros: 0,
        }
    }

    /// Counts finite numbers.
    pub(super) fn add(&mut self, numbers: &[f32]) {
        let greatest = numbers
            .iter()
            .fold(0.0_f32, |most, number| most.max(number.abs()));
        if greatest > 0.0 {
            self.grow(greatest);
        }
        let width = self.width();
        for number in numbers {
            if *number == 0.0 {
                self.zeros += 1;
            } else {
                let bin = (f64::from(*number) / width).floor() as i64 + HALF as i64;
                self.counts[bin.clamp(0, 2 * HALF as i64 - 1) as usize] += 1;
            }
        }
    }

    fn width(&self) -> f64 {
        f64::from(self.exponent.max(-1000)).exp2()
    }

    /// Makes the bins wide enough for this magnitude.
    fn grow(&mut self, magnitude: f32) {
        let mut exponent = self.exponent.max(-160);
        while f64::from(magnitude) >= f64::from(exponent).exp2() * HALF as f64 {
            exponent += 1;
        }
        let shift = exponent - self.exponent.max(-160);
        if self.exponent != i32::MIN && shift > 0 {
            let mut counts = vec![0; 2 * HALF];
            for (bin, count) in self.counts.iter().enumerate() {
                let side = bin as i64 - HALF as i64;
                counts[((side >> shift.min(62)) + HALF as i64) as usize] += count;
            }
            self.counts = counts;
        }
        self.exponent = exponent;
    }

    /// Each bin's middle with its count, the empty ones left out.
    fn bins(&self) -> impl Iterator<Item = (f64, f64)> {
        let width = self.width();
        let counts = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        counts.map(move |(bin, count)| ((bin as f64 - HALF as f64 + 0.5) * width, *count as f64))
    }

    /// The part of `seen`, the least and the greatest number, that integers are to cover.
    pub(super) fn range(&self, seen: Range, clipping: Clipping) -> Range {
        let kept = match clipping {
            Clipping::MinMax => seen,
            Clipping::Percentile(percent) => self.percentile(percent / 100.0),
            Clipping::Mse => self.mse(seen),
            Clipping::Octav => self.octav(seen),
        };
        // A bin reaches beyond the numbers in it.
        Range {
            min: kept.min.max(seen.min),
            max: kept.max.min(seen.max),
        }
    }

    /// Cuts so much of each tail that the share `kept` lies below the upper end, and as much above the lower one.
    fn percentile(&self, kept: f64) -> Range {
        let total = self.counts.iter().sum::<u64>() + self.zeros;
        let cut = (1.0 - kept) * total as f64;
        let half = self.width() / 2.0;
        // The first bin from an end in which the tail is longer than what is cut.
        let end = |bins: &mut dyn Iterator<Item = (f64, f64)>| {
            let mut passed = 0.0;
            for (middle, count) in bins {
                passed += count;
                if passed > cut {
                    return Some(middle);
                }
            }
            None
        };
        let negative = |(middle, _): &(f64, f64)| *middle < 0.0;
        let mut lower = self.bins().filter(negative);
        let bins: Vec<(f64, f64)> = self.bins().filter(|bin| !negative(bin)).collect();
        let mut upper = bins.into_iter().rev();
        Range {
            min: end(&mut lower).map_or(0.0, |middle| middle - half) as f32,
            max: end(&mut upper).map_or(0.0, |middle| middle + half) as f32,
        }
    }

    /// The range with the least sum of squares of what rounding and clipping change.
    fn mse(&self, seen: Range) -> Range {
        const PARTS: usize = 100;
        let (low, high) = (f64::from(seen.min.min(0.0)), f64::from(seen.max.max(0.0)));
        let bins: Vec<(f64, f64)> = self.bins().collect();
        let inside: f64 = bins.iter().map(|(_, count)| count).sum();
        // What clipping one end costs, and how many numbers it takes away from rounding.
        let tail = |end: f64| -> Vec<(f64, f64, f64)> {
            let ends = (1..=PARTS).map(|part| end * part as f64 / PARTS as f64);
            ends.map(|end_at| {
                let outside = bins.iter().filter(|(middle, _)| {
                    if end < 0.0 {
                        *middle < end_at
                    } else {
                        end > 0.0 && *middle > end_at
                    }
                });
                let start = (end_at, 0.0, 0.0);
                outside.fold(start, |(end_at, cost, numbers), (middle, count)| {
                    let over = middle - end_at;
                    (end_at, cost + count * over * over, numbers + count)
                })
            })
            .collect()
        };
        let (lower, upper) = (tail(low), tail(high));
        let pairs = lower
            .iter()
            .rev()
            .flat_map(|low| upper.iter().rev().map(move |high| (low, high)));
        let cost = |((low, low_cost, low_count), (high, high_cost, high_count)): (
            &(f64, f64, f64),
            &(f64, f64, f64),
        )| {
            let step = (high - low) / STEPS;
            low_cost + high_cost + (inside - low_count - high_count) * step * step / 12.0
        };
        match clip::least(pairs, cost) {
            Some(((low, _, _), (high, _, _))) => Range {
                min: *low as f32,
                max: *high as f32,
            },
            None => seen,
        }
    }

    /// OCTAV's clip of the magnitudes; of numbers on both sides of 0 for half as many steps on each.
    fn octav(&self, seen: Range) -> Range {
        let steps = if seen.min < 0.0 && seen.max > 0.0 {
            STEPS / 2.0
        } else {
            STEPS
        };
        let sums = |clip: f64| {
            self.bins().fold(
                (0.0, 0.0, 0.0),
                |(outside, out, inside), (middle, count)| {
                    let magnitude = middle.abs();
                    if magnitude > clip {
                        (outside + magnitude * count, out + count, inside)
                    } else {
                        (outside, out, inside + count)
                    }
                },
            )
        };
        let greatest = f64::from(seen.min.abs().max(seen.max.abs()));
        let clip = clip::octav(greatest, steps, sums) as f32;
        Range {
            min: -clip,
            max: clip,
        }
    }
}
