//! One row of input with one filter, and with four.

use core::arch::naked_asm;

use crate::rows;

/// `sum + Σ (x + offset) * w`, wrapping.
#[inline(always)]
pub(crate) fn dot_i8(sum: i32, x: &[i8], offset: i32, w: &[i8]) -> i32 {
    let len = usize::min(x.len(), w.len());
    // SAFETY: both have `len` elements.
    let sums = unsafe { dot(x.as_ptr(), w.as_ptr(), len) };
    let (products, weights) = (sums as i32, (sums >> 32) as i32);
    sum.wrapping_add(products)
        .wrapping_add(weights.wrapping_mul(offset))
}

/// [`dot_i8`] with four filters of `x`'s length, which are one after the other.
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    for (sum, filter) in sums.iter_mut().zip(rows::of(filters, x.len())) {
        *sum = dot_i8(*sum, x, offset, filter);
    }
}

/// `Σ x * w` in the lower half and `Σ w` in the upper one: 5 instructions for 16 of each.
///
/// # Safety
/// There are `len` elements at both.
#[unsafe(naked)]
unsafe extern "C" fn dot(x: *const i8, w: *const i8, len: usize) -> u64 {
    naked_asm!(
        assembler!(),
        "push {{r4, lr}}",
        "movs r3, #0",
        "mov r12, r3",
        "mov r4, r3",
        "wlstp.8 lr, r2, 3f",
        "2:",
        "vldrb.u8 q0, [r0], #16",
        "vldrb.u8 q1, [r1], #16",
        "vmladava.s8 r12, q0, q1",
        "vaddva.s8 r4, q1",
        "letp lr, 2b",
        "3:",
        "mov r0, r12",
        "mov r1, r4",
        "pop {{r4, pc}}",
    )
}
