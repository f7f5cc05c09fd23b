//! Depthwise convolutions: eight channels at a time over the whole image. One channel with several filters is an ordinary
//! convolution whose filter is stored the other way round.

use core::arch::naked_asm;

use ember_core::view;

use super::{channel, conv_2d, scale, suits};
use crate::arithmetic::Int8;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::rows;
use crate::window::{Axis, Span};

/// Channels that are computed at once.
const LANES: usize = 8;

/// False where there are fewer than eight channels, or several and several filters each.
pub(crate) fn depthwise_conv_2d_i8(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let channels = shape.channels as usize;
    if channels == 1 {
        return turned(shape, arithmetic, input, filter, scratch, output);
    }
    if shape.multiplier != 1 || channels < LANES || !suits(arithmetic) {
        return false;
    }
    let DepthwiseConv2d { rows, columns, .. } = shape;
    let row = (columns.input as usize).wrapping_mul(channels);
    let out_row = (columns.output as usize).wrapping_mul(channels);
    let mut first = 0;
    while first < channels {
        // Some of the last eight may have been in the eight before.
        first = usize::min(first, channels.wrapping_sub(LANES));
        let filter = filter.get(first..).unwrap_or(&[]);
        let mut work = Work::new(shape, arithmetic, first, filter);
        let images = rows::of(input, row.wrapping_mul(rows.input as usize));
        let out_images = rows::of_mut(output, out_row.wrapping_mul(rows.output as usize));
        for (image, out) in images.zip(out_images) {
            each_kind(rows, |out_y, count_y, y| {
                each_kind(columns, |out_x, count_x, x| {
                    work.take_taps(shape, arithmetic, first, filter, (y, x));
                    let from = (y.position as usize)
                        .wrapping_mul(row)
                        .wrapping_add((x.position as usize).wrapping_mul(channels))
                        .wrapping_add(first);
                    let to = (out_y as usize)
                        .wrapping_mul(out_row)
                        .wrapping_add((out_x as usize).wrapping_mul(channels))
                        .wrapping_add(first);
                    for line in 0..count_y as usize {
                        let down = line.wrapping_mul(rows.stride as usize).wrapping_mul(row);
                        work.input = image.as_ptr().wrapping_add(from).wrapping_add(down);
                        let down = line.wrapping_mul(out_row);
                        work.output = out.as_mut_ptr().wrapping_add(to).wrapping_add(down);
                        let len = (count_x as usize).wrapping_mul(channels);
                        work.end = work.output.wrapping_add(len);
                        // SAFETY: every tap of a span lies in the image, whose length was checked, and its weights in the
                        // filter. The output has as many rows of pixels, of which eight channels of one after the other are
                        // written.
                        unsafe { pixels(&mut work) };
                    }
                });
            });
        }
        first = first.wrapping_add(LANES);
    }
    true
}

/// One channel with several filters.
fn turned(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let taps = shape.rows.filter.wrapping_mul(shape.columns.filter) as usize;
    let filters = shape.multiplier as usize;
    let words = taps.wrapping_mul(filters).div_ceil(4);
    let Some((turned, scratch)) = scratch.split_at_mut_checked(words) else {
        return false;
    };
    let Some(turned) = view::from_bytes_mut::<i8>(view::as_bytes_mut(turned))
        .and_then(|bytes| bytes.get_mut(..taps.wrapping_mul(filters)))
    else {
        return false;
    };
    for (filter_number, turned) in (0..filters).zip(rows::of_mut(turned, taps)) {
        for (out, pixel) in turned.iter_mut().zip(rows::of(filter, filters)) {
            *out = pixel.get(filter_number).copied().unwrap_or(0);
        }
    }
    let shape = shape.as_conv_2d();
    conv_2d::conv_2d_i8(&shape, arithmetic, input, turned, scratch, output)
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

/// What [`pixels`] works on, and how far it is. Steps are in bytes. Of the eight channels the even ones come first, then the odd
/// ones.
#[repr(C)]
struct Work {
    input: *const i8,
    weights: *const i8,
    rows: usize,
    /// Pairs of a row of taps, and what is left of it: all of them where a pair of products may leave 16 bits.
    pairs: usize,
    singles: usize,
    /// From one tap to the next, in the input and in the filter.
    right: usize,
    channels: usize,
    /// From the end of a row of taps to the next one's beginning.
    skip: usize,
    weights_skip: usize,
    zero: i32,
    output: *mut i8,
    /// Where the outputs end.
    end: *const i8,
    /// From one window to the next.
    stride: usize,
    min: i32,
    max: i32,
    starts: [[i32; 4]; 2],
    multipliers: [[i32; 4]; 2],
    shifts: [[i32; 4]; 2],
    /// No product of a pair is so large that the sum of both leaves 16 bits.
    is_pairable: bool,
}

impl Work {
    /// For eight channels from `first` on; `filter` is from there, too.
    fn new(shape: &DepthwiseConv2d, arithmetic: &Int8<'_>, first: usize, filter: &[i8]) -> Self {
        let channels = shape.channels as usize;
        let (mut multipliers, mut shifts) = ([0; LANES], [0; LANES]);
        for ((multiplier, shift), number) in multipliers.iter_mut().zip(&mut shifts).zip(first..) {
            let (_, factor) = channel(arithmetic, number);
            (*multiplier, *shift) = (factor.multiplier, factor.shift);
        }
        let mut least = i8::MAX;
        let mut rest = filter;
        while let Some(weights) = rest.first_chunk::<LANES>() {
            least = weights.iter().fold(least, |least, w| least.min(*w));
            rest = rest.get(channels..).unwrap_or(&[]);
        }
        let right = shape.channels.wrapping_mul(shape.columns.dilation);
        Self {
            input: core::ptr::null(),
            weights: core::ptr::null(),
            rows: 0,
            pairs: 0,
            singles: 0,
            right: right as usize,
            channels,
            skip: 0,
            weights_skip: 0,
            zero: arithmetic.output_zero_point,
            output: core::ptr::null_mut(),
            end: core::ptr::null(),
            stride: channels.wrapping_mul(shape.columns.stride as usize),
            min: arithmetic.range.min,
            max: arithmetic.range.max,
            starts: [[0; 4]; 2],
            multipliers: evens_and_odds(multipliers),
            shifts: evens_and_odds(shifts),
            is_pairable: least > i8::MIN,
        }
    }

    /// Takes the taps of a kind of windows: where they are, and what their sums start with.
    #[inline(never)]
    fn take_taps(
        &mut self,
        shape: &DepthwiseConv2d,
        arithmetic: &Int8<'_>,
        first: usize,
        filter: &[i8],
        (y, x): (Span, Span),
    ) {
        let DepthwiseConv2d { rows, columns, .. } = shape;
        let taps = x.taps as usize;
        let tap = y.tap.wrapping_mul(columns.filter).wrapping_add(x.tap) as usize;
        let row = (columns.input as usize).wrapping_mul(self.channels);
        self.weights = filter
            .as_ptr()
            .wrapping_add(tap.wrapping_mul(self.channels));
        self.rows = if taps == 0 { 0 } else { y.taps as usize };
        self.pairs = if self.is_pairable { taps / 2 } else { 0 };
        self.singles = taps.wrapping_sub(self.pairs.wrapping_mul(2));
        self.skip = row
            .wrapping_mul(rows.dilation as usize)
            .wrapping_sub(taps.wrapping_mul(self.right));
        self.weights_skip = (columns.filter as usize)
            .wrapping_sub(taps)
            .wrapping_mul(self.channels);
        let bias = arithmetic
            .bias
            .and_then(|bias| bias.get(first..)?.first_chunk());
        self.starts = evens_and_odds(bias.copied().unwrap_or([0; LANES]));
        // SAFETY: the weights of the taps are in the filter, whose length was checked, eight of each.
        unsafe { take_zeros(self, arithmetic.input_zero_point) };
    }
}

/// What lies in two vectors after a widening of the lower and of the upper halves of four words.
const fn evens_and_odds([a, b, c, d, e, f, g, h]: [i32; LANES]) -> [[i32; 4]; 2] {
    [[a, c, e, g], [b, d, f, h]]
}

/// Neighbouring outputs of eight channels: 16 instructions for two taps, 10 for one that is left, 6 for a row of taps and 36 for
/// the outputs.
///
/// # Safety
/// The pointers are to as much as the numbers say; there is an output.
#[unsafe(naked)]
unsafe extern "C" fn pixels(work: &mut Work) {
    naked_asm!(
        assembler!(),
        "push {{r4-r11, lr}}",
        "sub sp, sp, #4",
        "vpush {{d8-d15}}",
        "ldrd r8, r9, [r0, #12]",
        "ldrd r2, r3, [r0, #20]",
        "ldrd r6, r7, [r0, #28]",
        "ldrd r4, r5, [r0, #52]",
        "vdup.16 q6, r4",
        "vdup.16 q7, r5",
        "2:",
        "vldrw.u32 q4, [r0, #60]",
        "vldrw.u32 q5, [r0, #76]",
        // Input, weights, rows.
        "ldr r1, [r0]",
        "ldrd r4, r12, [r0, #4]",
        "cmp r12, #0",
        "beq 8f",
        "3:",
        "wls lr, r8, 5f",
        "4:",
        "vldrb.s16 q0, [r1]",
        "add r1, r1, r2",
        "vldrb.s16 q1, [r4]",
        "add r4, r4, r3",
        "vmul.i16 q0, q0, q1",
        "vldrb.s16 q2, [r1]",
        "add r1, r1, r2",
        "vldrb.s16 q3, [r4]",
        "add r4, r4, r3",
        "vmul.i16 q2, q2, q3",
        "vadd.i16 q0, q0, q2",
        "vmovlb.s16 q1, q0",
        "vadd.i32 q4, q4, q1",
        "vmovlt.s16 q1, q0",
        "vadd.i32 q5, q5, q1",
        "le lr, 4b",
        "5:",
        "wls lr, r9, 7f",
        "6:",
        "vldrb.s16 q0, [r1]",
        "add r1, r1, r2",
        "vldrb.s16 q1, [r4]",
        "add r4, r4, r3",
        "vmul.i16 q0, q0, q1",
        "vmovlb.s16 q1, q0",
        "vadd.i32 q4, q4, q1",
        "vmovlt.s16 q1, q0",
        "vadd.i32 q5, q5, q1",
        "le lr, 6b",
        "7:",
        "add r1, r1, r6",
        "add r4, r4, r7",
        "subs r12, r12, #1",
        "bne 3b",
        "8:",
        "ldr r5, [r0, #36]",
        "vldrw.u32 q1, [r0, #92]",
        "vldrw.u32 q2, [r0, #124]",
        scale!("q4", "q1", "q2"),
        "vadd.i32 q4, q4, r5",
        "vldrw.u32 q1, [r0, #108]",
        "vldrw.u32 q2, [r0, #140]",
        scale!("q5", "q1", "q2"),
        "vadd.i32 q5, q5, r5",
        "vqmovnb.s32 q0, q4",
        "vqmovnt.s32 q0, q5",
        "vmin.s16 q0, q0, q7",
        "vmax.s16 q0, q0, q6",
        // Output, its end.
        "ldrd r1, r4, [r0, #40]",
        "vstrb.16 q0, [r1]",
        "add r1, r1, r3",
        "str r1, [r0, #40]",
        "ldr r10, [r0]",
        "ldr r11, [r0, #48]",
        "add r10, r10, r11",
        "str r10, [r0]",
        "cmp r1, r4",
        "bne 2b",
        "vpop {{d8-d15}}",
        "add sp, sp, #4",
        "pop {{r4-r11, pc}}",
    )
}

/// Takes `zero` times the sum of the taps' weights off what the sums start with: 7 instructions for a tap, 4 for a row of them.
///
/// # Safety
/// There are weights for as many taps as the numbers say, and taps where there are rows.
#[unsafe(naked)]
unsafe extern "C" fn take_zeros(work: &mut Work, zero: i32) {
    naked_asm!(
        assembler!(),
        "push {{r4-r7, lr}}",
        "ldrd r2, r3, [r0, #4]",
        "ldrd r4, r5, [r0, #12]",
        "add r4, r5, r4, lsl #1",
        "ldr r6, [r0, #24]",
        "ldr r7, [r0, #32]",
        "vmov.i32 q2, #0",
        "vmov.i32 q3, #0",
        "cbz r3, 4f",
        "2:",
        "dls lr, r4",
        "3:",
        "vldrb.s16 q0, [r2]",
        "add r2, r2, r6",
        "vmovlb.s16 q1, q0",
        "vadd.i32 q2, q2, q1",
        "vmovlt.s16 q1, q0",
        "vadd.i32 q3, q3, q1",
        "le lr, 3b",
        "add r2, r2, r7",
        "subs r3, r3, #1",
        "bne 2b",
        "4:",
        "vmul.i32 q2, q2, r1",
        "vmul.i32 q3, q3, r1",
        "vldrw.u32 q0, [r0, #60]",
        "vsub.i32 q0, q0, q2",
        "vstrw.32 q0, [r0, #60]",
        "vldrw.u32 q0, [r0, #76]",
        "vsub.i32 q0, q0, q3",
        "vstrw.32 q0, [r0, #76]",
        "pop {{r4-r7, pc}}",
    )
}
