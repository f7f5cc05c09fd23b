//! Convolutions of any shape: the windows of two pixels are gathered and widened once, and then meet two filters at a time.

use core::arch::naked_asm;

use ember_core::{QuantizedMultiplier, view};

use super::{Scaling, narrow, offsets, pooled};
use crate::arithmetic::Int8;
use crate::conv_2d::{Conv2d, Geometry};
use crate::max_pool_2d::MaxPool;
use crate::rows;
use crate::window::Span;

/// False where there is no scratch, or filters are too few or too small.
pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let Some(mut patches) = Patches::new(shape, arithmetic, filter, scratch) else {
        return false;
    };
    let channels = shape.output_channels as usize;
    let mut outputs = rows::of_mut(output, channels);
    let pointwise = shape.is_pointwise();
    for image in rows::of(input, patches.geometry.image) {
        let mut pixels = rows::of(image, patches.geometry.pixel);
        // The pixel that waits for its neighbour.
        let mut waiting: Option<&mut [i8]> = None;
        for y in 0..shape.rows.output {
            let y = shape.rows.span(y);
            for x in 0..shape.columns.output {
                let Some(out) = outputs.next() else {
                    break;
                };
                let second = waiting.is_some();
                if pointwise {
                    patches.widen(pixels.next().unwrap_or(&[]), second, 0);
                } else {
                    patches.gather(image, second, y, shape.columns.span(x));
                }
                match waiting.take() {
                    Some(first) => patches.meet(first, Some(out)),
                    None => waiting = Some(out),
                }
            }
        }
        if let Some(out) = waiting {
            patches.double();
            patches.meet(out, None);
        }
    }
    narrow(arithmetic.range, output);
    true
}

/// [`conv_2d_i8`] with the largest of each of a pooling's windows.
pub(crate) fn conv_2d_pooled_i8(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    if pooled::conv_2d_3x3(shape, pool, arithmetic, input, filter, scratch, output) {
        return true;
    }
    let channels = shape.output_channels as usize;
    let Some((pixels, scratch)) = scratch.split_at_mut_checked(channels.div_ceil(2)) else {
        return false;
    };
    let Some(mut patches) = Patches::new(shape, arithmetic, filter, scratch) else {
        return false;
    };
    // Two pixels of outputs, of which the larger ones go to the pooling's.
    let Some((first, second)) = view::from_bytes_mut::<i8>(view::as_bytes_mut(pixels))
        .and_then(|bytes| bytes.split_at_mut_checked(channels))
    else {
        return false;
    };
    let second = second.get_mut(..channels).unwrap_or(&mut []);
    let pooling = &pool.shape;
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, patches.geometry.image) {
        for pool_y in 0..pooling.rows.output {
            let window_y = pooling.rows.span(pool_y);
            for pool_x in 0..pooling.columns.output {
                let window_x = pooling.columns.span(pool_x);
                let Some(out) = outputs.next() else {
                    break;
                };
                rows::fill(out, i8::MIN);
                let mut waits = false;
                let mut meet = |patches: &mut Patches<'_>| {
                    patches.meet(first, Some(second));
                    for ((out, first), second) in out.iter_mut().zip(&*first).zip(&*second) {
                        *out = (*out).max(*first).max(*second);
                    }
                };
                for y in 0..window_y.taps {
                    let y = shape.rows.span(window_y.position.wrapping_add(y));
                    for x in 0..window_x.taps {
                        let x = shape.columns.span(window_x.position.wrapping_add(x));
                        patches.gather(image, waits, y, x);
                        if waits {
                            meet(&mut patches);
                        }
                        waits = !waits;
                    }
                }
                if waits {
                    // Alone it counts twice, which changes nothing.
                    patches.double();
                    meet(&mut patches);
                }
            }
        }
    }
    narrow(arithmetic.range, output);
    narrow(pool.range, output);
    true
}

/// The windows of two pixels, and every filter.
struct Patches<'a> {
    geometry: Geometry<'a>,
    filter: &'a [i8],
    scaling: Scaling<'a>,
    /// In fours: elements 0 and 2 of the first window, 1 and 3, the same of the second; each in half a word, with the
    /// input's offset.
    lanes: &'a mut [u32],
    /// One window as it is in the input, filled up to a whole four with what stands for zero.
    bytes: &'a mut [i8],
    zero: i8,
    offsets: u32,
}

impl<'a> Patches<'a> {
    fn new(
        shape: &'a Conv2d,
        arithmetic: &Int8<'a>,
        filter: &'a [i8],
        scratch: &'a mut [u32],
    ) -> Option<Self> {
        let geometry = Geometry::new(shape);
        let fours = geometry.filter.div_ceil(4);
        let (lanes, bytes) = scratch.split_at_mut_checked(fours.wrapping_mul(4))?;
        let bytes = view::from_bytes_mut(view::as_bytes_mut(bytes.get_mut(..fours)?))?;
        let zero = arithmetic.input_zero_point as i8;
        rows::fill(bytes, zero);
        // Filters come in pairs and weights in fours.
        if shape.output_channels < 2 || geometry.filter < 4 {
            return None;
        }
        Some(Self {
            geometry,
            filter,
            scaling: Scaling::new(arithmetic, shape.output_channels as usize, geometry.filter)?,
            lanes,
            bytes,
            zero,
            offsets: offsets(arithmetic),
        })
    }

    /// Makes the window over these positions the first or the second.
    #[inline(always)]
    fn gather(&mut self, image: &[i8], second: bool, y: Span, x: Span) {
        let window = self.geometry.window(y, x, 0);
        if window.is_in_fours() {
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
            window.for_each(|from, to, len| {
                let run = image.get(from..from.wrapping_add(len)).unwrap_or(&[]);
                self.widen(run, second, to);
            });
        } else {
            if window.is_partial() {
                rows::fill(self.bytes, self.zero);
            }
            window.for_each(|from, to, len| {
                let run = image.get(from..from.wrapping_add(len)).unwrap_or(&[]);
                let place = self
                    .bytes
                    .get_mut(to..to.wrapping_add(len))
                    .unwrap_or(&mut []);
                // SAFETY: the place has room for as many.
                unsafe { copy(run.as_ptr(), place.as_mut_ptr(), run.len().min(place.len())) };
            });
            let bytes = core::mem::take(&mut self.bytes);
            self.widen(bytes, second, 0);
            self.bytes = bytes;
        }
    }

    /// Widens fours of bytes to be elements of the first or the second window, from `to` on.
    #[inline(always)]
    fn widen(&mut self, bytes: &[i8], second: bool, to: usize) {
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

    /// Makes the second window the same as the first.
    fn double(&mut self) {
        for [even, odd, second_even, second_odd] in self.lanes.as_chunks_mut().0 {
            (*second_even, *second_odd) = (*even, *odd);
        }
    }

    /// Every output of both pixels, or of the only one, which then is both windows.
    #[inline(never)]
    fn meet(&mut self, first: &mut [i8], second: Option<&mut [i8]>) {
        let channels = self.scaling.multipliers.len();
        let first = first.as_mut_ptr();
        let second = second.map_or(first, |second| second.as_mut_ptr());
        self.pairs(first, second, 0, channels / 2);
        if !channels.is_multiple_of(2) {
            self.pairs(first, second, channels.wrapping_sub(2), 1);
        }
    }

    /// The outputs of these pairs of filters.
    #[inline(always)]
    fn pairs(&mut self, first: *mut i8, second: *mut i8, from: usize, count: usize) {
        let size = self.geometry.filter;
        let rest = size as u32 % 4;
        let Scaling {
            bias,
            multipliers,
            twice_zero,
        } = self.scaling;
        let weights = from.wrapping_mul(size)..;
        if let (Some(weights), Some(bias), Some(multipliers)) = (
            self.filter.get(weights),
            bias.get(from..),
            multipliers.get(from..),
        ) {
            let mut work = Work {
                windows: self.lanes.as_ptr(),
                weights: weights.as_ptr(),
                size,
                fours: size / 4,
                excess: if rest == 0 { 0 } else { 32 - rest * 8 },
                bias: bias.as_ptr(),
                multipliers: multipliers.as_ptr(),
                first: first.wrapping_add(from),
                second: second.wrapping_add(from),
                pairs: count,
                twice_zero,
            };
            // SAFETY: there are as many weights, biases, multipliers and places for outputs as there are channels; `from`
            // and twice `count` are not more. There is a pair at least, and each filter has four weights at least. The
            // windows are as long as filters are, filled up to a whole four.
            unsafe { pairs(&mut work) };
        }
    }
}

/// Copies bytes: 4 instructions for each four, and for each that is left.
///
/// # Safety
/// There are `count` bytes at both.
#[unsafe(naked)]
unsafe extern "C" fn copy(from: *const i8, to: *mut i8, count: usize) {
    naked_asm!(
        assembler!(),
        "subs r2, r2, #4",
        "blo 3f",
        "2:",
        "ldr r3, [r0], #4",
        "str r3, [r1], #4",
        "subs r2, r2, #4",
        "bhs 2b",
        "3:",
        "adds r2, r2, #4",
        "beq 5f",
        "4:",
        "ldrb r3, [r0], #1",
        "strb r3, [r1], #1",
        "subs r2, r2, #1",
        "bne 4b",
        "5:",
        "bx lr",
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

/// What [`pairs`] works on, and how far it is.
#[repr(C)]
struct Work {
    windows: *const u32,
    weights: *const i8,
    /// Weights of a filter.
    size: usize,
    fours: usize,
    /// Bits that the last word of a filter has too many, where it is not a whole one.
    excess: u32,
    bias: *const i32,
    multipliers: *const QuantizedMultiplier,
    first: *mut i8,
    second: *mut i8,
    pairs: usize,
    twice_zero: i32,
}

/// Two pixels with pairs of filters: 17 instructions for 16 products, and 53 for four outputs.
///
/// The last weights of filters that are no whole fours are loaded with those before them, and shifted to where they belong.
///
/// # Safety
/// The pointers are to as much as the numbers say; `pairs` and `fours` are not 0.
#[unsafe(naked)]
unsafe extern "C" fn pairs(work: &mut Work) {
    naked_asm!(
        assembler!(),
        "push {{r0, r4-r11, lr}}",
        "2:",
        "ldr lr, [sp]",
        "ldr r5, [lr, #20]",
        "ldm r5!, {{r4, r6}}",
        "str r5, [lr, #20]",
        "mov r5, r4",
        "mov r7, r6",
        "ldm lr, {{r0-r3}}",
        "add r2, r1, r2",
        // r4 and r5 are the first filter's sums, r6 and r7 the second's.
        "3:",
        "ldm r0!, {{r8-r11}}",
        "ldr r12, [r1], #4",
        "sxtb16 lr, r12, ror #8",
        "sxtb16 r12, r12",
        "smlad r4, r8, r12, r4",
        "smlad r4, r9, lr, r4",
        "smlad r5, r10, r12, r5",
        "smlad r5, r11, lr, r5",
        "ldr r12, [r2], #4",
        "sxtb16 lr, r12, ror #8",
        "sxtb16 r12, r12",
        "smlad r6, r8, r12, r6",
        "smlad r6, r9, lr, r6",
        "smlad r7, r10, r12, r7",
        "smlad r7, r11, lr, r7",
        "subs r3, r3, #1",
        "bne 3b",
        "ldr lr, [sp]",
        "ldr r3, [lr, #16]",
        "cbz r3, 4f",
        "ldm r0!, {{r8-r11}}",
        "sub r1, r1, r3, lsr #3",
        "ldr r12, [r1], #4",
        "lsr r12, r12, r3",
        "sxtb16 lr, r12, ror #8",
        "sxtb16 r12, r12",
        "smlad r4, r8, r12, r4",
        "smlad r4, r9, lr, r4",
        "smlad r5, r10, r12, r5",
        "smlad r5, r11, lr, r5",
        "sub r2, r2, r3, lsr #3",
        "ldr r12, [r2], #4",
        "lsr r12, r12, r3",
        "sxtb16 lr, r12, ror #8",
        "sxtb16 r12, r12",
        "smlad r6, r8, r12, r6",
        "smlad r6, r9, lr, r6",
        "smlad r7, r10, r12, r7",
        "smlad r7, r11, lr, r7",
        "ldr lr, [sp]",
        "4:",
        "str r2, [lr, #4]",
        "ldr r0, [lr, #24]",
        "ldm r0!, {{r8-r11}}",
        "str r0, [lr, #24]",
        "ldrd r0, r1, [lr, #28]",
        "ldr r2, [lr, #40]",
        // -shift - 1
        "mvn r9, r9",
        "mvn r11, r11",
        "qadd r4, r4, r4",
        "smmulr r4, r4, r8",
        "add r4, r4, r4, asr #31",
        "asr r4, r4, r9",
        "add r4, r4, r2",
        "ssat r4, #8, r4, asr #1",
        "strb r4, [r0], #1",
        "qadd r6, r6, r6",
        "smmulr r6, r6, r10",
        "add r6, r6, r6, asr #31",
        "asr r6, r6, r11",
        "add r6, r6, r2",
        "ssat r6, #8, r6, asr #1",
        "strb r6, [r0], #1",
        "qadd r5, r5, r5",
        "smmulr r5, r5, r8",
        "add r5, r5, r5, asr #31",
        "asr r5, r5, r9",
        "add r5, r5, r2",
        "ssat r5, #8, r5, asr #1",
        "strb r5, [r1], #1",
        "qadd r7, r7, r7",
        "smmulr r7, r7, r10",
        "add r7, r7, r7, asr #31",
        "asr r7, r7, r11",
        "add r7, r7, r2",
        "ssat r7, #8, r7, asr #1",
        "strb r7, [r1], #1",
        "strd r0, r1, [lr, #28]",
        "ldr r3, [lr, #36]",
        "subs r3, r3, #1",
        "str r3, [lr, #36]",
        "bne 2b",
        "pop {{r0, r4-r11, pc}}",
    )
}
