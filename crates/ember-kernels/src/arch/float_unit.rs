//! One row of input with four filters at once, in the floating-point unit (FPv4-SP and FPv5).

use core::arch::naked_asm;

/// [`portable::dot_f32`](crate::arch::portable::dot_f32) with four filters of `x`'s length, to the byte: VMLA rounds the
/// product before it adds.
pub(crate) fn dots_f32(sums: &mut [f32; 4], x: &[f32], filters: &[f32]) {
    let len = x.len();
    if filters.len() == len.wrapping_mul(4) {
        // SAFETY: `x` has `len` elements, and so has each of the four filters, which are one after the other.
        unsafe { four(x.as_ptr(), filters.as_ptr(), len, sums) };
    }
}

/// 23 instructions for 16 products. Four sums of each filter, which are added up in the end; what is beyond the last whole four
/// goes to the first of them.
///
/// # Safety
/// There are `len` elements at `x` and four times as many at `filters`.
#[unsafe(naked)]
unsafe extern "C" fn four(x: *const f32, filters: *const f32, len: usize, sums: &mut [f32; 4]) {
    naked_asm!(
        // The assembler does not know by itself which one there is.
        ".fpu fpv4-sp-d16",
        "push {{r3-r7, lr}}",
        "vpush {{s16-s23}}",
        "ldm r3, {{r4-r7}}",
        "movs r12, #0",
        "vmov s0, s1, r4, r12",
        "vmov s2, s3, r12, r12",
        "vmov s4, s5, r5, r12",
        "vmov s6, s7, r12, r12",
        "vmov s8, s9, r6, r12",
        "vmov s10, s11, r12, r12",
        "vmov s12, s13, r7, r12",
        "vmov s14, s15, r12, r12",
        "add r3, r1, r2, lsl #2",
        "add r4, r3, r2, lsl #2",
        "add r5, r4, r2, lsl #2",
        "lsrs r6, r2, #2",
        "beq 3f",
        "2:",
        "vldmia r0!, {{s16-s19}}",
        "vldmia r1!, {{s20-s23}}",
        "vmla.f32 s0, s16, s20",
        "vmla.f32 s1, s17, s21",
        "vmla.f32 s2, s18, s22",
        "vmla.f32 s3, s19, s23",
        "vldmia r3!, {{s20-s23}}",
        "vmla.f32 s4, s16, s20",
        "vmla.f32 s5, s17, s21",
        "vmla.f32 s6, s18, s22",
        "vmla.f32 s7, s19, s23",
        "vldmia r4!, {{s20-s23}}",
        "vmla.f32 s8, s16, s20",
        "vmla.f32 s9, s17, s21",
        "vmla.f32 s10, s18, s22",
        "vmla.f32 s11, s19, s23",
        "vldmia r5!, {{s20-s23}}",
        "vmla.f32 s12, s16, s20",
        "vmla.f32 s13, s17, s21",
        "vmla.f32 s14, s18, s22",
        "vmla.f32 s15, s19, s23",
        "subs r6, r6, #1",
        "bne 2b",
        "3:",
        "ands r2, r2, #3",
        "beq 5f",
        "4:",
        "vldmia r0!, {{s16}}",
        "vldmia r1!, {{s20}}",
        "vldmia r3!, {{s21}}",
        "vldmia r4!, {{s22}}",
        "vldmia r5!, {{s23}}",
        "vmla.f32 s0, s16, s20",
        "vmla.f32 s4, s16, s21",
        "vmla.f32 s8, s16, s22",
        "vmla.f32 s12, s16, s23",
        "subs r2, r2, #1",
        "bne 4b",
        "5:",
        "vadd.f32 s0, s0, s1",
        "vadd.f32 s2, s2, s3",
        "vadd.f32 s0, s0, s2",
        "vadd.f32 s4, s4, s5",
        "vadd.f32 s6, s6, s7",
        "vadd.f32 s1, s4, s6",
        "vadd.f32 s8, s8, s9",
        "vadd.f32 s10, s10, s11",
        "vadd.f32 s2, s8, s10",
        "vadd.f32 s12, s12, s13",
        "vadd.f32 s14, s14, s15",
        "vadd.f32 s3, s12, s14",
        "vpop {{s16-s23}}",
        "pop {{r3}}",
        "vstmia r3, {{s0-s3}}",
        "pop {{r4-r7, pc}}",
    )
}
