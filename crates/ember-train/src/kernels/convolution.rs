//! Convolution, and the max-pool behind it, over one image at a time.
//!
//! Filters are taken in blocks of a vector's length; an activation between the two has its channels padded to whole blocks. An image is
//! padded first, so that every window lies within.

use super::simd::{Arithmetic, LANES, Vector};
use crate::windows::Windows;

/// The shapes of a convolution. Extents are `[height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Convolution {
    /// Of the image.
    pub(crate) input: [usize; 2],
    pub(crate) channels: usize,
    /// Of the filter.
    pub(crate) size: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Zeros before the image.
    pub(crate) before: [usize; 2],
    /// Positions of the window.
    pub(crate) output: [usize; 2],
    pub(crate) filters: usize,
}

impl Convolution {
    /// Of the padded image.
    fn padded(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let last = (self.output[axis].saturating_sub(1)) * self.stride[axis];
            let reach = last + self.size[axis].saturating_sub(1) * self.dilation[axis] + 1;
            reach.max(self.before[axis] + self.input[axis])
        })
    }

    /// Elements of an image, without and with padding.
    pub(super) fn image_elements(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// See [`Self::image_elements`].
    pub(super) fn padded_elements(&self) -> usize {
        let [height, width] = self.padded();
        height * width * self.channels
    }

    /// Filters, in whole blocks.
    pub(super) fn wide(&self) -> usize {
        self.filters.next_multiple_of(LANES)
    }

    /// Elements of an image's result, its channels in whole blocks.
    pub(super) fn result_elements(&self) -> usize {
        self.output[0] * self.output[1] * self.wide()
    }

    /// Weights of one filter.
    pub(super) fn depth(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// Writes the image between its padding, which is zero already.
    pub(super) fn pad(&self, image: &[f32], padded: &mut [f32]) {
        for (from, to) in self.rows(image.len(), padded.len()) {
            padded[to].copy_from_slice(&image[from]);
        }
    }

    /// Appends what lies between the padding of an image of so many elements.
    pub(super) fn unpad(&self, padded: &[f32], elements: usize, image: &mut Vec<f32>) {
        for (_, from) in self.rows(elements, padded.len()) {
            image.extend_from_slice(&padded[from]);
        }
    }

    /// Where each row of an image is, without and with padding.
    fn rows(
        &self,
        image: usize,
        padded: usize,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> + use<> {
        let row = self.input[1] * self.channels;
        let wide = self.padded()[1] * self.channels;
        let first = self.before[0] * wide + self.before[1] * self.channels;
        let count = image.checked_div(row).unwrap_or(0);
        (0..count).map(move |y| {
            let start = (first + y * wide).min(padded);
            (y * row..(y + 1) * row, start..(start + row).min(padded))
        })
    }

    /// The filters `[filters, depth]` in blocks: `[block, depth, LANES]`, zeros where there is no filter.
    pub(super) fn pack(&self, filter: &[f32]) -> Vec<f32> {
        let depth = self.depth();
        let mut packed = vec![0.0; self.wide() * depth];
        for (number, weights) in filter.chunks(depth.max(1)).enumerate() {
            let block = number / LANES * depth * LANES + number % LANES;
            for (at, weight) in weights.iter().enumerate() {
                packed[block + at * LANES] = *weight;
            }
        }
        packed
    }

    /// The reverse of [`Self::pack`].
    pub(super) fn unpack(&self, packed: &[f32]) -> Vec<f32> {
        let depth = self.depth();
        let mut filter = Vec::with_capacity(self.filters * depth);
        for number in 0..self.filters {
            let block = number / LANES * depth * LANES + number % LANES;
            filter.extend((0..depth).map(|at| packed[block + at * LANES]));
        }
        filter
    }

    /// The filters `[filters, taps, channels]` as `[taps, filters, channels in whole blocks]`.
    pub(super) fn by_tap(&self, filter: &[f32]) -> Vec<f32> {
        let (taps, channels) = (self.size[0] * self.size[1], self.channels);
        let wide = channels.next_multiple_of(LANES);
        let mut packed = vec![0.0; taps * self.filters * wide];
        for (at, weights) in filter.chunks(channels.max(1)).enumerate() {
            let (number, tap) = (at / taps, at % taps);
            let start = (tap * self.filters + number) * wide;
            packed[start..start + channels].copy_from_slice(weights);
        }
        packed
    }

    /// Where in a padded image the elements of the first window are.
    fn offsets(&self) -> Vec<usize> {
        let width = self.padded()[1];
        let mut offsets = Vec::with_capacity(self.depth());
        for y in 0..self.size[0] {
            for x in 0..self.size[1] {
                let pixel = y * self.dilation[0] * width + x * self.dilation[1];
                offsets.extend(pixel * self.channels..(pixel + 1) * self.channels);
            }
        }
        offsets
    }

    /// Where in a padded image the window of a position starts.
    fn origin(&self, y: usize, x: usize) -> usize {
        (y * self.stride[0] * self.padded()[1] + x * self.stride[1]) * self.channels
    }
}

/// The result `[positions, wide]` of one padded image; `filter` is packed, `bias` has whole blocks.
#[inline(always)]
pub(super) fn image_forward<A: Arithmetic>(
    own: &Convolution,
    padded: &[f32],
    filter: &[f32],
    bias: &[f32],
    output: &mut [f32],
) {
    let (offsets, [height, width]) = (own.offsets(), own.output);
    let (wide, step) = (own.wide(), own.stride[1] * own.channels);
    let (bias, _) = bias.as_chunks::<LANES>();
    let filters = filter.chunks_exact((own.depth() * LANES).max(1));
    for (block, (filter, bias)) in filters.zip(bias).enumerate() {
        let (filter, _) = filter.as_chunks::<LANES>();
        for y in 0..height {
            let mut x = 0;
            while x < width {
                let from = &padded[own.origin(y, x)..];
                let to = &mut output[(y * width + x) * wide + block * LANES..];
                // As many positions as there are registers for, then the rest.
                let done = match (width - x, step) {
                    (8.., 1) => positions::<A, 8, true>(from, 1, &offsets, filter, bias, to, wide),
                    (8.., _) => {
                        positions::<A, 8, false>(from, step, &offsets, filter, bias, to, wide)
                    }
                    (4.., _) => {
                        positions::<A, 4, false>(from, step, &offsets, filter, bias, to, wide)
                    }
                    (2.., _) => {
                        positions::<A, 2, false>(from, step, &offsets, filter, bias, to, wide)
                    }
                    _ => positions::<A, 1, false>(from, step, &offsets, filter, bias, to, wide),
                };
                x += done;
            }
        }
    }
}

/// One block of filters at `P` neighbouring positions; says how many that were.
#[inline(always)]
fn positions<A: Arithmetic, const P: usize, const NEIGHBOURS: bool>(
    from: &[f32],
    step: usize,
    offsets: &[usize],
    filter: &[[f32; LANES]],
    bias: &[f32; LANES],
    to: &mut [f32],
    wide: usize,
) -> usize {
    let mut sums = [A::Vector::load(bias); P];
    for (offset, weights) in offsets.iter().zip(filter) {
        let from = &from[*offset..];
        let weights = A::Vector::load(weights);
        if NEIGHBOURS {
            let Some(inputs) = from.first_chunk::<P>() else {
                return P;
            };
            for position in 0..P {
                let input = A::Vector::splat(inputs[position]);
                sums[position] = sums[position].add_product(input, weights);
            }
        } else {
            for position in 0..P {
                let input = A::Vector::splat(from[position * step]);
                sums[position] = sums[position].add_product(input, weights);
            }
        }
    }
    for position in 0..P {
        if let Some(to) = to[position * wide..].first_chunk_mut() {
            sums[position].store(to);
        }
    }
    P
}

/// Adds what one padded image and the gradient `[positions, wide]` of its result make of the gradients of the packed filter and
/// of the bias.
#[inline(always)]
pub(super) fn filter_gradient<A: Arithmetic>(
    own: &Convolution,
    padded: &[f32],
    gradient: &[f32],
    filter: &mut [f32],
    bias: &mut [f32],
) {
    let offsets = own.offsets();
    let (biases, _) = bias.as_chunks_mut::<LANES>();
    let filters = filter.chunks_exact_mut((own.depth() * LANES).max(1));
    for (block, (filter, bias)) in filters.zip(biases).enumerate() {
        for position in gradient.chunks_exact(own.wide()) {
            for lane in 0..LANES {
                bias[lane] += position[block * LANES + lane];
            }
        }
        let (filter, _) = filter.as_chunks_mut::<LANES>();
        let mut at = 0;
        while at < offsets.len() {
            let (offsets, filter) = (&offsets[at..], &mut filter[at..]);
            at += match offsets.len() {
                9.. => weights::<A, 9>(own, padded, gradient, block, offsets, filter),
                4.. => weights::<A, 4>(own, padded, gradient, block, offsets, filter),
                _ => weights::<A, 1>(own, padded, gradient, block, offsets, filter),
            };
        }
    }
}

/// The gradient of the first `W` weights of a block of filters; says how many that were.
#[inline(always)]
fn weights<A: Arithmetic, const W: usize>(
    own: &Convolution,
    padded: &[f32],
    gradient: &[f32],
    block: usize,
    offsets: &[usize],
    filter: &mut [[f32; LANES]],
) -> usize {
    let mut sums = [A::Vector::splat(0.0); W];
    let mut starts = [0; W];
    for weight in 0..W {
        sums[weight] = A::Vector::load(&filter[weight]);
        starts[weight] = offsets[weight];
    }
    let step = own.stride[1] * own.channels;
    let width = own.output[1];
    for (y, row) in gradient.chunks_exact(width * own.wide()).enumerate() {
        let from = &padded[own.origin(y, 0)..];
        for (x, gradient) in row.chunks_exact(own.wide()).enumerate() {
            let Some(gradient) = gradient[block * LANES..].first_chunk::<LANES>() else {
                continue;
            };
            let gradient = A::Vector::load(gradient);
            let from = &from[x * step..];
            for weight in 0..W {
                let input = A::Vector::splat(from[starts[weight]]);
                sums[weight] = sums[weight].add_product(input, gradient);
            }
        }
    }
    for weight in 0..W {
        sums[weight].store(&mut filter[weight]);
    }
    W
}

/// Adds what the gradient `[positions, wide]` of an image's result makes of the padded image's gradient; `filter` is by tap
/// ([`Convolution::by_tap`]). `padded` has room for [`LANES`] more.
#[inline(always)]
pub(super) fn image_gradient<A: Arithmetic>(
    own: &Convolution,
    gradient: &[f32],
    filter: &[f32],
    padded: &mut [f32],
) {
    let wide = own.channels.next_multiple_of(LANES);
    let offsets = own.offsets();
    let taps = filter.chunks_exact((own.filters * wide).max(1));
    for (tap, filter) in taps.enumerate() {
        let offset = offsets[tap * own.channels];
        for (position, gradient) in gradient.chunks_exact(own.wide()).enumerate() {
            let (y, x) = (position / own.output[1], position % own.output[1]);
            let to = &mut padded[own.origin(y, x) + offset..];
            let mut first = 0;
            while first < own.channels {
                first += match own.channels - first {
                    17.. => channels::<A, 3>(gradient, filter, wide, first, own, to),
                    9.. => channels::<A, 2>(gradient, filter, wide, first, own, to),
                    _ => channels::<A, 1>(gradient, filter, wide, first, own, to),
                };
            }
        }
    }
}

/// The gradient of `B` blocks of channels of one pixel; says how many channels that were. Channels beyond the pixel's get
/// zeros added.
#[inline(always)]
fn channels<A: Arithmetic, const B: usize>(
    gradient: &[f32],
    filter: &[f32],
    wide: usize,
    first: usize,
    own: &Convolution,
    to: &mut [f32],
) -> usize {
    let mut sums = [A::Vector::splat(0.0); B];
    let gradients = gradient[..own.filters].iter();
    for (gradient, weights) in gradients.zip(filter.chunks_exact(wide)) {
        let gradient = A::Vector::splat(*gradient);
        let (weights, _) = weights[first..].as_chunks::<LANES>();
        let Some(weights) = weights.first_chunk::<B>() else {
            continue;
        };
        for block in 0..B {
            sums[block] = sums[block].add_product(gradient, A::Vector::load(&weights[block]));
        }
    }
    let (to, _) = to[first..].as_chunks_mut::<LANES>();
    for (to, sum) in to.iter_mut().zip(sums) {
        sum.add(A::Vector::load(to)).store(to);
    }
    B * LANES
}

/// A max-pool over a convolution's result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pool {
    /// The pixels of all windows, one window after the other.
    pixels: Vec<u32>,
    /// Where the windows end among them.
    ends: Vec<usize>,
    /// Channels of a pixel, in whole blocks.
    wide: usize,
}

impl Pool {
    /// Of an image of `filters` channels.
    pub(crate) fn new(windows: &Windows, filters: usize) -> Self {
        let mut pixels = Vec::with_capacity(windows.sources.len());
        let mut ends = Vec::with_capacity(windows.positions());
        for taps in windows.sources.chunks(windows.taps.max(1)) {
            pixels.extend(taps.iter().flatten().map(|pixel| *pixel as u32));
            ends.push(pixels.len());
        }
        Self {
            pixels,
            ends,
            wide: filters.next_multiple_of(LANES),
        }
    }

    /// Elements of an image's result, its channels in whole blocks.
    pub(super) fn result_elements(&self) -> usize {
        self.ends.len() * self.wide
    }
}

/// The greatest of each window `[windows, wide]`, and which elements of the image they are; of equals the first.
#[inline(always)]
pub(super) fn pool<A: Arithmetic>(
    own: &Pool,
    image: &[f32],
    best: &mut [f32],
    winners: &mut [u32],
) {
    let (image, _) = image.as_chunks::<LANES>();
    let (best, _) = best.as_chunks_mut::<LANES>();
    let (winners, _) = winners.as_chunks_mut::<LANES>();
    let blocks = (own.wide / LANES).max(1);
    let mut start = 0;
    let results = best.chunks_mut(blocks).zip(winners.chunks_mut(blocks));
    for (end, (best, winners)) in own.ends.iter().zip(results) {
        let pixels = &own.pixels[start..*end];
        start = *end;
        for (block, (best, winners)) in best.iter_mut().zip(winners).enumerate() {
            let Some((first, rest)) = pixels.split_first() else {
                continue;
            };
            let at = |pixel: u32| pixel as usize * blocks + block;
            let mut most = A::Vector::load(&image[at(*first)]);
            // Pixels are few enough to be exact in f32.
            let mut winner = A::Vector::splat(*first as f32);
            for pixel in rest {
                let candidates = A::Vector::load(&image[at(*pixel)]);
                let number = A::Vector::splat(*pixel as f32);
                winner = candidates.where_greater(most, number, winner);
                most = candidates.where_greater(most, candidates, most);
            }
            most.store(best);
            let mut pixels = [0.0; LANES];
            winner.store(&mut pixels);
            for lane in 0..LANES {
                winners[lane] = (at(pixels[lane] as u32) * LANES + lane) as u32;
            }
        }
    }
}
