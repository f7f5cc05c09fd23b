//! A 3×3 convolution of one channel with 2×2 poolings: the first layer of many a small network.
//!
//! A pooling's window sees 4×4 elements, of which each of its four convolutions takes three rows of three. A vector has four of each
//! row, so that the weights of a filter are the same vector for all four.

use core::arch::naked_asm;

use super::{channel, scale, suits};
use crate::arithmetic::{Arithmetic, Int8};
use crate::conv_2d::Conv2d;
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// Words of four filters as [`row`] wants them: for each 3×3 weights in rows of four bytes and a row of none, then what the four
/// sums start with, the multipliers and the shifts.
const WORDS: usize = 28;

/// There is such code.
pub(crate) const HAS_CONV_2D_3X3: bool = true;

/// Convolves and pools; false where the shapes are others, or there is no scratch for the filters.
pub(crate) fn conv_2d_3x3(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let channels = shape.output_channels as usize;
    let quads = channels / 4;
    let (Some(filters), true, true) = (
        scratch.get_mut(..quads.wrapping_mul(WORDS)),
        shape.is_small(&pool.shape) && pool.range.min <= pool.range.max,
        suits(arithmetic),
    ) else {
        return false;
    };
    pack(arithmetic, filter, filters);
    let (height, width) = (shape.rows.input as usize, shape.columns.input as usize);
    let windows = pool.shape.columns.output as usize;
    // What both ranges leave.
    let limit = |value| i32::from(i8::within(value, pool.range));
    let mut work = Row {
        input: core::ptr::null(),
        width,
        filters: filters.as_ptr(),
        quads,
        output: core::ptr::null_mut(),
        others: channels % 4,
        windows,
        zero: arithmetic.output_zero_point,
        min: [limit(arithmetic.range.min); 4],
        max: [limit(arithmetic.range.max); 4],
    };
    let mut outputs = rows::of_mut(output, windows.wrapping_mul(channels));
    for image in rows::of(input, height.wrapping_mul(width)) {
        for y in 0..pool.shape.rows.output as usize {
            let at = y.wrapping_mul(2).wrapping_mul(width);
            let reach = width.wrapping_mul(3).wrapping_add(windows.wrapping_mul(2));
            let end = at.wrapping_add(reach).wrapping_add(2);
            let (Some(out), Some(from)) = (outputs.next(), image.get(at..end)) else {
                break;
            };
            if quads > 0 {
                work.input = from.as_ptr();
                work.output = out.as_mut_ptr();
                // SAFETY: `from` has 4 rows of two bytes for each window and two more, `out` a byte of each channel for each
                // window, and there are as many filters.
                unsafe { row(&work) };
            }
            for number in quads.wrapping_mul(4)..channels {
                others(
                    arithmetic,
                    pool,
                    from,
                    width,
                    filter,
                    number,
                    (out, channels),
                );
            }
        }
    }
    true
}

/// Writes the fours of filters of 3×3 weights as [`row`] wants them.
fn pack(arithmetic: &Int8<'_>, filter: &[i8], packed: &mut [u32]) {
    let (filters, _) = filter.as_chunks::<9>();
    let mut number = 0;
    let mut filters = filters.iter();
    for quad in packed.as_chunks_mut::<WORDS>().0 {
        let (weights, factors) = quad.split_at_mut(16);
        let (starts, factors) = factors.split_at_mut(4);
        let (multipliers, shifts) = factors.split_at_mut(4);
        let factors = starts.iter_mut().zip(multipliers).zip(shifts);
        let words = weights.as_chunks_mut::<4>().0;
        for ((words, w), ((start, multiplier), shift)) in
            words.iter_mut().zip(&mut filters).zip(factors)
        {
            let (bias, factor) = channel(arithmetic, number);
            let sum = w
                .iter()
                .fold(0i32, |sum, w| sum.wrapping_add(i32::from(*w)));
            let zeros = sum.wrapping_mul(arithmetic.input_zero_point);
            *start = bias.wrapping_sub(zeros).cast_unsigned();
            *multiplier = factor.multiplier.cast_unsigned();
            *shift = factor.shift.cast_unsigned();
            let [a, b, c, d, e, f, g, h, i] = w.map(i8::cast_unsigned);
            *words = [[a, b, c, 0], [d, e, f, 0], [g, h, i, 0], [0; 4]].map(u32::from_le_bytes);
            number = number.wrapping_add(1);
        }
    }
}

/// The outputs of one channel in a row of windows.
#[inline(never)]
fn others(
    arithmetic: &Int8<'_>,
    pool: &MaxPool<i32>,
    input: &[i8],
    width: usize,
    filter: &[i8],
    number: usize,
    (out, channels): (&mut [i8], usize),
) {
    let w = filter.get(number.wrapping_mul(9)..).unwrap_or(&[]);
    for (x, out) in (0usize..).step_by(2).zip(rows::of_mut(out, channels)) {
        let mut most = i8::MIN;
        for at in [0, 1, width, width.wrapping_add(1)] {
            let mut sum = arithmetic.start(number);
            let window = input.get(x.wrapping_add(at)..).unwrap_or(&[]);
            for (tap, w) in w.iter().take(9).enumerate() {
                let x = (tap / 3).wrapping_mul(width).wrapping_add(tap % 3);
                let x = window.get(x).copied().unwrap_or(0);
                sum = arithmetic.multiply_add(sum, x, *w);
            }
            most = most.max(arithmetic.finish(number, sum));
        }
        if let Some(out) = out.get_mut(number) {
            *out = i8::within(i32::from(most), pool.range);
        }
    }
}

/// What [`row`] works on.
#[repr(C)]
struct Row {
    input: *const i8,
    /// Bytes of a row of input.
    width: usize,
    filters: *const u32,
    quads: usize,
    output: *mut i8,
    /// Channels that are not in the fours.
    others: usize,
    windows: usize,
    zero: i32,
    min: [i32; 4],
    max: [i32; 4],
}

/// A row of poolings: 64 instructions for four filters, which have 144 products, and 18 for a window.
///
/// # Safety
/// There are 4 rows of two bytes for each window and two more at `input`, `quads` times [`WORDS`] at `filters`, and four outputs of
/// each in every window, and `others` besides; `quads` and `windows` are not 0.
#[unsafe(naked)]
unsafe extern "C" fn row(work: &Row) {
    naked_asm!(
        assembler!(),
        // The sum of one filter's four places, of which q0 to q3 are the windows; the start lies so many bytes behind it.
        ".macro largest lane, start",
        "vldrw.u32 q4, [r12], #16",
        "vmladav.s8 r4, q0, q4",
        "vmladav.s8 r6, q1, q4",
        "vmladav.s8 r8, q2, q4",
        "vmladav.s8 r10, q3, q4",
        "ldr r3, [r12, \\start]",
        "vmov q5[2], q5[0], r4, r8",
        "vmov q5[3], q5[1], r6, r10",
        "vadd.i32 q5, q5, r3",
        "mov r7, #0x80000000",
        "vmaxv.s32 r7, q5",
        "vmov.32 q6[\\lane], r7",
        ".endm",
        "push {{r4-r11, lr}}",
        "sub sp, sp, #4",
        "vpush {{d8-d15}}",
        "ldrd r1, r2, [r0]",
        "ldr r5, [r0, #16]",
        "ldr r11, [r0, #24]",
        "ldr r9, [r0, #28]",
        "2:",
        "add r3, r1, r2, lsl #1",
        "ldr r4, [r1]",
        "ldr r6, [r1, r2]",
        "ldr r7, [r3]",
        "ldr r8, [r3, r2]",
        "vmov q0[2], q0[0], r4, r7",
        "vmov q0[3], q0[1], r6, r7",
        "vmov q2[2], q2[0], r6, r8",
        "vmov q2[3], q2[1], r7, r8",
        "vshr.u32 q1, q0, #8",
        "vshr.u32 q3, q2, #8",
        "adds r1, r1, #2",
        "ldrd r12, r3, [r0, #8]",
        "dls lr, r3",
        "3:",
        "largest 0, #48",
        "largest 1, #36",
        "largest 2, #24",
        "largest 3, #12",
        "vldrw.u32 q5, [r12, #16]",
        "vldrw.u32 q7, [r12, #32]",
        scale!("q6", "q5", "q7"),
        "add r12, r12, #48",
        "vadd.i32 q6, q6, r9",
        "vldrw.u32 q5, [r0, #48]",
        "vmin.s32 q6, q6, q5",
        "vldrw.u32 q5, [r0, #32]",
        "vmax.s32 q6, q6, q5",
        "vstrb.32 q6, [r5], #4",
        "le lr, 3b",
        "ldr r3, [r0, #20]",
        "add r5, r5, r3",
        "subs r11, r11, #1",
        "bne 2b",
        "vpop {{d8-d15}}",
        "add sp, sp, #4",
        "pop {{r4-r11, pc}}",
        ".purgem largest",
    )
}
