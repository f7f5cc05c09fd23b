//! CONV_2D of float32 in one group, with and without a MAX_POOL_2D behind it.

use super::Floats;
use super::windows::{AsStored, Filters, Job, ORDERED, Ordered};
use crate::arch::wide::lanes::LANES;
use crate::arch::wide::window::{Inner, Window};
use crate::arithmetic::Float32;
use crate::conv_2d::Conv2d;
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;
use crate::window::Span;

/// Outputs that are computed together: their windows share the weights.
const TILE: usize = 2;

/// [`conv_2d::convolve`](crate::conv_2d::convolve) on slices that are checked. False, and nothing written, where windows are
/// empty.
#[inline(always)]
pub(in crate::arch) fn convolve<F: Floats>(
    floats: F,
    shape: &Conv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    _scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    run(floats, shape, arithmetic, None, input, filter, output)
}

/// [`conv_2d::convolve_pooled`](crate::conv_2d::convolve_pooled) in the same way.
#[inline(always)]
#[allow(
    clippy::too_many_arguments,
    reason = "those of the function that it is for"
)]
pub(in crate::arch) fn convolve_pooled<F: Floats>(
    floats: F,
    shape: &Conv2d,
    pool: &MaxPool<f32>,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    _scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    run(floats, shape, arithmetic, Some(pool), input, filter, output)
}

#[inline(always)]
fn run<F: Floats>(
    floats: F,
    shape: &Conv2d,
    arithmetic: &Float32<'_>,
    pool: Option<&MaxPool<f32>>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> bool {
    let job = Job {
        floats,
        shape,
        arithmetic,
        window: Window::new(shape),
    };
    if job.window.size == 0 {
        return false;
    }
    for first in (0..shape.output_channels as usize).step_by(LANES) {
        match job.window.size {
            // So few weights stay in registers.
            9 => job.run(
                &Ordered::<F, 9>::new(&job, filter, first),
                pool,
                input,
                output,
                first,
            ),
            ..=ORDERED => job.run(
                &Ordered::<F, ORDERED>::new(&job, filter, first),
                pool,
                input,
                output,
                first,
            ),
            _ => job.run(
                &AsStored::new(&job, filter, first),
                pool,
                input,
                output,
                first,
            ),
        }
    }
    true
}

impl<F: Floats> Job<'_, F> {
    /// Computes the channels of `filters`, from `first` on, of every output.
    #[inline(always)]
    fn run(
        &self,
        filters: &impl Filters<F>,
        pool: Option<&MaxPool<f32>>,
        input: &[f32],
        output: &mut [f32],
        first: usize,
    ) {
        let outputs = rows::of_mut(output, self.shape.output_channels as usize);
        let mut outputs = outputs.map(|output| output.get_mut(first..).unwrap_or(&mut []));
        for image in rows::of(input, self.window.image) {
            match pool {
                None => {
                    for y in 0..self.shape.rows.output {
                        self.row(filters, image, y, &mut outputs);
                    }
                }
                Some(pool) => {
                    for y in 0..pool.shape.rows.output {
                        self.pooled_row(filters, image, pool, y, &mut outputs);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn row<'o>(
        &self,
        filters: &impl Filters<F>,
        image: &[f32],
        y: u32,
        outputs: &mut impl Iterator<Item = &'o mut [f32]>,
    ) {
        let y = self.shape.rows.span(y);
        let inner = self.window.inner(self.shape, y);
        let width = self.shape.columns.output;
        let mut x = 0;
        while x < width {
            let places = inner.places::<TILE>(x);
            if let Some(tile) = places.and_then(|places| filters.tile(self, image, places)) {
                for (values, output) in tile.into_iter().zip(&mut *outputs) {
                    self.store(values, output);
                }
                x += TILE as u32;
            } else if let Some(output) = outputs.next() {
                self.store(self.one(filters, image, (y, &inner), x), output);
                x += 1;
            } else {
                return;
            }
        }
    }

    #[inline(always)]
    fn pooled_row<'o>(
        &self,
        filters: &impl Filters<F>,
        image: &[f32],
        pool: &MaxPool<f32>,
        y: u32,
        outputs: &mut impl Iterator<Item = &'o mut [f32]>,
    ) {
        let floats = self.floats;
        let least = floats.channels(&[f32::LEAST; LANES]);
        let [min, max] = [pool.range.min, pool.range.max].map(|x| floats.channels(&[x; LANES]));
        let y = pool.shape.rows.span(y);
        let row = |y: u32| {
            let y = self.shape.rows.span(y);
            (y, self.window.inner(self.shape, y))
        };
        // Nearly every pooling has two rows and two columns.
        let two = [row(y.position), row(y.position.wrapping_add(1))];
        for x in 0..pool.shape.columns.output {
            let x = pool.shape.columns.span(x);
            let Some(output) = outputs.next() else {
                return;
            };
            let mut largest = least;
            let [upper, lower] = [0, 1].map(|row: usize| two[row].1.places::<2>(x.position));
            // Without a closure around them: it would not have the instructions of the caller.
            if (y.taps, x.taps) == (2, 2)
                && let (Some(upper), Some(lower)) = (upper, lower)
                && let Some(upper) = filters.tile(self, image, upper)
                && let Some(lower) = filters.tile(self, image, lower)
            {
                for values in upper.into_iter().chain(lower) {
                    largest = floats.greater(values, largest);
                }
            } else {
                for y in y.position..y.position.wrapping_add(y.taps) {
                    let (y, inner) = row(y);
                    for x in x.position..x.position.wrapping_add(x.taps) {
                        let values = self.one(filters, image, (y, &inner), x);
                        largest = floats.greater(values, largest);
                    }
                }
            }
            let values = floats.greater(min, floats.less(max, largest));
            self.store(values, output);
        }
    }

    /// One output.
    #[inline(always)]
    fn one(
        &self,
        filters: &impl Filters<F>,
        image: &[f32],
        (y, inner): (Span, &Inner),
        x: u32,
    ) -> F::Channels {
        let place = inner.places::<1>(x);
        match place.and_then(|place| filters.tile(self, image, place)) {
            Some([values]) => values,
            None => filters.clipped(self, image, (y, self.shape.columns.span(x))),
        }
    }

    /// Writes as many of the numbers as there are channels.
    #[inline(always)]
    fn store(&self, values: F::Channels, output: &mut [f32]) {
        let values = self.floats.numbers(values);
        if let Some(output) = output.first_chunk_mut::<LANES>() {
            *output = values;
        } else {
            for (output, value) in output.iter_mut().zip(values) {
                *output = value;
            }
        }
    }
}
