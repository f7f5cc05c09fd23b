//! One row of input with four filters at once.

use core::arch::naked_asm;

use crate::rows;

/// What [`quads`] works on.
#[repr(C)]
struct Filters<'s> {
    sums: &'s mut [i32; 4],
    /// Bytes from one filter to the next.
    stride: usize,
    /// The input's offset in both halves.
    offsets: u32,
}

/// Adds `Σ (x + offset) * w` to each sum, wrapping; `filters` are four of `x`'s length. The offset is that of an int8.
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    let len = x.len();
    let (whole, rest) = (len / 4, len % 4);
    if whole > 0 && filters.len() == len.wrapping_mul(4) {
        let mut work = Filters {
            sums,
            stride: len,
            offsets: (offset & 0xffff).cast_unsigned().wrapping_mul(0x1_0001),
        };
        // SAFETY: `x` has `whole` fours, and so has each of the four filters `stride` apart.
        unsafe { quads(x.as_ptr(), filters.as_ptr(), whole, &mut work) };
    }
    if rest > 0 {
        add_last(sums, x, offset, filters, rest);
    }
}

/// The products of so many last elements. A function of its own: inlined, it keeps registers from the loop around.
#[inline(never)]
fn add_last(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8], count: usize) {
    let last = x.len().wrapping_sub(count);
    for (sum, filter) in sums.iter_mut().zip(rows::of(filters, x.len())) {
        let pairs = x.get(last..).unwrap_or(&[]).iter();
        for (x, w) in pairs.zip(filter.get(last..).unwrap_or(&[])) {
            let x = i32::from(*x).wrapping_add(offset);
            *sum = sum.wrapping_add(x.wrapping_mul(i32::from(*w)));
        }
    }
}

/// 25 instructions for 16 products.
///
/// # Safety
/// `x` and each of four filters, of which `w` is the first, have `count` fours of bytes; `count` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn quads(x: *const i8, w: *const i8, count: usize, work: &mut Filters<'_>) {
    naked_asm!(
        assembler!(),
        "push {{r4-r11, lr}}",
        "ldm r3, {{r3, r8, r9}}",
        "push {{r3}}",
        "ldm r3, {{r4-r7}}",
        // The third filter; the second and the fourth are a stride behind.
        "add r3, r1, r8, lsl #1",
        "2:",
        "ldr r10, [r0], #4",
        "sxtab16 r11, r9, r10, ror #8",
        "sxtab16 r10, r9, r10",
        "ldr lr, [r1, r8]",
        "sxtb16 r12, lr, ror #8",
        "sxtb16 lr, lr",
        "smlad r5, r10, lr, r5",
        "smlad r5, r11, r12, r5",
        "ldr lr, [r1], #4",
        "sxtb16 r12, lr, ror #8",
        "sxtb16 lr, lr",
        "smlad r4, r10, lr, r4",
        "smlad r4, r11, r12, r4",
        "ldr lr, [r3, r8]",
        "sxtb16 r12, lr, ror #8",
        "sxtb16 lr, lr",
        "smlad r7, r10, lr, r7",
        "smlad r7, r11, r12, r7",
        "ldr lr, [r3], #4",
        "sxtb16 r12, lr, ror #8",
        "sxtb16 lr, lr",
        "smlad r6, r10, lr, r6",
        "smlad r6, r11, r12, r6",
        "subs r2, r2, #1",
        "bne 2b",
        "pop {{r3}}",
        "stm r3, {{r4-r7}}",
        "pop {{r4-r11, pc}}",
    )
}
