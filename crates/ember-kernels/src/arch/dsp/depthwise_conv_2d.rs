//! Depthwise convolutions: four channels at a time over the whole image, with their weights widened once. One channel with
//! several filters is an ordinary convolution whose filter is stored the other way round.

use core::arch::naked_asm;

use ember_core::view;

use super::{Scaling, conv_2d, narrow, offsets};
use crate::arithmetic::{Arithmetic, Int8};
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::rows;
use crate::window::{Axis, Span};

/// False where there is no scratch, there are fewer than four channels, or several and several filters each.
pub(crate) fn depthwise_conv_2d_i8(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let channels = shape.channels as usize;
    let taps = shape.rows.filter.wrapping_mul(shape.columns.filter) as usize;
    if channels == 1 {
        let filters = shape.multiplier as usize;
        let words = taps.wrapping_mul(filters).div_ceil(4);
        let Some((turned, scratch)) = scratch.split_at_mut_checked(words) else {
            return false;
        };
        let Some(turned) = view::from_bytes_mut(view::as_bytes_mut(turned)) else {
            return false;
        };
        for (filter_number, turned) in (0..filters).zip(rows::of_mut(turned, taps)) {
            for (out, pixel) in turned.iter_mut().zip(rows::of(filter, filters)) {
                *out = pixel.get(filter_number).copied().unwrap_or(0);
            }
        }
        let shape = shape.as_conv_2d();
        return conv_2d::conv_2d_i8(&shape, arithmetic, input, turned, scratch, output);
    }
    let (Some(weights), Some(scaling), 1, true) = (
        scratch.get_mut(..taps.wrapping_mul(2)),
        Scaling::new(arithmetic),
        shape.multiplier,
        channels >= 4
            && usize::max(shape.rows.filter as usize, shape.columns.filter as usize) < 1 << 13,
    ) else {
        return false;
    };
    let mut work = Work::new(shape, arithmetic, &scaling);
    let mut channel = 0;
    let mut all_suit = true;
    loop {
        // The last four may have been in part of the four before.
        channel = usize::min(channel, channels.wrapping_sub(4));
        let from = filter.get(channel..).unwrap_or(&[]);
        widen(from, channels, weights);
        all_suit &= work.take(&scaling, channel, taps);
        let mut work = Run {
            shape,
            work: &mut work,
            weights,
            channel,
        };
        work.images(input, output);
        channel = channel.wrapping_add(4);
        if channel >= channels {
            break;
        }
    }
    narrow(arithmetic.range, output);
    if !all_suit {
        for channel in 0..channels {
            let ([bias], [multiplier]) = scaling.of(channel);
            if !Scaling::suits(bias, multiplier, taps) {
                by_definition(shape, arithmetic, input, filter, channel, output);
            }
        }
    }
    true
}

/// The outputs of one channel, whose sums are scaled as they are everywhere else.
#[inline(never)]
fn by_definition(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    channel: usize,
    output: &mut [i8],
) {
    let DepthwiseConv2d { rows, columns, .. } = shape;
    let channels = shape.channels as usize;
    let row = (columns.input as usize).wrapping_mul(channels);
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, row.wrapping_mul(rows.input as usize)) {
        for y in 0..rows.output {
            let y = rows.span(y);
            for x in 0..columns.output {
                let x = columns.span(x);
                let mut sum = arithmetic.start(channel);
                for tap_y in 0..y.taps {
                    for tap_x in 0..x.taps {
                        let at = |span: Span, tap: u32, axis: &Axis| {
                            span.position.wrapping_add(tap.wrapping_mul(axis.dilation)) as usize
                        };
                        let from = at(y, tap_y, rows)
                            .wrapping_mul(row)
                            .wrapping_add(at(x, tap_x, columns).wrapping_mul(channels));
                        let tap = (y.tap.wrapping_add(tap_y))
                            .wrapping_mul(columns.filter)
                            .wrapping_add(x.tap.wrapping_add(tap_x));
                        let tap = (tap as usize).wrapping_mul(channels);
                        if let (Some(x), Some(w)) = (
                            image.get(from.wrapping_add(channel)),
                            filter.get(tap.wrapping_add(channel)),
                        ) {
                            sum = arithmetic.multiply_add(sum, *x, *w);
                        }
                    }
                }
                let out = outputs.next().and_then(|pixel| pixel.get_mut(channel));
                if let Some(out) = out {
                    *out = arithmetic.finish(channel, sum);
                }
            }
        }
    }
}

/// The first four of each pixel of a filter, each in half a word: 0 and 2, then 1 and 3.
fn widen(filter: &[i8], channels: usize, weights: &mut [u32]) {
    let pair = |low: i8, high: i8| (low as u16 as u32) | (high as u32) << 16;
    let mut filter = filter;
    for [even, odd] in weights.as_chunks_mut().0 {
        let [a, b, c, d] = filter.first_chunk().copied().unwrap_or_default();
        (*even, *odd) = (pair(a, c), pair(b, d));
        filter = filter.get(channels..).unwrap_or(&[]);
    }
}

/// Four channels of a depthwise convolution.
struct Run<'r> {
    shape: &'r DepthwiseConv2d,
    work: &'r mut Work,
    weights: &'r [u32],
    /// The first of the four.
    channel: usize,
}

impl Run<'_> {
    fn images(&mut self, input: &[i8], output: &mut [i8]) {
        let DepthwiseConv2d { rows, columns, .. } = self.shape;
        let channels = self.shape.channels as usize;
        let row = (columns.input as usize).wrapping_mul(channels);
        let out_row = (columns.output as usize).wrapping_mul(channels);
        let images = rows::of(input, row.wrapping_mul(rows.input as usize));
        let out_images = rows::of_mut(output, out_row.wrapping_mul(rows.output as usize));
        for (image, out) in images.zip(out_images) {
            let mut x = 0;
            while x < columns.output {
                let span = columns.span(x);
                let count = if span.taps == columns.filter {
                    columns.whole_from(x, span)
                } else {
                    1
                };
                let to = (x as usize).wrapping_mul(channels);
                let out = out.get_mut(to..).unwrap_or(&mut []);
                self.columns(image, row, span, count, out, out_row);
                x = x.wrapping_add(count);
            }
        }
    }

    /// So many neighbouring outputs of each row, whose windows have these taps. `out` is from the first on.
    #[inline(never)]
    fn columns(
        &mut self,
        image: &[i8],
        row: usize,
        span: Span,
        count: u32,
        out: &mut [i8],
        out_row: usize,
    ) {
        let DepthwiseConv2d { rows, columns, .. } = self.shape;
        let channels = self.shape.channels;
        let work = &mut *self.work;
        let missing = columns.filter.wrapping_sub(span.taps);
        let taps = span.taps | missing << 19;
        work.columns = taps;
        work.skip = if taps == THREE {
            work.down
        } else {
            work.down
                .wrapping_sub(span.taps.wrapping_mul(work.dilation))
        };
        let from = (span.position as usize)
            .wrapping_mul(channels as usize)
            .wrapping_add(self.channel);
        let from = image.as_ptr().wrapping_add(from);
        let mut output = out.as_mut_ptr().wrapping_add(self.channel);
        let len = count.wrapping_mul(channels) as usize;
        for y in 0..rows.output {
            let y = rows.span(y);
            // A window without taps has nothing but its bias.
            work.rows = match (span.taps, taps) {
                (0, _) => 0,
                (_, THREE) => y.taps,
                _ => y.taps | ANY,
            };
            work.input = from.wrapping_add((y.position as usize).wrapping_mul(row));
            let tap = y.tap.wrapping_mul(columns.filter).wrapping_add(span.tap) as usize;
            work.weights = self.weights.as_ptr().wrapping_add(tap.wrapping_mul(2));
            work.output = output;
            work.end = output.wrapping_add(len);
            output = output.wrapping_add(out_row);
            // SAFETY: every tap of a span lies in the image, whose length was checked, and its weights in the filter. The
            // output has as many rows of pixels, of which the four channels of one after the other are written.
            unsafe { pixels(work) };
        }
    }
}

/// [`Work::columns`] for rows of three taps, none of which is missing.
const THREE: u32 = 3;

/// In [`Work::rows`]: each has any number of taps.
const ANY: u32 = 1 << 31;

/// What [`pixels`] works on. Steps are in bytes.
#[repr(C)]
struct Work {
    input: *const i8,
    weights: *const u32,
    /// Rows of taps, and [`ANY`] but for [`THREE`] of each.
    rows: u32,
    /// The input's offset in both halves.
    offsets: u32,
    bias: [i32; 4],
    /// From one tap to the next.
    dilation: u32,
    /// From the end of a row of taps to the next one; from its beginning where there are [`THREE`].
    skip: u32,
    /// Taps of a row in the lower half, bytes of a row of weights that have no tap in the upper one.
    columns: u32,
    twice_zero: i32,
    /// Multiplier, and right shift less one.
    scales: [[i32; 2]; 4],
    output: *mut i8,
    /// From one output to the next.
    pixel: u32,
    /// From one window to the next.
    stride: u32,
    /// Where the outputs end.
    end: *const i8,
    /// From one row of taps to the next.
    down: u32,
}

impl Work {
    fn new(shape: &DepthwiseConv2d, arithmetic: &Int8<'_>, scaling: &Scaling<'_>) -> Self {
        let (rows, columns, channels) = (&shape.rows, &shape.columns, shape.channels);
        Self {
            input: core::ptr::null(),
            weights: core::ptr::null(),
            rows: 0,
            offsets: offsets(arithmetic),
            bias: [0; 4],
            dilation: channels.wrapping_mul(columns.dilation),
            skip: 0,
            columns: 0,
            scales: [[0; 2]; 4],
            twice_zero: scaling.twice_zero,
            output: core::ptr::null_mut(),
            pixel: channels,
            stride: channels.wrapping_mul(columns.stride),
            end: core::ptr::null(),
            down: columns
                .input
                .wrapping_mul(channels)
                .wrapping_mul(rows.dilation),
        }
    }

    /// Takes the biases and multipliers of four channels; whether they suit sums of so many products.
    #[inline(always)]
    fn take(&mut self, scaling: &Scaling<'_>, channel: usize, taps: usize) -> bool {
        let (biases, multipliers) = scaling.of::<4>(channel);
        self.bias = biases;
        let mut all_suit = true;
        for ((scale, bias), multiplier) in self.scales.iter_mut().zip(biases).zip(multipliers) {
            all_suit &= Scaling::suits(bias, multiplier, taps);
            *scale = [multiplier.multiplier, !multiplier.shift];
        }
        all_suit
    }
}

/// Neighbouring outputs of four channels: 8 instructions for each tap where a row has three, else 11, and 44 for the four
/// outputs.
///
/// # Safety
/// The pointers are to as much as the numbers say; there is an output, and there are taps where there are rows, less than 2^13 of
/// each.
#[unsafe(naked)]
unsafe extern "C" fn pixels(work: &mut Work) {
    naked_asm!(
        assembler!(),
        "push {{r0, r4-r11, lr}}",
        "mov lr, r0",
        "2:",
        // Input, weights, rows, offsets, four sums, steps.
        "ldm lr, {{r0-r9}}",
        "cmp r2, #0",
        "ble 7f",
        "3:",
        "ldr r11, [r0]",
        "sxtab16 r10, r3, r11",
        "sxtab16 r11, r3, r11, ror #8",
        "ldrd r12, lr, [r1], #8",
        "smlabb r4, r10, r12, r4",
        "smlatt r6, r10, r12, r6",
        "smlabb r5, r11, lr, r5",
        "smlatt r7, r11, lr, r7",
        "ldr r11, [r0, r8]",
        "sxtab16 r10, r3, r11",
        "sxtab16 r11, r3, r11, ror #8",
        "ldrd r12, lr, [r1], #8",
        "smlabb r4, r10, r12, r4",
        "smlatt r6, r10, r12, r6",
        "smlabb r5, r11, lr, r5",
        "smlatt r7, r11, lr, r7",
        "ldr r11, [r0, r8, lsl #1]",
        "sxtab16 r10, r3, r11",
        "sxtab16 r11, r3, r11, ror #8",
        "ldrd r12, lr, [r1], #8",
        "smlabb r4, r10, r12, r4",
        "smlatt r6, r10, r12, r6",
        "smlabb r5, r11, lr, r5",
        "smlatt r7, r11, lr, r7",
        "add r0, r0, r9",
        "subs r2, r2, #1",
        "bne 3b",
        "b 6f",
        // Any number of taps: they are counted in the upper half of the rows' register.
        "7:",
        "lsls r2, r2, #1",
        "lsrs r2, r2, #1",
        "beq 6f",
        "4:",
        "ldr lr, [sp]",
        "ldr lr, [lr, #40]",
        "orr r2, r2, lr, lsl #16",
        "5:",
        "ldr r11, [r0]",
        "add r0, r0, r8",
        "sxtab16 r10, r3, r11",
        "sxtab16 r11, r3, r11, ror #8",
        "ldrd r12, lr, [r1], #8",
        "smlabb r4, r10, r12, r4",
        "smlatt r6, r10, r12, r6",
        "smlabb r5, r11, lr, r5",
        "smlatt r7, r11, lr, r7",
        "sub r2, r2, #0x10000",
        "lsrs lr, r2, #16",
        "bne 5b",
        "add r0, r0, r9",
        "ldr lr, [sp]",
        "ldr lr, [lr, #40]",
        "add r1, r1, lr, lsr #16",
        "subs r2, r2, #1",
        "bne 4b",
        "6:",
        "ldr lr, [sp]",
        "add r0, lr, #44",
        "ldm r0!, {{r1, r8-r11}}",
        "qadd r4, r4, r4",
        "smmulr r4, r4, r8",
        "add r4, r4, r4, asr #31",
        "asr r4, r4, r9",
        "add r4, r4, r1",
        "ssat r4, #8, r4, asr #1",
        "qadd r5, r5, r5",
        "smmulr r5, r5, r10",
        "add r5, r5, r5, asr #31",
        "asr r5, r5, r11",
        "add r5, r5, r1",
        "ssat r5, #8, r5, asr #1",
        "ldm r0!, {{r8-r11}}",
        "qadd r6, r6, r6",
        "smmulr r6, r6, r8",
        "add r6, r6, r6, asr #31",
        "asr r6, r6, r9",
        "add r6, r6, r1",
        "ssat r6, #8, r6, asr #1",
        "qadd r7, r7, r7",
        "smmulr r7, r7, r10",
        "add r7, r7, r7, asr #31",
        "asr r7, r7, r11",
        "add r7, r7, r1",
        "ssat r7, #8, r7, asr #1",
        // Output, one pixel, one window, the end.
        "ldm r0, {{r0, r1, r2, r3}}",
        "strb r4, [r0]",
        "strb r5, [r0, #1]",
        "strb r6, [r0, #2]",
        "strb r7, [r0, #3]",
        "add r0, r0, r1",
        "str r0, [lr, #80]",
        "ldr r1, [lr]",
        "add r1, r1, r2",
        "str r1, [lr]",
        "cmp r0, r3",
        "bne 2b",
        "pop {{r0, r4-r11, pc}}",
    )
}
