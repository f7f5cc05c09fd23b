//! Depthwise convolutions of small windows, one channel after the other: its weights and where its taps lie are known once for all
//! outputs whose windows lack the same taps.

use crate::arithmetic::{Arithmetic, Int8};
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::rows;
use crate::window::{Axis, Span};

/// False where a window is larger than 3×3.
pub(crate) fn depthwise_conv_2d_i8(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    _scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let DepthwiseConv2d { rows, columns, .. } = shape;
    if rows.filter > 3 || columns.filter > 3 {
        return false;
    }
    let pixel = shape.channels as usize;
    let channels = pixel.wrapping_mul(shape.multiplier as usize);
    let row = (columns.input as usize).wrapping_mul(pixel);
    let out_row = (columns.output as usize).wrapping_mul(channels);
    let images = rows::of(input, row.wrapping_mul(rows.input as usize));
    let out_images = rows::of_mut(output, out_row.wrapping_mul(rows.output as usize));
    for (image, out) in images.zip(out_images) {
        let mut channel = 0;
        for from in 0..pixel {
            for _ in 0..shape.multiplier {
                let weights = filter.get(channel..).unwrap_or(&[]);
                each_kind(rows, |first_y, count_y, y| {
                    each_kind(columns, |first_x, count_x, x| {
                        let first_tap = (y.position as usize)
                            .wrapping_mul(row)
                            .wrapping_add((x.position as usize).wrapping_mul(pixel))
                            .wrapping_add(from);
                        let run = Run {
                            taps: Taps::new(shape, arithmetic, weights, channel, (y, x)),
                            input: image.get(first_tap..).unwrap_or(&[]),
                            input_steps: [
                                row.wrapping_mul(rows.stride as usize),
                                pixel.wrapping_mul(columns.stride as usize),
                            ],
                            counts: [count_y, count_x],
                            output_steps: [out_row, channels],
                        };
                        let first = (first_y as usize)
                            .wrapping_mul(out_row)
                            .wrapping_add((first_x as usize).wrapping_mul(channels))
                            .wrapping_add(channel);
                        let out = out.get_mut(first..).unwrap_or(&mut []);
                        run.outputs(arithmetic, channel, out);
                    });
                });
                channel = channel.wrapping_add(1);
            }
        }
    }
    true
}

/// Calls `f(the first window, how many there are, its span)` for all windows that lie wholly in the input, and for each that
/// does not.
fn each_kind(axis: &Axis, mut f: impl FnMut(u32, u32, Span)) {
    let mut output = 0;
    while output < axis.output {
        let span = axis.span(output);
        let count = if span.taps == axis.filter {
            axis.whole_from(output, span)
        } else {
            1
        };
        f(output, count, span);
        output = output.wrapping_add(count);
    }
}

/// The taps of a window that lie in the input, as the upper left ones of 3×3. The others weigh nothing, and are where the first
/// one is.
struct Taps {
    /// What a sum begins with: the bias, and what the input's zero point takes off every product.
    start: i32,
    weights: [[i32; 3]; 3],
    /// From the first row to the second and the third, and the same of columns.
    down: [usize; 2],
    right: [usize; 2],
}

impl Taps {
    /// `weights` are the filter from the channel on.
    #[inline(never)]
    fn new(
        shape: &DepthwiseConv2d,
        arithmetic: &Int8<'_>,
        weights: &[i8],
        channel: usize,
        (y, x): (Span, Span),
    ) -> Self {
        let DepthwiseConv2d { rows, columns, .. } = shape;
        let pixel = shape.channels as usize;
        let channels = pixel.wrapping_mul(shape.multiplier as usize);
        let steps = |taps: u32, step: usize| {
            let second = if taps > 1 { step } else { 0 };
            let third = if taps > 2 { step.wrapping_mul(2) } else { 0 };
            [second, third]
        };
        let down = pixel
            .wrapping_mul(columns.input as usize)
            .wrapping_mul(rows.dilation as usize);
        let mut taps = Self {
            start: arithmetic.start(channel),
            weights: [[0; 3]; 3],
            down: steps(y.taps, down),
            right: steps(x.taps, pixel.wrapping_mul(columns.dilation as usize)),
        };
        let mut sum = 0i32;
        for (row, tap_y) in taps
            .weights
            .iter_mut()
            .zip(y.tap..y.tap.wrapping_add(y.taps))
        {
            for (to, tap_x) in row.iter_mut().zip(x.tap..x.tap.wrapping_add(x.taps)) {
                let tap = tap_y.wrapping_mul(columns.filter).wrapping_add(tap_x);
                let weight = weights.get((tap as usize).wrapping_mul(channels));
                *to = weight.copied().unwrap_or(0).into();
                sum = sum.wrapping_add(*to);
            }
        }
        let zero = sum.wrapping_mul(arithmetic.input_zero_point);
        taps.start = taps.start.wrapping_sub(zero);
        taps
    }
}

/// Outputs of one channel, in rows and columns, whose windows have the same taps. Steps are in elements, rows first.
struct Run<'i> {
    taps: Taps,
    /// From the first tap of the first window on.
    input: &'i [i8],
    input_steps: [usize; 2],
    counts: [u32; 2],
    output_steps: [usize; 2],
}

impl Run<'_> {
    /// `output` is from the first output on.
    #[inline(never)]
    fn outputs(&self, arithmetic: &Int8<'_>, channel: usize, output: &mut [i8]) {
        let Taps {
            start,
            weights: [upper, middle, lower],
            down: [down, down2],
            right: [right, right2],
        } = self.taps;
        let [rows, columns] = self.counts;
        let reach = down.max(down2).wrapping_add(right.max(right2));
        let (mut row, mut out_row) = (0usize, 0usize);
        for _ in 0..rows {
            let (mut at, mut out) = (row, out_row);
            for _ in 0..columns {
                let mut sum = start;
                if at.wrapping_add(reach) < self.input.len() {
                    let x = self.input.as_ptr().wrapping_add(at);
                    for (from, weights) in [(0, upper), (down, middle), (down2, lower)] {
                        let [left, mid, right_most] = weights;
                        for (step, weight) in [(0, left), (right, mid), (right2, right_most)] {
                            // SAFETY: no tap is beyond the reach, which is in the input.
                            let value = unsafe { *x.add(from).add(step) };
                            sum = sum.wrapping_add(i32::from(value).wrapping_mul(weight));
                        }
                    }
                }
                if let Some(out) = output.get_mut(out) {
                    *out = arithmetic.finish(channel, sum);
                }
                at = at.wrapping_add(self.input_steps[1]);
                out = out.wrapping_add(self.output_steps[1]);
            }
            row = row.wrapping_add(self.input_steps[0]);
            out_row = out_row.wrapping_add(self.output_steps[0]);
        }
    }
}
