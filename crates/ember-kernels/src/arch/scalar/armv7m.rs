//! Armv7-M without DSP: one row of input with four filters at once. Instructions are those of the "Armv7-M Architecture Reference
//! Manual" (Arm DDI 0403), chapter A7.

use core::arch::naked_asm;

use super::Sums;

/// 10 instructions for four products, and 2 for every four elements.
///
/// # Safety
/// There are `len` bytes at `x`, and four times as many at `filters`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn four(
    x: *const i8,
    filters: *const i8,
    len: usize,
    sums: &mut Sums<'_>,
) {
    naked_asm!(
        ".macro element",
        "ldrsb r9, [r0], #1",
        "ldrsb r10, [r1, r2]",
        "add r9, r9, r12",
        "mla r5, r9, r10, r5",
        "ldrsb r10, [r1], #1",
        "mla r4, r9, r10, r4",
        "ldrsb r10, [r8, r2]",
        "mla r7, r9, r10, r7",
        "ldrsb r10, [r8], #1",
        "mla r6, r9, r10, r6",
        ".endm",
        "push {{r4-r11, lr}}",
        "ldrd r3, r12, [r3]",
        "ldm r3, {{r4-r7}}",
        // The third filter; the second and the fourth are a length behind.
        "add r8, r1, r2, lsl #1",
        // The end of the whole fours, and of all.
        "bic r11, r2, #3",
        "add r11, r0, r11",
        "add lr, r0, r2",
        "cmp r0, r11",
        "beq 3f",
        "2:",
        "element",
        "element",
        "element",
        "element",
        "cmp r0, r11",
        "bne 2b",
        "3:",
        "cmp r0, lr",
        "beq 5f",
        "4:",
        "element",
        "cmp r0, lr",
        "bne 4b",
        "5:",
        "stm r3, {{r4-r7}}",
        "pop {{r4-r11, pc}}",
        ".purgem element",
    )
}
