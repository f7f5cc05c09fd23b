//! RV32IM: one row of input with four filters at once. A compiler that schedules the loads of several elements ahead runs out of
//! registers here; this takes the fifteen that no caller keeps anything in.

use core::arch::naked_asm;

use super::Sums;

/// 14 instructions for four products, and 6 for every four elements.
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
        // The assembler does not know by itself that there are products.
        ".option push",
        ".option arch, +m",
        ".macro element, at",
        "lb t5, \\at(a0)",
        "lb t6, \\at(a1)",
        "add t5, t5, t4",
        "mul t6, t6, t5",
        "add t0, t0, t6",
        "lb t6, \\at(a4)",
        "mul t6, t6, t5",
        "add t1, t1, t6",
        "lb t6, \\at(a5)",
        "mul t6, t6, t5",
        "add t2, t2, t6",
        "lb t6, \\at(a6)",
        "mul t6, t6, t5",
        "add t3, t3, t6",
        ".endm",
        ".macro advance, by",
        "addi a0, a0, \\by",
        "addi a1, a1, \\by",
        "addi a4, a4, \\by",
        "addi a5, a5, \\by",
        "addi a6, a6, \\by",
        ".endm",
        "lw t4, 4(a3)",
        "lw a3, 0(a3)",
        "lw t0, 0(a3)",
        "lw t1, 4(a3)",
        "lw t2, 8(a3)",
        "lw t3, 12(a3)",
        "add a4, a1, a2",
        "add a5, a4, a2",
        "add a6, a5, a2",
        // The end of the whole fours, and of all.
        "andi a7, a2, -4",
        "add a7, a0, a7",
        "add a2, a0, a2",
        "beq a0, a7, 3f",
        "2:",
        "element 0",
        "element 1",
        "element 2",
        "element 3",
        "advance 4",
        "bne a0, a7, 2b",
        "3:",
        "beq a0, a2, 5f",
        "4:",
        "element 0",
        "advance 1",
        "bne a0, a2, 4b",
        "5:",
        "sw t0, 0(a3)",
        "sw t1, 4(a3)",
        "sw t2, 8(a3)",
        "sw t3, 12(a3)",
        "ret",
        ".purgem element",
        ".purgem advance",
        ".option pop",
    )
}
