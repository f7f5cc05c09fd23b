//! Rows of input with four filters at a time, to the outputs: what convolutions and dense layers are made of.

use core::arch::naked_asm;

use ember_core::QuantizedMultiplier;

use super::{channel, scale};
use crate::arithmetic::Int8;

/// Some of an operator's filters, as many as are a multiple of four.
pub(super) struct Quads<'a> {
    work: Work,
    /// Elements of a filter.
    size: usize,
    /// Outputs of a pixel that are not of these filters.
    others: usize,
    channels: core::ops::Range<usize>,
    /// What the pointers of `work` are to.
    _borrowed: core::marker::PhantomData<(&'a [i8], &'a [i32])>,
}

impl<'a> Quads<'a> {
    /// The filters of a multiple of four of `channels` from the first on, of `size` elements each: as many as `starts` has
    /// room for. Where fewer than four are left the last four, some of which may have been among those before.
    ///
    /// `None` where there is room for fewer than four, or there are not so many filters.
    pub(super) fn new(
        arithmetic: &'a Int8<'_>,
        filter: &'a [i8],
        (size, channels): (usize, usize),
        first: usize,
        starts: &'a mut [i32],
    ) -> Option<Self> {
        let first = usize::min(first, channels.checked_sub(4)?);
        let count = usize::min(starts.len(), channels.wrapping_sub(first)) & !3;
        let starts = starts.get_mut(..count)?;
        let weights = filter.get(first.wrapping_mul(size)..)?;
        let multipliers = match arithmetic.multipliers {
            one @ [_] => one,
            each => each
                .get(first..)
                .filter(|multipliers| multipliers.len() >= count)?,
        };
        if count == 0 || size == 0 || weights.len() < count.wrapping_mul(size) {
            return None;
        }
        for (start, number) in starts.iter_mut().zip(first..) {
            (*start, _) = channel(arithmetic, number);
        }
        let zero = arithmetic.input_zero_point;
        // SAFETY: there are `count` filters of `size` elements, and starts; neither is 0.
        unsafe { take_zeros(weights.as_ptr(), size, starts.as_mut_ptr(), count, zero) };
        let is_one = arithmetic.multipliers.len() == 1;
        let lanes = |from: u32| {
            if is_one {
                [from; 4]
            } else {
                [from, from + 8, from + 16, from + 24]
            }
        };
        Some(Self {
            work: Work {
                x: core::ptr::null(),
                x_step: size,
                size,
                pixels: 0,
                weights: weights.as_ptr(),
                starts: starts.as_ptr(),
                multipliers: multipliers.as_ptr(),
                multiplier_step: if is_one { 0 } else { 32 },
                zero: arithmetic.output_zero_point,
                count,
                out: core::ptr::null_mut(),
                end: core::ptr::null(),
                out_step: channels.wrapping_sub(count),
                min: arithmetic.range.min,
                max: arithmetic.range.max,
                multiplier_lanes: lanes(0),
                shift_lanes: lanes(4),
            },
            size,
            others: channels.wrapping_sub(count),
            channels: first..first.wrapping_add(count),
            _borrowed: core::marker::PhantomData,
        })
    }

    /// The channels that these filters are for.
    pub(super) fn channels(&self) -> core::ops::Range<usize> {
        self.channels.clone()
    }

    /// The outputs of pixels whose windows are one after the other in `x`. `out` has the outputs of all channels for each.
    #[inline(always)]
    pub(super) fn run(&mut self, x: &[i8], pixels: usize, out: &mut [i8]) {
        let each = self.channels.len().wrapping_add(self.others);
        if pixels == 0
            || x.len() < pixels.wrapping_mul(self.size)
            || out.len() < pixels.wrapping_mul(each)
        {
            return;
        }
        let work = &mut self.work;
        work.x = x.as_ptr();
        work.pixels = pixels;
        work.out = out.as_mut_ptr().wrapping_add(self.channels.start);
        work.end = work.out.wrapping_add(work.count);
        // SAFETY: `new` saw that there are filters, starts and multipliers of so many channels, which are borrowed. There
        // are as many windows and outputs as pixels, of which there is one at least.
        unsafe { quads(work) };
    }
}

/// What [`quads`] works on. Steps are in bytes.
#[repr(C)]
struct Work {
    x: *const i8,
    x_step: usize,
    /// Elements of a filter.
    size: usize,
    pixels: usize,
    weights: *const i8,
    starts: *const i32,
    multipliers: *const QuantizedMultiplier,
    /// From the multipliers of four channels to the next.
    multiplier_step: usize,
    zero: i32,
    /// Outputs of a pixel.
    count: usize,
    out: *mut i8,
    /// Where the pixel's outputs end.
    end: *const i8,
    /// From there to the next pixel's.
    out_step: usize,
    min: i32,
    max: i32,
    /// Where four channels' multipliers and shifts are.
    multiplier_lanes: [u32; 4],
    shift_lanes: [u32; 4],
}

/// 10 instructions for 64 products, 28 for four outputs, and 17 for a pixel.
///
/// # Safety
/// The pointers are to as much as the numbers say; `size`, `pixels` and `count` are not 0, and `count` is a multiple of four.
#[unsafe(naked)]
unsafe extern "C" fn quads(work: &mut Work) {
    naked_asm!(
        assembler!(),
        "push {{r0, r4-r11, lr}}",
        "vpush {{d8-d15}}",
        "vldrw.u32 q4, [r0, #60]",
        "vldrw.u32 q7, [r0, #76]",
        "ldrd r4, r5, [r0, #52]",
        "vdup.32 q5, r4",
        "vdup.32 q6, r5",
        "ldr r2, [r0, #8]",
        "2:",
        "ldr r9, [r0, #16]",
        "ldrd r11, r12, [r0, #20]",
        "3:",
        "ldr r0, [r0]",
        "ldm r11!, {{r4, r6, r8, r10}}",
        "mov r1, r9",
        "add r3, r9, r2",
        "add r5, r9, r2, lsl #1",
        "add r7, r3, r2, lsl #1",
        "add r9, r9, r2, lsl #2",
        "dlstp.8 lr, r2",
        "4:",
        "vldrb.u8 q0, [r0], #16",
        "vldrb.u8 q1, [r1], #16",
        "vmladava.s8 r4, q0, q1",
        "vldrb.u8 q2, [r3], #16",
        "vmladava.s8 r6, q0, q2",
        "vldrb.u8 q1, [r5], #16",
        "vmladava.s8 r8, q0, q1",
        "vldrb.u8 q2, [r7], #16",
        "vmladava.s8 r10, q0, q2",
        "letp lr, 4b",
        // Behind the eight registers.
        "ldr r0, [sp, #64]",
        "vmov q0[2], q0[0], r4, r8",
        "vmov q0[3], q0[1], r6, r10",
        "vldrw.u32 q1, [r12, q4]",
        "vldrw.u32 q2, [r12, q7]",
        "ldrd r1, r3, [r0, #28]",
        "add r12, r12, r1",
        scale!("q0", "q1", "q2"),
        "vadd.i32 q0, q0, r3",
        "vmin.s32 q0, q0, q6",
        "vmax.s32 q0, q0, q5",
        "ldrd r1, r3, [r0, #40]",
        "vstrb.32 q0, [r1], #4",
        "str r1, [r0, #40]",
        "cmp r1, r3",
        "bne 3b",
        "ldrd r4, r5, [r0]",
        "add r4, r4, r5",
        "str r4, [r0]",
        "ldr r5, [r0, #48]",
        "add r1, r1, r5",
        "ldr r5, [r0, #36]",
        "add r5, r5, r1",
        "strd r1, r5, [r0, #40]",
        "ldr r4, [r0, #12]",
        "subs r4, r4, #1",
        "str r4, [r0, #12]",
        "bne 2b",
        "vpop {{d8-d15}}",
        "pop {{r0, r4-r11, pc}}",
    )
}

/// Takes `zero` times the sum of each filter off its start: 3 instructions for 16 weights, and 9 for a filter.
///
/// # Safety
/// There are `count` filters of `size` weights each, and as many starts; neither is 0.
#[unsafe(naked)]
unsafe extern "C" fn take_zeros(
    weights: *const i8,
    size: usize,
    starts: *mut i32,
    count: usize,
    zero: i32,
) {
    naked_asm!(
        assembler!(),
        "push {{r4-r7, lr}}",
        "ldr r7, [sp, #20]",
        "2:",
        "movs r4, #0",
        "mov r5, r0",
        "dlstp.8 lr, r1",
        "3:",
        "vldrb.u8 q0, [r5], #16",
        "vaddva.s8 r4, q0",
        "letp lr, 3b",
        "add r0, r0, r1",
        "ldr r6, [r2]",
        "mls r6, r4, r7, r6",
        "str r6, [r2], #4",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}
