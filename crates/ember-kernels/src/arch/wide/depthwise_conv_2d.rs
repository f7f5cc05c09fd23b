//! DEPTHWISE_CONV_2D with one filter per channel.

use core::array;

use ember_core::Clamp;

use super::float32::Floats;
use super::lanes::{LANES, Lanes, Scaling, is_usual};
use crate::arithmetic::{Arithmetic, Float32, Int8};
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::rows;

/// [`depthwise_conv_2d::convolve`](crate::depthwise_conv_2d::convolve) of int8 on slices that are checked. False, and nothing
/// written, where a channel has several filters or the parameters are out of the ordinary.
#[inline(always)]
pub(in crate::arch) fn depthwise<L: Lanes>(
    lanes: L,
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    _scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    if shape.multiplier != 1 || !is_usual(arithmetic, Clamp::INT8) {
        return false;
    }
    // At most 255, so that the products with weights stay within 16 bits.
    let zero = arithmetic.input_zero_point as i16;
    let product = |x: i8, w: i8| {
        let product = i16::from(x).wrapping_sub(zero).wrapping_mul(i16::from(w));
        i32::from(product)
    };
    let mut first = 0;
    while first < shape.channels as usize {
        let scale = lanes.scale(&Scaling::new(arithmetic, first, Clamp::INT8));
        let block = Block {
            shape,
            first,
            starts: array::from_fn(|lane| arithmetic.start(first + lane)),
        };
        let add = |sum: i32, x, w| sum.wrapping_add(product(x, w));
        let finish = |sums| lanes.finish(lanes.sums(sums), &scale);
        block.run(input, filter, output, add, finish);
        first += LANES;
    }
    true
}

/// The same of float32.
#[inline(always)]
pub(in crate::arch) fn depthwise_float32<F: Floats>(
    _floats: F,
    shape: &DepthwiseConv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    _scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    if shape.multiplier != 1 {
        return false;
    }
    let mut first = 0;
    while first < shape.channels as usize {
        let block = Block {
            shape,
            first,
            starts: [0.0; LANES],
        };
        let add = |sum, x, w| arithmetic.multiply_add(sum, x, w);
        let finish = |sums: [f32; LANES]| {
            let mut lane = first;
            sums.map(|sum| {
                lane += 1;
                arithmetic.finish(lane - 1, sum)
            })
        };
        block.run(input, filter, output, add, finish);
        first += LANES;
    }
    true
}

/// Some channels.
struct Block<'a, S> {
    shape: &'a DepthwiseConv2d,
    first: usize,
    /// What their sums start with.
    starts: [S; LANES],
}

impl<S: Copy> Block<'_, S> {
    /// Computes them for every output.
    #[inline(always)]
    fn run<T: Copy + Default>(
        &self,
        input: &[T],
        filter: &[T],
        output: &mut [T],
        add: impl Fn(S, T, T) -> S,
        finish: impl Fn([S; LANES]) -> [T; LANES],
    ) {
        let DepthwiseConv2d { rows, columns, .. } = self.shape;
        let channels = self.shape.channels as usize;
        let image_row = (columns.input as usize).wrapping_mul(channels);
        let column_step = channels.wrapping_mul(columns.dilation as usize);
        let row_step = image_row.wrapping_mul(rows.dilation as usize);
        let filter_row = (columns.filter as usize).wrapping_mul(channels);
        let mut outputs = rows::of_mut(output, channels);
        for image in rows::of(input, (rows.input as usize).wrapping_mul(image_row)) {
            for y in 0..rows.output {
                let y = rows.span(y);
                for x in 0..columns.output {
                    let x = columns.span(x);
                    let Some(output) = outputs.next() else {
                        return;
                    };
                    let mut from = (y.position as usize)
                        .wrapping_mul(image_row)
                        .wrapping_add((x.position as usize).wrapping_mul(channels))
                        .wrapping_add(self.first);
                    let mut to = (y.tap as usize)
                        .wrapping_mul(filter_row)
                        .wrapping_add((x.tap as usize).wrapping_mul(channels))
                        .wrapping_add(self.first);
                    let mut sums = self.starts;
                    for _ in 0..y.taps {
                        let (mut at, mut tap) = (from, to);
                        for _ in 0..x.taps {
                            let (values, weights) = (lanes(image, at), lanes(filter, tap));
                            for ((sum, x), w) in sums.iter_mut().zip(values).zip(weights) {
                                *sum = add(*sum, x, w);
                            }
                            at = at.wrapping_add(column_step);
                            tap = tap.wrapping_add(channels);
                        }
                        from = from.wrapping_add(row_step);
                        to = to.wrapping_add(filter_row);
                    }
                    let values = finish(sums);
                    let output = output.get_mut(self.first..).unwrap_or(&mut []);
                    if let Some(output) = output.first_chunk_mut::<LANES>() {
                        *output = values;
                    } else {
                        for (output, value) in output.iter_mut().zip(values) {
                            *output = value;
                        }
                    }
                }
            }
        }
    }
}

/// [`LANES`] elements; beyond the end there are zeros, which only channels see that there are not.
#[inline(always)]
fn lanes<T: Copy + Default>(elements: &[T], at: usize) -> [T; LANES] {
    let elements = elements.get(at..).unwrap_or(&[]);
    if let Some(whole) = elements.first_chunk::<LANES>() {
        return *whole;
    }
    let mut lanes = [T::default(); LANES];
    for (lane, element) in lanes.iter_mut().zip(elements) {
        *lane = *element;
    }
    lanes
}
