//! A 3×3 convolution of one channel with 2×2 poolings: the first layer of many a small network, for which gathering windows
//! would cost as much as the products.

use core::arch::naked_asm;

use super::{Scaling, narrow, offsets};
use crate::arithmetic::Int8;
use crate::conv_2d::Conv2d;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// Words of a filter as [`window`] wants it: left and right weight of each row; the middles of the rows 0 and 1, and of 1 and
/// 2; bias, multiplier, and the right shift less one in the lowest byte, negative for the last filter. Pairs of weights are
/// halves of a word, the first one low.
const WORDS: usize = 8;

/// There is such code.
pub(crate) const HAS_CONV_2D_3X3: bool = true;

/// Convolves and pools; false where the shapes are others, or there is no scratch for the filters. Numbers that
/// `conv_2d::is_special` says no to give outputs that are wrong.
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
    let (Some(filters), true, Some(scaling)) = (
        scratch.get_mut(..channels.wrapping_mul(WORDS)),
        shape.is_small(&pool.shape),
        Scaling::new(arithmetic),
    ) else {
        return false;
    };
    pack(&scaling, filter, filters);
    let (height, row) = (shape.rows.input as usize, shape.columns.input as usize);
    let mut work = Window {
        output: output.as_mut_ptr(),
        offsets: offsets(arithmetic),
        twice_zero: scaling.twice_zero,
    };
    let mut outputs = rows::of_mut(output, channels);
    for image in rows::of(input, height.wrapping_mul(row)) {
        for y in 0..pool.shape.rows.output as usize {
            for x in 0..pool.shape.columns.output as usize {
                let at = y
                    .wrapping_mul(2)
                    .wrapping_mul(row)
                    .wrapping_add(x.wrapping_mul(2));
                let end = at.wrapping_add(row.wrapping_mul(3)).wrapping_add(4);
                let (Some(out), Some(from)) = (outputs.next(), image.get(at..end)) else {
                    break;
                };
                work.output = out.as_mut_ptr();
                // SAFETY: `from` has 4 bytes in each of 4 rows, `out` one byte for each filter, and the last filter is
                // marked.
                unsafe { window(from.as_ptr(), row, filters.as_ptr(), &work) };
            }
        }
    }
    narrow(arithmetic.range, output);
    narrow(pool.range, output);
    true
}

/// Writes the filters of 3×3 weights as [`window`] wants them.
fn pack(scaling: &Scaling<'_>, filter: &[i8], packed: &mut [u32]) {
    let pair = |low: i8, high: i8| (low as u16 as u32) | (high as u32) << 16;
    let (filters, _) = filter.as_chunks::<9>();
    let (packed, _) = packed.as_chunks_mut::<WORDS>();
    let mut last = &mut 0;
    for ((out, w), channel) in packed.iter_mut().zip(filters).zip(0..) {
        let ([bias], [multiplier]) = scaling.of(channel);
        let [a, b, c, d, e, f, g, h, i] = *w;
        let [
            sides0,
            sides1,
            sides2,
            middles0,
            middles1,
            start,
            scale,
            shift,
        ] = out;
        (*sides0, *sides1, *sides2) = (pair(a, c), pair(d, f), pair(g, i));
        (*middles0, *middles1) = (pair(b, e), pair(e, h));
        *start = bias.cast_unsigned();
        *scale = multiplier.multiplier.cast_unsigned();
        // -shift - 1.
        *shift = (!multiplier.shift).cast_unsigned() & 0xff;
        last = shift;
    }
    *last |= 1 << 31;
}

/// What [`window`] needs besides.
#[repr(C)]
struct Window {
    output: *mut i8,
    /// The input's offset in both halves.
    offsets: u32,
    twice_zero: i32,
}

/// Four neighbouring outputs of the convolution at once, of which each filter's largest is scaled and written: 48 instructions
/// for 36 products.
///
/// Columns 0 and 2 of a row of input are halves of one word, columns 1 and 3 of another: they are what the sides of a filter
/// meet. Its middles meet columns 1 and 2, of two rows at a time.
///
/// # Safety
/// There are 4 bytes at `input` and at 1, 2 and 3 times `row` behind it; `filters` are [`WORDS`] each, of which the last
/// one's last word is negative; the output has room for a byte of each.
#[unsafe(naked)]
unsafe extern "C" fn window(input: *const i8, row: usize, filters: *const u32, work: &Window) {
    naked_asm!(
        assembler!(),
        "push {{r4-r11, lr}}",
        "sub sp, sp, #52",
        // Output, offsets, zero.
        "ldm r3, {{r3, r12, lr}}",
        "ldr r4, [r0]",
        "ldr r6, [r0, r1]",
        "ldr r8, [r0, r1, lsl #1]",
        "add r0, r0, r1",
        "ldr r10, [r0, r1, lsl #1]",
        "sxtab16 r5, r12, r4, ror #8",
        "sxtab16 r4, r12, r4",
        "sxtab16 r7, r12, r6, ror #8",
        "sxtab16 r6, r12, r6",
        "sxtab16 r9, r12, r8, ror #8",
        "sxtab16 r8, r12, r8",
        "sxtab16 r11, r12, r10, ror #8",
        "sxtab16 r10, r12, r10",
        "stm sp, {{r4-r11}}",
        // Column 1 of rows 0 and 1, and of 2 and 3; the same of column 2.
        "pkhbt r0, r5, r7, lsl #16",
        "pkhbt r1, r9, r11, lsl #16",
        "pkhtb r4, r6, r4, asr #16",
        "pkhtb r5, r10, r8, asr #16",
        "strd r0, r1, [sp, #32]",
        "strd r4, r5, [sp, #40]",
        "mov r0, lr",
        "2:",
        "ldm r2!, {{r4-r9}}",
        // The sides: r10 and r11 are the upper two outputs, r12 and lr the lower two.
        "ldr r1, [sp]",
        "smlad r10, r1, r4, r9",
        "ldr r1, [sp, #4]",
        "smlad r11, r1, r4, r9",
        "ldr r1, [sp, #8]",
        "smlad r12, r1, r4, r9",
        "smlad r10, r1, r5, r10",
        "ldr r1, [sp, #12]",
        "smlad lr, r1, r4, r9",
        "smlad r11, r1, r5, r11",
        "ldrd r1, r4, [sp, #16]",
        "smlad r10, r1, r6, r10",
        "smlad r12, r1, r5, r12",
        "smlad r11, r4, r6, r11",
        "smlad lr, r4, r5, lr",
        "ldrd r1, r4, [sp, #24]",
        "smlad r12, r1, r6, r12",
        "smlad lr, r4, r6, lr",
        // The middles.
        "ldrd r1, r4, [sp, #32]",
        "ldrd r5, r6, [sp, #40]",
        "smlad r10, r1, r7, r10",
        "smlabt r10, r4, r8, r10",
        "smlad r12, r4, r8, r12",
        "smlatb r12, r1, r7, r12",
        "smlad r11, r5, r7, r11",
        "smlabt r11, r6, r8, r11",
        "smlad lr, r6, r8, lr",
        "smlatb lr, r5, r7, lr",
        // The largest.
        "cmp r10, r11",
        "it lt",
        "movlt r10, r11",
        "cmp r12, lr",
        "it lt",
        "movlt r12, lr",
        "cmp r10, r12",
        "it lt",
        "movlt r10, r12",
        "ldrd r4, r5, [r2], #8",
        "qadd r10, r10, r10",
        "smmulr r10, r10, r4",
        "add r10, r10, r10, asr #31",
        "asr r10, r10, r5",
        "add r10, r10, r0",
        "ssat r10, #8, r10, asr #1",
        "strb r10, [r3], #1",
        "cmp r5, #0",
        "bge 2b",
        "add sp, sp, #52",
        "pop {{r4-r11, pc}}",
    )
}
