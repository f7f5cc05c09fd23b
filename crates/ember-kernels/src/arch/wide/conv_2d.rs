//! CONV_2D of int8 in one group, with and without a MAX_POOL_2D behind it.

use ember_core::Clamp;

use super::filters::{AsStored, Filters, Ordered, STEPS};
use super::lanes::{LANES, Lanes, is_usual, multiplier_of};
use super::window::{Inner, Window};
use crate::arithmetic::Int8;
use crate::conv_2d::Conv2d;
use crate::max_pool_2d::{MaxPool, Pool2d};
use crate::rows;
use crate::window::Span;

/// Blocks of [`LANES`] channels that are computed together.
const BLOCKS: usize = 4;

/// Outputs that are computed together: their windows share the weights.
const TILE: usize = 4;

/// [`conv_2d::convolve`](crate::conv_2d::convolve) on slices that are checked. False, and nothing written, where the
/// parameters are out of the ordinary.
#[inline(always)]
pub(in crate::arch) fn convolve<L: Lanes>(
    lanes: L,
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    _scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    run(lanes, shape, arithmetic, None, input, filter, output)
}

/// [`conv_2d::convolve_pooled`](crate::conv_2d::convolve_pooled) in the same way.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "those of the function that it is for"
)]
pub(in crate::arch) fn convolve_pooled<L: Lanes>(
    lanes: L,
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    _scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    // The largest sum becomes the largest output where no bit gets lost on the way: factors are not negative and below a
    // half, as they are wherever a sum of many products becomes 8 bits.
    let ordered = |channel: usize| {
        let multiplier = multiplier_of(arithmetic, channel);
        multiplier.multiplier >= 0 && multiplier.shift < 0
    };
    (0..arithmetic.multipliers.len()).all(ordered)
        && run(lanes, shape, arithmetic, Some(pool), input, filter, output)
}

#[inline(always)]
fn run<L: Lanes>(
    lanes: L,
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    pool: Option<&MaxPool<i32>>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> bool {
    let job = Job {
        lanes,
        shape,
        arithmetic,
        window: Window::new(shape),
        after: pool.map_or(Clamp::INT8, |pool| pool.range),
    };
    if !is_usual(arithmetic, job.after) || !job.fits() {
        return false;
    }
    let channels = shape.output_channels as usize;
    let pool = pool.map(|pool| &pool.shape);
    let mut first = 0;
    while first < channels {
        let blocks = (channels - first).div_ceil(LANES).min(BLOCKS);
        match (job.steps(), blocks) {
            // So few weights stay in registers.
            (3, 1) => job.run(
                &mut Ordered::<L, 3, 1>::new(&job, filter, first),
                pool,
                input,
                output,
            ),
            (..=STEPS, 1) => {
                job.run(
                    &mut Ordered::<L, STEPS, 1>::new(&job, filter, first),
                    pool,
                    input,
                    output,
                );
            }
            (..=STEPS, 2) => {
                job.run(
                    &mut Ordered::<L, STEPS, 2>::new(&job, filter, first),
                    pool,
                    input,
                    output,
                );
            }
            (..=STEPS, _) => {
                job.run(
                    &mut Ordered::<L, STEPS, 4>::new(&job, filter, first),
                    pool,
                    input,
                    output,
                );
            }
            _ => job.run(
                &mut AsStored::<L, BLOCKS>::new(&job, filter, first),
                pool,
                input,
                output,
            ),
        }
        first += blocks * LANES;
    }
    true
}

/// What does not change from window to window.
pub(super) struct Job<'a, L> {
    pub(super) lanes: L,
    pub(super) shape: &'a Conv2d,
    pub(super) arithmetic: &'a Int8<'a>,
    pub(super) window: Window,
    /// What outputs are clamped to besides.
    pub(super) after: Clamp<i32>,
}

impl<L: Lanes> Job<'_, L> {
    /// Computes the channels of `filters`, of every output.
    #[inline(always)]
    fn run<F: Filters<L>>(
        &self,
        filters: &mut F,
        pool: Option<&Pool2d>,
        input: &[i8],
        output: &mut [i8],
    ) {
        let mut outputs = rows::of_mut(output, self.shape.output_channels as usize);
        for image in rows::of(input, self.window.image) {
            match pool {
                None => {
                    for y in 0..self.shape.rows.output {
                        self.row(filters, image, y, &mut outputs);
                    }
                }
                Some(pool) => {
                    for y in 0..pool.rows.output {
                        self.pooled_row(filters, image, pool, y, &mut outputs);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn row<'o, F: Filters<L>>(
        &self,
        filters: &mut F,
        image: &[i8],
        y: u32,
        outputs: &mut impl Iterator<Item = &'o mut [i8]>,
    ) {
        let y = self.shape.rows.span(y);
        let inner = self.window.inner(self.shape, y);
        let width = self.shape.columns.output;
        let mut x = 0;
        while x < width {
            let places = inner.places::<TILE>(x);
            if let Some(tile) = places.and_then(|places| filters.tile(self, image, places)) {
                for (sums, output) in tile.into_iter().zip(&mut *outputs) {
                    filters.finish(self.lanes, sums, output);
                }
                x += TILE as u32;
            } else if let Some(output) = outputs.next() {
                let sums = self.one(filters, image, y, &inner, x);
                filters.finish(self.lanes, sums, output);
                x += 1;
            } else {
                return;
            }
        }
    }

    #[inline(always)]
    fn pooled_row<'o, F: Filters<L>>(
        &self,
        filters: &mut F,
        image: &[i8],
        pool: &Pool2d,
        y: u32,
        outputs: &mut impl Iterator<Item = &'o mut [i8]>,
    ) {
        let y = pool.rows.span(y);
        let row = |y: u32| {
            let y = self.shape.rows.span(y);
            (y, self.window.inner(self.shape, y))
        };
        // Nearly every pooling has two rows and two columns.
        let two = [row(y.position), row(y.position.wrapping_add(1))];
        for x in 0..pool.columns.output {
            let x = pool.columns.span(x);
            let Some(output) = outputs.next() else {
                return;
            };
            if (y.taps, x.taps) == (2, 2) {
                let [upper, lower] = [0, 1].map(|row: usize| two[row].1.places::<2>(x.position));
                if let (Some([a, b]), Some([c, d])) = (upper, lower)
                    && let Some(tile) = filters.tile(self, image, [a, b, c, d])
                {
                    let [a, b, c, d] = tile;
                    let larger = |a, b| filters.larger(self.lanes, a, b);
                    filters.finish(self.lanes, larger(larger(a, b), larger(c, d)), output);
                    continue;
                }
            }
            let mut largest = None;
            for y in y.position..y.position.wrapping_add(y.taps) {
                let (y, inner) = row(y);
                for x in x.position..x.position.wrapping_add(x.taps) {
                    let sums = self.one(filters, image, y, &inner, x);
                    largest = Some(match largest {
                        None => sums,
                        Some(largest) => filters.larger(self.lanes, largest, sums),
                    });
                }
            }
            match largest {
                Some(sums) => filters.finish(self.lanes, sums, output),
                None => filters.none(self, output),
            }
        }
    }

    /// The sums of one output.
    #[inline(always)]
    fn one<F: Filters<L>>(
        &self,
        filters: &mut F,
        image: &[i8],
        y: Span,
        inner: &Inner,
        x: u32,
    ) -> F::Sums {
        let place = inner.places::<1>(x);
        match place.and_then(|place| filters.tile(self, image, place)) {
            Some([sums]) => sums,
            None => filters.gathered(self, image, (y, self.shape.columns.span(x))),
        }
    }
}
