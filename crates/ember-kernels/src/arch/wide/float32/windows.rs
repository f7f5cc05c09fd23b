//! The sums of a convolution's windows: the runs of a window that [`dot_f32`](crate::arch::dot_f32) sees one after the other.

use core::array;

use super::dense::Stored;
use super::{Floats, INTERLEAVED};
use crate::arch::wide::lanes::LANES;
use crate::arch::wide::window::Window;
use crate::arithmetic::Float32;
use crate::conv_2d::Conv2d;
use crate::conv_2d::geometry::PATCH;
use crate::window::Span;

/// Elements that a window has at most to meet weights in the order of the lanes. Beyond, putting them in order costs more
/// than it saves.
pub(super) const ORDERED: usize = 256;

/// What does not change from window to window.
#[derive(Clone, Copy)]
pub(super) struct Job<'a, F> {
    pub(super) floats: F,
    pub(super) shape: &'a Conv2d,
    pub(super) arithmetic: &'a Float32<'a>,
    pub(super) window: Window,
}

impl<F: Floats> Job<'_, F> {
    /// Elements of a run of a window that lies wholly in the image.
    #[inline(always)]
    fn run_len(&self) -> usize {
        let window = &self.window;
        if window.size <= PATCH {
            // It is gathered first.
            window.size
        } else if window.is_joined() {
            window.run
        } else {
            window.pixel
        }
    }
}

/// How sums become outputs: the bias, and what outputs are clamped to.
struct Outputs<F: Floats> {
    bias: F::Channels,
    min: F::Channels,
    max: F::Channels,
}

impl<F: Floats> Outputs<F> {
    #[inline(always)]
    fn new(job: &Job<'_, F>, first: usize) -> Self {
        let Float32 { range, bias } = *job.arithmetic;
        let of = |channel: usize| bias.and_then(|bias| bias.get(channel).copied());
        let bias = array::from_fn(|lane| of(first + lane).unwrap_or(0.0));
        Self {
            bias: job.floats.channels(&bias),
            min: job.floats.channels(&[range.min; LANES]),
            max: job.floats.channels(&[range.max; LANES]),
        }
    }

    #[inline(always)]
    fn finish(&self, floats: F, sums: F::Channels) -> F::Channels {
        let outputs = floats.less(self.max, floats.add(sums, self.bias));
        floats.greater(self.min, outputs)
    }
}

/// The weights of eight channels.
pub(super) trait Filters<F: Floats> {
    /// The outputs of several windows that lie wholly in the image, from where they begin; none where they do not.
    fn tile<const N: usize>(
        &self,
        job: &Job<'_, F>,
        image: &[f32],
        places: [usize; N],
    ) -> Option<[F::Channels; N]>;

    /// The outputs of a window that may lie partly outside of the image.
    fn clipped(&self, job: &Job<'_, F>, image: &[f32], spans: (Span, Span)) -> F::Channels;
}

/// Weights in the order of the lanes: at most `S` of each channel.
pub(super) struct Ordered<F: Floats, const S: usize> {
    weights: [[f32; LANES]; S],
    outputs: Outputs<F>,
    /// Where each input lies, from the beginning of the window in the image on.
    offsets: [u32; S],
    /// What lies between the beginning of a window and its end.
    reach: usize,
}

impl<F: Floats, const S: usize> Ordered<F, S> {
    #[inline(always)]
    pub(super) fn new(job: &Job<'_, F>, filter: &[f32], first: usize) -> Self {
        let window = &job.window;
        let mut ordered = Self {
            weights: [[0.0; LANES]; S],
            outputs: Outputs::new(job, first),
            offsets: [0; S],
            reach: 0,
        };
        let mut offsets = ordered.offsets.iter_mut();
        for row in 0..window.rows {
            for (tap, offset) in (0..window.run).zip(&mut offsets) {
                let at = row.checked_mul(window.row_step);
                let at = at.and_then(|at| u32::try_from(at.checked_add(tap)?).ok());
                *offset = at.unwrap_or(0);
                // Without an offset no image is long enough.
                let end = at.map_or(usize::MAX, |at| at as usize + 1);
                ordered.reach = ordered.reach.max(end);
            }
        }
        for lane in 0..LANES {
            let at = (first + lane).wrapping_mul(window.size);
            let weights = filter.get(at..).unwrap_or(&[]).iter().take(window.size);
            for (place, w) in ordered.weights.iter_mut().zip(weights) {
                place[lane] = *w;
            }
        }
        ordered
    }

    /// Adds the run of weights from `first` on, `len` of them, to the sums: the input for each is `x(window, weight)`.
    #[inline(always)]
    fn add_run<const N: usize>(
        &self,
        floats: F,
        sums: [F::Channels; N],
        (first, len): (usize, usize),
        x: impl Fn(usize, usize) -> f32,
    ) -> [F::Channels; N] {
        let zero = floats.channels(&[0.0; LANES]);
        let mut interleaved = sums.map(|sum| [sum, zero, zero, zero]);
        let weights = self.weights.get(first..).unwrap_or(&[]);
        let (groups, rest) = weights.get(..len).unwrap_or(&[]).as_chunks::<INTERLEAVED>();
        let mut at = first;
        for group in groups {
            for (lane, weights) in group.iter().enumerate() {
                let weights = floats.channels(weights);
                for (window, sums) in interleaved.iter_mut().enumerate() {
                    sums[lane] = floats.multiply_add(sums[lane], x(window, at), weights);
                }
                at += 1;
            }
        }
        for weights in rest {
            let weights = floats.channels(weights);
            for (window, sums) in interleaved.iter_mut().enumerate() {
                sums[0] = floats.multiply_add(sums[0], x(window, at), weights);
            }
            at += 1;
        }
        interleaved.map(|[a, b, c, d]| floats.add(floats.add(a, b), floats.add(c, d)))
    }
}

/// The input at `place + offset`.
#[inline(always)]
fn read(inputs: &[f32], place: usize, offset: u32, reach: usize) -> f32 {
    debug_assert!((offset as usize) < reach && place + reach <= inputs.len());
    // SAFETY: `Ordered::tile`, which alone calls this, has checked that `reach` inputs from the place on lie in the slice, and
    // every offset is less than `reach`.
    unsafe { *inputs.get_unchecked(place.wrapping_add(offset as usize)) }
}

impl<F: Floats, const S: usize> Filters<F> for Ordered<F, S> {
    #[inline(always)]
    fn tile<const N: usize>(
        &self,
        job: &Job<'_, F>,
        image: &[f32],
        places: [usize; N],
    ) -> Option<[F::Channels; N]> {
        for place in places {
            if place.checked_add(self.reach)? > image.len() {
                return None;
            }
        }
        let floats = job.floats;
        // Numbers that the compiler knows, where they are ones.
        let (size, run) = if S < ORDERED {
            (S, S)
        } else {
            (job.window.size, job.run_len())
        };
        let mut sums = [floats.channels(&[0.0; LANES]); N];
        let mut first = 0;
        while first < size {
            sums = self.add_run(floats, sums, (first, run), |window, at| {
                read(image, places[window], self.offsets[at], self.reach)
            });
            first += run;
        }
        Some(sums.map(|sums| self.outputs.finish(floats, sums)))
    }

    #[inline(always)]
    fn clipped(&self, job: &Job<'_, F>, image: &[f32], spans: (Span, Span)) -> F::Channels {
        let (floats, window) = (job.floats, &job.window);
        let mut sums = [floats.channels(&[0.0; LANES])];
        if window.size <= PATCH {
            let mut patch = [0.0; PATCH];
            window.gather(image, spans, window.run, &mut patch);
            let x = |_, at: usize| patch.get(at).copied().unwrap_or(0.0);
            sums = self.add_run(floats, sums, (0, window.size), x);
        } else {
            window.for_each_run(spans, window.run, |from, to, len| {
                let inputs = image.get(from..).unwrap_or(&[]);
                let x = |_, at: usize| inputs.get(at.wrapping_sub(to)).copied().unwrap_or(0.0);
                sums = self.add_run(floats, sums, (to, len), x);
            });
        }
        let [sums] = sums;
        self.outputs.finish(floats, sums)
    }
}

/// Weights as they lie in the file.
pub(super) struct AsStored<'a, F: Floats> {
    filters: Stored<'a>,
    first: usize,
    outputs: Outputs<F>,
}

impl<'a, F: Floats> AsStored<'a, F> {
    #[inline(always)]
    pub(super) fn new(job: &Job<'_, F>, filter: &'a [f32], first: usize) -> Self {
        Self {
            filters: Stored {
                weights: filter,
                size: job.window.size,
                count: job.shape.output_channels as usize,
            },
            first,
            outputs: Outputs::new(job, first),
        }
    }
}

impl<F: Floats> Filters<F> for AsStored<'_, F> {
    #[inline(always)]
    fn tile<const N: usize>(
        &self,
        _job: &Job<'_, F>,
        _image: &[f32],
        _places: [usize; N],
    ) -> Option<[F::Channels; N]> {
        None
    }

    #[inline(always)]
    fn clipped(&self, job: &Job<'_, F>, image: &[f32], spans: (Span, Span)) -> F::Channels {
        let floats = job.floats;
        let mut sums = [0.0; LANES];
        job.window
            .for_each_run(spans, job.window.run, |from, to, len| {
                let inputs = image.get(from..from.wrapping_add(len)).unwrap_or(&[]);
                sums = self.filters.dot(floats, sums, inputs, self.first, to);
            });
        self.outputs.finish(floats, floats.channels(&sums))
    }
}
