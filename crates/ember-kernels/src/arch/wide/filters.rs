//! The weights of some channels of a convolution, and the sums of their windows.

use core::array;

use ember_core::Clamp;

use super::conv_2d::Job;
use super::dense::Rows;
use super::lanes::{GROUP, LANES, Lanes, Scaling, TAPS};
use super::window::Window;
use crate::arithmetic::Arithmetic;
use crate::rows;
use crate::window::Span;

/// Steps of [`TAPS`] taps that a window has at most to meet weights in the order of the lanes. Beyond, putting them in order
/// costs more than it saves.
pub(super) const STEPS: usize = 64;

/// Elements of the largest window.
const PATCH: usize = 8192;

impl<L> Job<'_, L> {
    /// Steps of a window: each row's taps, rounded up to whole ones.
    #[inline(always)]
    pub(super) fn steps(&self) -> usize {
        self.window
            .rows
            .wrapping_mul(self.window.run.div_ceil(TAPS))
    }

    /// Whether there is code for windows of this size.
    #[inline(always)]
    pub(super) fn fits(&self) -> bool {
        (1..=PATCH).contains(&self.window.size)
    }
}

/// The weights of some channels.
pub(super) trait Filters<L: Lanes> {
    /// The sums of one window.
    type Sums: Copy;

    /// The sums of several windows that lie wholly in the image, from where they begin; none where a step would reach
    /// beyond the image's end.
    fn tile<const N: usize>(
        &self,
        job: &Job<'_, L>,
        image: &[i8],
        places: [usize; N],
    ) -> Option<[Self::Sums; N]>;

    /// The sums of a window that may lie partly outside.
    fn gathered(&mut self, job: &Job<'_, L>, image: &[i8], spans: (Span, Span)) -> Self::Sums;

    /// The larger of each two.
    fn larger(&self, lanes: L, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// Writes the outputs of one pixel.
    fn finish(&self, lanes: L, sums: Self::Sums, output: &mut [i8]);

    /// Writes what the largest of no outputs is.
    fn none(&self, job: &Job<'_, L>, output: &mut [i8]);
}

/// The channels, and how their sums become outputs.
struct Outputs<L: Lanes, const B: usize> {
    first: usize,
    scales: [L::Scale; B],
}

impl<L: Lanes, const B: usize> Outputs<L, B> {
    #[inline(always)]
    fn new(job: &Job<'_, L>, first: usize) -> Self {
        let scale = |block: usize| {
            let scaling = Scaling::new(job.arithmetic, first + block * LANES, job.after);
            job.lanes.scale(&scaling)
        };
        Self {
            first,
            scales: array::from_fn(scale),
        }
    }

    #[inline(always)]
    fn finish(&self, lanes: L, sums: [L::Sums; B], output: &mut [i8]) {
        let output = output.get_mut(self.first..).unwrap_or(&mut []);
        let (whole, rest) = output.as_chunks_mut::<LANES>();
        let mut whole = whole.iter_mut();
        let mut rest = Some(rest);
        for (sums, scale) in sums.into_iter().zip(&self.scales) {
            let values = lanes.finish(sums, scale);
            if let Some(output) = whole.next() {
                *output = values;
            } else {
                for (output, value) in rest.take().unwrap_or(&mut []).iter_mut().zip(values) {
                    *output = value;
                }
            }
        }
    }

    #[inline(always)]
    fn none(&self, after: Clamp<i32>, output: &mut [i8]) {
        let output = output.get_mut(self.first..).unwrap_or(&mut []);
        for output in output.iter_mut().take(B * LANES) {
            *output = after.apply(i32::from(i8::MIN)) as i8;
        }
    }
}

/// Weights in the order of the lanes: at most `S` steps of `B` blocks.
pub(super) struct Ordered<L: Lanes, const S: usize, const B: usize> {
    weights: [[[i8; GROUP]; B]; S],
    starts: [L::Sums; B],
    outputs: Outputs<L, B>,
    /// Where the inputs of each step lie, from the beginning of the window in the image on.
    offsets: [u32; S],
    /// What lies between the beginning of a window and the end of its last step.
    reach: usize,
}

impl<L: Lanes, const S: usize, const B: usize> Ordered<L, S, B> {
    #[inline(always)]
    pub(super) fn new(job: &Job<'_, L>, filter: &[i8], first: usize) -> Self {
        let window = &job.window;
        let mut ordered = Self {
            weights: [[[0; GROUP]; B]; S],
            starts: [job.lanes.sums([0; LANES]); B],
            outputs: Outputs::new(job, first),
            offsets: [0; S],
            reach: 0,
        };
        let steps = window.run.div_ceil(TAPS);
        for (step, offset) in ordered.offsets.iter_mut().enumerate().take(job.steps()) {
            let (row, step) = (step / steps.max(1), step % steps.max(1));
            let at = row.checked_mul(window.row_step);
            let at = at.and_then(|at| u32::try_from(at.checked_add(step * TAPS)?).ok());
            *offset = at.unwrap_or(0);
            // Without an offset no image is long enough.
            let end = at.map_or(usize::MAX, |at| at as usize + TAPS);
            ordered.reach = ordered.reach.max(end);
        }
        let factor = job.arithmetic.input_zero_point + L::OFFSET;
        for (block, start) in ordered.starts.iter_mut().enumerate() {
            let mut starts = [0; LANES];
            for (lane, start) in starts.iter_mut().enumerate() {
                let channel = first + block * LANES + lane;
                let at = channel.wrapping_mul(window.size);
                let weights = filter.get(at..).unwrap_or(&[]);
                let weights = weights.get(..window.size).unwrap_or(&[]);
                let mut total = 0i32;
                let mut step = 0;
                for row in weights.chunks(window.run.max(1)) {
                    for taps in row.chunks(TAPS) {
                        for (tap, w) in taps.iter().enumerate() {
                            total = total.wrapping_add(i32::from(*w));
                            let group = ordered.weights.get_mut(step);
                            let group = group.and_then(|blocks| blocks.get_mut(block));
                            let place = group.and_then(|group| group.get_mut(L::place(lane, tap)));
                            if let Some(place) = place {
                                *place = *w;
                            }
                        }
                        step += 1;
                    }
                }
                let bias = job.arithmetic.start(channel);
                *start = bias.wrapping_sub(total.wrapping_mul(factor));
            }
            *start = job.lanes.sums(starts);
        }
        ordered
    }

    /// The sums of windows whose steps have their inputs at `offsets` from `places` on; none where those do not all lie in
    /// `inputs`.
    #[inline(always)]
    fn sums<const N: usize>(
        &self,
        job: &Job<'_, L>,
        inputs: &[i8],
        places: [usize; N],
        offsets: &[u32; S],
        reach: usize,
    ) -> Option<[[L::Sums; B]; N]> {
        let lanes = job.lanes;
        // A number that the compiler knows, where it is one.
        let steps = if S < STEPS { S } else { job.steps() };
        for place in places {
            if place.checked_add(reach)? > inputs.len() {
                return None;
            }
        }
        let mut sums = [self.starts; N];
        for (weights, offset) in self.weights.iter().zip(offsets).take(steps) {
            let weights: [L::Weights; B] = array::from_fn(|block| lanes.weights(&weights[block]));
            for (sums, place) in sums.iter_mut().zip(places) {
                let taps = lanes.inputs(read(inputs, place, *offset, reach));
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = lanes.multiply_add(*sum, taps, weights);
                }
            }
        }
        Some(sums)
    }
}

/// The inputs of one step.
#[inline(always)]
fn read(inputs: &[i8], place: usize, offset: u32, reach: usize) -> [i8; TAPS] {
    debug_assert!(offset as usize + TAPS <= reach && place + reach <= inputs.len());
    let at = inputs
        .as_ptr()
        .wrapping_add(place.wrapping_add(offset as usize));
    // SAFETY: `Ordered::sums`, which alone calls this, has checked that `reach` inputs from the place on lie in the slice,
    // and no offset is greater than `reach` less those that are read here.
    unsafe { at.cast::<[i8; TAPS]>().read() }
}

impl<L: Lanes, const S: usize, const B: usize> Filters<L> for Ordered<L, S, B> {
    type Sums = [L::Sums; B];

    #[inline(always)]
    fn tile<const N: usize>(
        &self,
        job: &Job<'_, L>,
        image: &[i8],
        places: [usize; N],
    ) -> Option<[[L::Sums; B]; N]> {
        self.sums(job, image, places, &self.offsets, self.reach)
    }

    #[inline(always)]
    fn gathered(&mut self, job: &Job<'_, L>, image: &[i8], spans: (Span, Span)) -> [L::Sums; B] {
        let mut patch = [[job.arithmetic.zero(); TAPS]; S];
        let pitch = job.window.run.next_multiple_of(TAPS);
        job.window
            .gather(image, spans, pitch, patch.as_flattened_mut());
        let offsets = array::from_fn(|step| (step * TAPS) as u32);
        let sums = self.sums(job, patch.as_flattened(), [0], &offsets, S * TAPS);
        sums.map_or(self.starts, |[sums]| sums)
    }

    #[inline(always)]
    fn larger(&self, lanes: L, a: [L::Sums; B], b: [L::Sums; B]) -> [L::Sums; B] {
        array::from_fn(|block| lanes.larger(a[block], b[block]))
    }

    #[inline(always)]
    fn finish(&self, lanes: L, sums: [L::Sums; B], output: &mut [i8]) {
        self.outputs.finish(lanes, sums, output);
    }

    #[inline(always)]
    fn none(&self, job: &Job<'_, L>, output: &mut [i8]) {
        self.outputs.none(job.after, output);
    }
}

/// Weights as they lie in the file, of `B` blocks.
pub(super) struct AsStored<'a, L: Lanes, const B: usize> {
    filter: &'a [i8],
    outputs: Outputs<L, B>,
    /// A window that was gathered.
    patch: [i8; PATCH],
}

impl<'a, L: Lanes, const B: usize> AsStored<'a, L, B> {
    #[inline(always)]
    pub(super) fn new(job: &Job<'_, L>, filter: &'a [i8], first: usize) -> Self {
        Self {
            filter,
            outputs: Outputs::new(job, first),
            patch: [0; PATCH],
        }
    }

    #[inline(always)]
    fn sums(&self, job: &Job<'_, L>, window: &[i8]) -> [L::Sums; B] {
        let units = job.shape.output_channels as usize;
        let rows = Rows {
            weights: self.filter,
            units,
        };
        array::from_fn(|block| {
            let first = self.outputs.first + block * LANES;
            if first < units {
                rows.sums(job.lanes, job.arithmetic, window, 0, first)
            } else {
                job.lanes.sums([0; LANES])
            }
        })
    }
}

impl<L: Lanes, const B: usize> Filters<L> for AsStored<'_, L, B> {
    type Sums = [L::Sums; B];

    #[inline(always)]
    fn tile<const N: usize>(
        &self,
        job: &Job<'_, L>,
        image: &[i8],
        places: [usize; N],
    ) -> Option<[[L::Sums; B]; N]> {
        let Window {
            rows,
            run,
            size,
            row_step,
            ..
        } = job.window;
        // Only where the window is one piece of the image.
        if rows > 1 && run != row_step {
            return None;
        }
        let window = |place: usize| image.get(place..)?.get(..size);
        if places.iter().any(|place| window(*place).is_none()) {
            return None;
        }
        Some(places.map(|place| self.sums(job, window(place).unwrap_or(&[]))))
    }

    #[inline(always)]
    fn gathered(&mut self, job: &Job<'_, L>, image: &[i8], spans: (Span, Span)) -> [L::Sums; B] {
        let window = &job.window;
        let patch = self.patch.get_mut(..window.size).unwrap_or(&mut []);
        let (y, x) = spans;
        if y.taps < job.shape.rows.filter || x.taps < job.shape.columns.filter {
            rows::fill(patch, job.arithmetic.zero());
        }
        window.gather(image, spans, window.run, patch);
        self.sums(job, self.patch.get(..window.size).unwrap_or(&[]))
    }

    #[inline(always)]
    fn larger(&self, lanes: L, a: [L::Sums; B], b: [L::Sums; B]) -> [L::Sums; B] {
        array::from_fn(|block| lanes.larger(a[block], b[block]))
    }

    #[inline(always)]
    fn finish(&self, lanes: L, sums: [L::Sums; B], output: &mut [i8]) {
        self.outputs.finish(lanes, sums, output);
    }

    #[inline(always)]
    fn none(&self, job: &Job<'_, L>, output: &mut [i8]) {
        self.outputs.none(job.after, output);
    }
}
