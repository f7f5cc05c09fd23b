//! MAX_POOL_2D.

use ember_core::Clamp;

use crate::element::Element;
use crate::max_pool_2d::Pool2d;
use crate::rows;

/// Channels that are looked at together.
const BLOCK: usize = 8;

/// [`max_pool_2d::pool`](crate::max_pool_2d::pool) on slices that are checked. False, and nothing written, where there are not
/// enough channels to be worth it.
#[inline(always)]
pub(in crate::arch) fn pool<M, T: Element>(
    _machine: M,
    shape: &Pool2d,
    range: Clamp<T::Wide>,
    input: &[T],
    output: &mut [T],
) -> bool {
    let channels = shape.channels as usize;
    if !channels.is_multiple_of(BLOCK) {
        return false;
    }
    if shape.halves() {
        return halve(shape, range, input, output);
    }
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, shape.image_len()) {
        for y in 0..shape.rows.output {
            let y = shape.rows.span(y);
            for x in 0..shape.columns.output {
                let x = shape.columns.span(x);
                let Some(output) = outputs.next() else {
                    return true;
                };
                let mut first = 0;
                for output in output.as_chunks_mut::<BLOCK>().0 {
                    let mut largest = [T::LEAST; BLOCK];
                    shape.for_each_pixel(y, x, |at| {
                        let values = image.get(at + first..).unwrap_or(&[]);
                        if let Some(values) = values.first_chunk::<BLOCK>() {
                            for (largest, value) in largest.iter_mut().zip(values) {
                                *largest = largest.larger(*value);
                            }
                        }
                    });
                    *output = largest.map(|largest| T::within(largest.wide(), range));
                    first += BLOCK;
                }
            }
        }
    }
    true
}

impl Pool2d {
    /// Whether it is the usual one: windows of 2 × 2 side by side, none beyond the edge.
    fn halves(&self) -> bool {
        [self.rows, self.columns].iter().all(|axis| {
            axis.filter == 2
                && axis.stride == 2
                && axis.padding == 0
                && u64::from(axis.output) * 2 <= u64::from(axis.input)
        })
    }
}

/// Such a one.
#[inline(always)]
fn halve<T: Element>(shape: &Pool2d, range: Clamp<T::Wide>, input: &[T], output: &mut [T]) -> bool {
    let channels = shape.channels as usize;
    let input_row = shape.columns.input as usize * channels;
    let output_row = shape.columns.output as usize * channels;
    let mut outputs = rows::of_mut(output, output_row);
    for image in rows::of(input, shape.image_len()) {
        let pairs = rows::of(image, 2 * input_row).take(shape.rows.output as usize);
        for (pair, output) in pairs.zip(&mut outputs) {
            let (upper, lower) = pair.split_at(input_row);
            let windows = rows::of(upper, 2 * channels).zip(rows::of(lower, 2 * channels));
            for ((upper, lower), output) in windows.zip(rows::of_mut(output, channels)) {
                let sides = [upper, lower].map(|two| two.split_at(channels));
                let [(a, b), (c, d)] = sides.map(|(left, right)| {
                    (left.as_chunks::<BLOCK>().0, right.as_chunks::<BLOCK>().0)
                });
                let blocks = a.iter().zip(b).zip(c.iter().zip(d));
                for (((a, b), (c, d)), output) in blocks.zip(output.as_chunks_mut::<BLOCK>().0) {
                    let mut largest = [T::LEAST; BLOCK];
                    for values in [a, b, c, d] {
                        for (largest, value) in largest.iter_mut().zip(values) {
                            *largest = largest.larger(*value);
                        }
                    }
                    *output = largest.map(|largest| T::within(largest.wide(), range));
                }
            }
        }
    }
    true
}
