//! Armv6-M, whose eight lower registers are too few for what a compiler makes of
//! four sums at once. Instructions are those of the "Armv6-M Architecture Reference Manual" (Arm DDI 0419), chapter A6.

use core::arch::naked_asm;

use super::Sums;

/// 16 instructions for four products. Everything is addressed from its end, so that one register counts for all.
///
/// # Safety
/// There are `len` bytes at `x`, four times as many at `filters`, and `len` is not 0.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn four(
    x: *const i8,
    filters: *const i8,
    len: usize,
    sums: &mut Sums<'_>,
) {
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

/// The largest of the sums of four neighbouring outputs of a 3×3 convolution, which see a window of 4×4.
pub(super) fn largest(window: &[i32; 16], filter: &[u8; 9], start: i32) -> i32 {
    // SAFETY: the arrays are as long as it asks for.
    unsafe { largest_of(window.as_ptr(), filter.as_ptr().cast(), start) }
}

/// 14 instructions for each tap, which has four products.
///
/// # Safety
/// There are 16 elements at `window` and 9 at `filter`.
#[unsafe(naked)]
unsafe extern "C" fn largest_of(window: *const i32, filter: *const i8, start: i32) -> i32 {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r2",
        "mov r5, r2",
        "mov r6, r2",
        "mov r7, r2",
        ".irp row, 0, 1, 2",
        ".irp column, 0, 1, 2",
        "ldrb r2, [r1, #3 * \\row + \\column]",
        "sxtb r2, r2",
        "ldr r3, [r0, #16 * \\row + 4 * \\column]",
        "muls r3, r2, r3",
        "adds r4, r4, r3",
        "ldr r3, [r0, #16 * \\row + 4 * \\column + 4]",
        "muls r3, r2, r3",
        "adds r5, r5, r3",
        "ldr r3, [r0, #16 * \\row + 4 * \\column + 16]",
        "muls r3, r2, r3",
        "adds r6, r6, r3",
        "ldr r3, [r0, #16 * \\row + 4 * \\column + 20]",
        "muls r3, r2, r3",
        "adds r7, r7, r3",
        ".endr",
        ".endr",
        "cmp r4, r5",
        "bge 3f",
        "mov r4, r5",
        "3:",
        "cmp r6, r7",
        "bge 4f",
        "mov r6, r7",
        "4:",
        "cmp r4, r6",
        "bge 5f",
        "mov r4, r6",
        "5:",
        "mov r0, r4",
        "pop {{r4-r7, pc}}",
    )
}
