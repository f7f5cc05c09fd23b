//! One row of input with four filters at once on Armv6-M, whose eight lower registers are too few for what a compiler makes of
//! it. Instructions are those of the "Armv6-M Architecture Reference Manual" (Arm DDI 0419), chapter A6.

use core::arch::naked_asm;

/// Adds `Σ (x + offset) * w` to each sum, wrapping; `filters` are four of `x`'s length.
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    let len = x.len();
    if len > 0 && len < 1 << 24 && filters.len() == len.wrapping_mul(4) {
        // SAFETY: `x` has `len` bytes, and so has each of the four filters, which are one after the other.
        unsafe {
            four(
                x.as_ptr(),
                filters.as_ptr(),
                len,
                &mut Sums { sums, offset },
            )
        };
    }
}

/// What [`four`] works on besides.
#[repr(C)]
struct Sums<'s> {
    sums: &'s mut [i32; 4],
    offset: i32,
}

/// 16 instructions for four products. Everything is addressed from its end, so that one register counts for all.
///
/// # Safety
/// There are `len` bytes at `x`, four times as many at `filters`, and `len` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn four(x: *const i8, filters: *const i8, len: usize, sums: &mut Sums<'_>) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "ldr r4, [r3, #4]",
        "mov r12, r4",
        "ldr r3, [r3]",
        "push {{r3}}",
        "ldm r3!, {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        // The ends of x and of the four filters: r0, and r1, r3, r4, r5.
        "adds r0, r0, r2",
        "adds r1, r1, r2",
        "adds r3, r1, r2",
        "adds r4, r3, r2",
        "adds r5, r4, r2",
        "rsbs r2, r2, #0",
        "2:",
        "ldrsb r6, [r0, r2]",
        "add r6, r12",
        "ldrsb r7, [r1, r2]",
        "muls r7, r6, r7",
        "add r8, r7",
        "ldrsb r7, [r3, r2]",
        "muls r7, r6, r7",
        "add r9, r7",
        "ldrsb r7, [r4, r2]",
        "muls r7, r6, r7",
        "add r10, r7",
        "ldrsb r7, [r5, r2]",
        "muls r7, r6, r7",
        "add r11, r7",
        "adds r2, r2, #1",
        "bne 2b",
        "pop {{r3}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "stm r3!, {{r4-r7}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
