//! The windows of two pixels, widened, and their way through the filters.

use core::arch::naked_asm;

use ember_core::view;

use super::pairs::{Work, pairs, sums};
use super::{Scaling, offsets};
use crate::arithmetic::{Arithmetic, Int8};
use crate::conv_2d::geometry::{Column, Window};
use crate::conv_2d::{Conv2d, Geometry};
use crate::rows;

/// The windows of two pixels, and every filter.
pub(super) struct Patches<'a> {
    pub(super) geometry: Geometry<'a>,
    filter: &'a [i8],
    scaling: Scaling<'a>,
    /// In fours: elements 0 and 2 of the first window, 1 and 3, the same of the second; each in half a word, with the
    /// input's offset.
    lanes: &'a mut [u32],
    /// One window as it is in the input, filled up to a whole four with what stands for zero.
    bytes: &'a mut [i8],
    zero: i8,
    offsets: u32,
    kinds: Kinds,
}

impl<'a> Patches<'a> {
    pub(super) fn new(
        shape: &'a Conv2d,
        arithmetic: &'a Int8<'_>,
        filter: &'a [i8],
        scratch: &'a mut [u32],
    ) -> Option<Self> {
        let geometry = Geometry::new(shape);
        let fours = geometry.filter.div_ceil(4);
        let (lanes, bytes) = scratch.split_at_mut_checked(fours.wrapping_mul(4))?;
        let bytes = view::from_bytes_mut(view::as_bytes_mut(bytes.get_mut(..fours)?))?;
        let zero = arithmetic.input_zero_point as i8;
        let scaling = Scaling::new(arithmetic)?;
        rows::fill(bytes, zero);
        // Filters come in pairs and weights in fours.
        if shape.output_channels < 2 || geometry.filter < 4 {
            return None;
        }
        Some(Self {
            geometry,
            filter,
            scaling,
            kinds: Kinds::new(
                &scaling,
                shape.output_channels as usize,
                geometry.filter,
                filter,
            )?,
            lanes,
            bytes,
            zero,
            offsets: offsets(arithmetic),
        })
    }

    /// Makes this window the first or the second.
    #[inline(always)]
    pub(super) fn gather(&mut self, image: &[i8], second: bool, window: &Window, in_fours: bool) {
        if in_fours {
            if window.is_partial() {
                for [even, odd, second_even, second_odd] in self.lanes.as_chunks_mut().0 {
                    let (even, odd) = if second {
                        (second_even, second_odd)
                    } else {
                        (even, odd)
                    };
                    (*even, *odd) = (0, 0);
                }
            }
            window.for_each_column(|column| self.widen_column(image, second, &column));
        } else {
            if window.is_partial() {
                rows::fill(self.bytes, self.zero);
            }
            window.for_each_column(|column| self.copy(image, &column));
            let bytes = core::mem::take(&mut self.bytes);
            self.widen(bytes, second, 0);
            self.bytes = bytes;
        }
    }

    /// Widens what this column has of the image, of whole fours.
    #[inline(always)]
    fn widen_column(&mut self, image: &[i8], second: bool, column: &Column) {
        let Column {
            from,
            to,
            rows,
            len,
            row_from,
            row_to,
        } = *column;
        let fours = len / 4;
        if rows == 0 || fours == 0 {
            return;
        }
        let reach = column.reach(row_to).wrapping_sub(2);
        let lane = to.wrapping_add(if second { 2 } else { 0 });
        if let (Some(run), Some(lane)) = (
            image.get(from..from.wrapping_add(column.reach(row_from))),
            self.lanes.get_mut(lane..lane.wrapping_add(reach)),
        ) {
            let steps = Steps {
                rows,
                from: row_from.wrapping_sub(len),
                // In bytes: each element has a word.
                to: row_to.wrapping_sub(len).wrapping_mul(4),
                offsets: self.offsets,
            };
            // SAFETY: the image has a run of `fours` in each of the rows, of which there is one at least. The lanes have two
            // words of every four for them.
            unsafe { widen_rows(run.as_ptr(), lane.as_mut_ptr(), fours, &steps) };
        }
    }

    /// Copies what this column has of the image.
    #[inline(always)]
    fn copy(&mut self, image: &[i8], column: &Column) {
        let Column {
            from,
            to,
            rows,
            len,
            row_from,
            row_to,
        } = *column;
        if rows == 0 || len == 0 {
            return;
        }
        let (reach, reach_to) = (column.reach(row_from), column.reach(row_to));
        if let (Some(run), Some(place)) = (
            image.get(from..from.wrapping_add(reach)),
            self.bytes.get_mut(to..to.wrapping_add(reach_to)),
        ) {
            let steps = Steps {
                rows,
                from: row_from.wrapping_sub(len),
                to: row_to.wrapping_sub(len),
                offsets: self.offsets,
            };
            // SAFETY: both have a run of `len` bytes in each of the rows, of which there is one at least.
            unsafe { copy(run.as_ptr(), place.as_mut_ptr(), len, &steps) };
        }
    }

    /// Widens fours of bytes to be elements of the first or the second window, from `to` on.
    #[inline(always)]
    pub(super) fn widen(&mut self, bytes: &[i8], second: bool, to: usize) {
        let lane = self
            .lanes
            .get_mut(to.wrapping_add(if second { 2 } else { 0 })..);
        let lane = lane.unwrap_or(&mut []);
        let fours = bytes.len() / 4;
        if fours > 0 && lane.len() >= fours.wrapping_mul(4).wrapping_sub(2) {
            // SAFETY: there are as many fours of bytes, and two words of every four of the lane but the last two.
            unsafe { widen(bytes.as_ptr(), lane.as_mut_ptr(), fours, self.offsets) };
        }
    }

    /// Widens both windows, which are one after the other, of whole fours.
    #[inline(always)]
    pub(super) fn widen_both(&mut self, bytes: &[i8]) {
        let size = bytes.len() / 2;
        let fours = size / 4;
        if fours > 0 && self.lanes.len() >= fours.wrapping_mul(4) {
            let first = bytes.as_ptr();
            let second = first.wrapping_add(size);
            // SAFETY: there are as many fours of bytes at both, and of words in the lanes.
            unsafe { widen_both(first, second, self.lanes.as_mut_ptr(), fours, self.offsets) };
        }
    }

    /// Makes the second window the same as the first.
    pub(super) fn double(&mut self) {
        for [even, odd, second_even, second_odd] in self.lanes.as_chunks_mut().0 {
            (*second_even, *second_odd) = (*even, *odd);
        }
    }

    /// Every output of both pixels, or of the only one, whose window then is both.
    #[inline(never)]
    pub(super) fn meet(&mut self, first: &mut [i8], second: Option<&mut [i8]>) {
        if second.is_none() {
            self.double();
        }
        let channels = self.kinds.channels;
        let first = first.as_mut_ptr();
        let second = second.map_or(first, |second| second.as_mut_ptr());
        if !self.kinds.are_plain {
            return self.meet_one_by_one(first, second);
        }
        self.pairs(first, second, 0, channels & !1);
        if !channels.is_multiple_of(2) {
            self.pairs(first, second, channels.wrapping_sub(2), 2);
        }
    }

    /// The outputs of so many filters, in pairs, which all are plain.
    #[inline(always)]
    fn pairs(&mut self, first: *mut i8, second: *mut i8, from: usize, filters: usize) {
        let arithmetic = self.scaling.arithmetic;
        if let Some(bias) = arithmetic.bias {
            let mut work = self.work(first, second, from, filters);
            work.bias = bias.as_ptr().wrapping_add(from);
            work.multipliers = arithmetic.multipliers.as_ptr().wrapping_add(from);
            // SAFETY: there are as many biases, multipliers, filters and places for outputs as there are channels, of which
            // these are some: a pair at least. Each filter has four weights at least. The windows are as long as filters
            // are, filled up to a whole four.
            unsafe { pairs(&mut work) };
        }
    }

    /// [`Self::meet`] where not every pair is done in the same way.
    #[inline(never)]
    fn meet_one_by_one(&mut self, first: *mut i8, second: *mut i8) {
        for pair in 0..self.kinds.channels.div_ceil(2) {
            if self.kinds.constant.has(pair) {
                continue;
            }
            let from = self.kinds.first_of(pair);
            let (bias, multipliers) = self.scaling.of::<2>(from);
            let mut work = self.work(first, second, from, 2);
            work.bias = bias.as_ptr();
            work.multipliers = multipliers.as_ptr();
            if !self.kinds.other.has(pair) {
                // SAFETY: as in `pairs`, with biases and multipliers of one pair.
                unsafe { pairs(&mut work) };
                continue;
            }
            let mut found = [0; 4];
            // SAFETY: the same.
            unsafe { sums(&work, &mut found) };
            // The first filter's for both pixels, then the second's.
            let pixels = [first, second, first, second];
            for ((sum, pixel), place) in found.into_iter().zip(pixels).zip(0usize..) {
                let channel = from.wrapping_add(place / 2);
                let value = self.by_definition(channel, sum);
                // SAFETY: both pixels have a place for each channel.
                unsafe { pixel.add(channel).write(value) };
            }
        }
    }

    /// An output of a channel.
    #[inline(never)]
    fn by_definition(&self, channel: usize, sum: i32) -> i8 {
        self.scaling.arithmetic.finish(channel, sum)
    }

    /// What to do for these filters; biases and multipliers are missing.
    #[inline(always)]
    fn work(&self, first: *mut i8, second: *mut i8, from: usize, filters: usize) -> Work {
        let size = self.geometry.filter;
        let rest = size % 4;
        let first = first.wrapping_add(from);
        Work {
            windows: self.lanes.as_ptr(),
            weights: self.filter.as_ptr().wrapping_add(from.wrapping_mul(size)),
            size,
            fours: size / 4,
            excess: if rest == 0 {
                0
            } else {
                32usize.wrapping_sub(rest.wrapping_mul(8))
            },
            multipliers: core::ptr::null(),
            bias: core::ptr::null(),
            end: first.wrapping_add(filters),
            first,
            second: second.wrapping_add(from),
            twice_zero: self.scaling.twice_zero,
        }
    }

    /// The outputs of filters whose weights are all zero: the same for every pixel.
    pub(super) fn fill_constants(&self, output: &mut [i8]) {
        if !self.kinds.has_constants {
            return;
        }
        let arithmetic = self.scaling.arithmetic;
        let channels = self.kinds.channels;
        for channel in 0..channels {
            let kind = Kind::of(&self.scaling, channel, self.geometry.filter, self.filter);
            if matches!(kind, Kind::Constant) {
                let value = self.by_definition(channel, arithmetic.start(channel));
                for pixel in rows::of_mut(output, channels) {
                    if let Some(out) = pixel.get_mut(channel) {
                        *out = value;
                    }
                }
            }
        }
    }
}

/// What becomes of a filter's sums.
enum Kind {
    /// The loops scale them.
    Plain,
    /// There are none: the weights are zero.
    Constant,
    /// They are scaled by definition.
    Other,
}

impl Kind {
    /// Of a channel's. Training leaves filters of zeros, whose scale is as good as nothing and whose bias in it is huge: only
    /// where a factor is that small, or not ordinary at all, the weights are looked at.
    #[inline(always)]
    fn of(scaling: &Scaling<'_>, channel: usize, size: usize, filter: &[i8]) -> Self {
        let ([bias], [multiplier]) = scaling.of(channel);
        if multiplier.multiplier != 0 && Scaling::suits(i32::MAX, multiplier, size) {
            return Self::Plain;
        }
        let from = channel.wrapping_mul(size);
        let weights = filter.get(from..from.wrapping_add(size));
        if weights.is_some_and(|weights| weights.iter().all(|weight| *weight == 0)) {
            Self::Constant
        } else if Scaling::suits(bias, multiplier, size) {
            Self::Plain
        } else {
            Self::Other
        }
    }
}

/// What becomes of every pair of filters.
struct Kinds {
    channels: usize,
    /// The loops can do every pair, one after the other.
    are_plain: bool,
    has_constants: bool,
    /// The pairs of two constants.
    constant: Pairs,
    /// Those with a filter of the other kind.
    other: Pairs,
}

impl Kinds {
    /// `None` where one of the other kind is too far behind to be marked.
    #[inline(never)]
    fn new(scaling: &Scaling<'_>, channels: usize, size: usize, filter: &[i8]) -> Option<Self> {
        let arithmetic = scaling.arithmetic;
        let mut kinds = Self {
            channels,
            are_plain: arithmetic.multipliers.len() == channels && arithmetic.bias.is_some(),
            has_constants: false,
            constant: Pairs([0; _]),
            other: Pairs([0; _]),
        };
        let mut before = false;
        for channel in 0..channels {
            let kind = Kind::of(scaling, channel, size, filter);
            if matches!(kind, Kind::Plain) {
                before = false;
                continue;
            }
            kinds.are_plain = false;
            let pair = channel / 2;
            let is_constant = matches!(kind, Kind::Constant);
            let is_last = channel.wrapping_add(1) == channels;
            if !is_constant {
                kinds.other.add(pair)?;
                // The last of an odd number is in a pair with the one before, which is done twice then.
                if channels % 2 == 1 && channel.wrapping_add(2) == channels {
                    kinds.other.add(pair.wrapping_add(1))?;
                }
            } else if before && (channel % 2 == 1 || is_last) {
                // One too many is computed in vain.
                let _ = kinds.constant.add(pair);
            }
            before = is_constant;
            kinds.has_constants |= is_constant;
        }
        Some(kinds)
    }

    /// The first filter of a pair; the last pair of an odd number is the last two.
    fn first_of(&self, pair: usize) -> usize {
        usize::min(pair.wrapping_mul(2), self.channels.wrapping_sub(2))
    }
}

/// Some of the pairs of filters, the first 256 of them at most.
struct Pairs([u32; 8]);

impl Pairs {
    /// `None` where there is no bit for it.
    fn add(&mut self, pair: usize) -> Option<()> {
        *self.0.get_mut(pair / 32)? |= 1 << (pair % 32);
        Some(())
    }

    #[inline(always)]
    fn has(&self, pair: usize) -> bool {
        let word = self.0.get(pair / 32).copied().unwrap_or(0);
        word >> (pair % 32) & 1 != 0
    }
}

/// Rows, and bytes from the end of one to the beginning of the next.
#[repr(C)]
struct Steps {
    rows: usize,
    from: usize,
    to: usize,
    /// For [`widen_rows`].
    offsets: u32,
}

/// [`widen`] for rows: 6 instructions for each four, and 5 for a row.
///
/// # Safety
/// There are `count` fours at both in each row; neither is 0.
#[unsafe(naked)]
unsafe extern "C" fn widen_rows(bytes: *const i8, lane: *mut u32, count: usize, steps: &Steps) {
    naked_asm!(
        assembler!(),
        "push {{r4-r8, lr}}",
        "ldm r3, {{r3, r4, r5, r12}}",
        "2:",
        "mov r6, r2",
        "3:",
        "ldr r7, [r0], #4",
        "sxtab16 r8, r12, r7",
        "sxtab16 r7, r12, r7, ror #8",
        "strd r8, r7, [r1], #16",
        "subs r6, r6, #1",
        "bne 3b",
        "add r0, r0, r4",
        "add r1, r1, r5",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r8, pc}}",
    )
}

/// Copies rows of bytes: 4 instructions for each four, and for each that is left, and 8 for a row.
///
/// # Safety
/// There are `len` bytes at both in each row; neither is 0.
#[unsafe(naked)]
unsafe extern "C" fn copy(from: *const i8, to: *mut i8, len: usize, steps: &Steps) {
    naked_asm!(
        assembler!(),
        "push {{r4-r7, lr}}",
        "ldm r3, {{r3, r4, r5}}",
        "2:",
        "subs r6, r2, #4",
        "blo 4f",
        "3:",
        "ldr r7, [r0], #4",
        "str r7, [r1], #4",
        "subs r6, r6, #4",
        "bhs 3b",
        "4:",
        "adds r6, r6, #4",
        "beq 6f",
        "5:",
        "ldrb r7, [r0], #1",
        "strb r7, [r1], #1",
        "subs r6, r6, #1",
        "bne 5b",
        "6:",
        "add r0, r0, r4",
        "add r1, r1, r5",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}

/// Widens fours of bytes into the first two words of every four from `lane` on: 6 instructions for each.
///
/// # Safety
/// There are `count` fours at both; `count` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn widen(bytes: *const i8, lane: *mut u32, count: usize, offsets: u32) {
    naked_asm!(
        assembler!(),
        "push {{r4, lr}}",
        "2:",
        "ldr r12, [r0], #4",
        "sxtab16 r4, r3, r12",
        "sxtab16 r12, r3, r12, ror #8",
        "strd r4, r12, [r1], #16",
        "subs r2, r2, #1",
        "bne 2b",
        "pop {{r4, pc}}",
    )
}

/// Widens fours of bytes of two windows into fours of words: 9 instructions for each.
///
/// # Safety
/// There are `count` fours at all three; `count` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn widen_both(
    first: *const i8,
    second: *const i8,
    lanes: *mut u32,
    count: usize,
    offsets: u32,
) {
    naked_asm!(
        assembler!(),
        "push {{r4-r7, lr}}",
        // Behind the five registers.
        "ldr r12, [sp, #20]",
        "2:",
        "ldr r4, [r0], #4",
        "ldr r6, [r1], #4",
        "sxtab16 r5, r12, r4, ror #8",
        "sxtab16 r4, r12, r4",
        "sxtab16 r7, r12, r6, ror #8",
        "sxtab16 r6, r12, r6",
        "stm r2!, {{r4-r7}}",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r7, pc}}",
    )
}
