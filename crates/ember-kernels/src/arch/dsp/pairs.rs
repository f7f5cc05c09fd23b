//! Two windows with pairs of filters: 17 instructions for 16 products.

use core::arch::naked_asm;

use ember_core::QuantizedMultiplier;

/// What [`pairs`] works on, and how far it is.
#[repr(C)]
pub(super) struct Work {
    pub(super) windows: *const u32,
    pub(super) weights: *const i8,
    /// Weights of a filter.
    pub(super) size: usize,
    pub(super) fours: usize,
    /// Bits that the last word of a filter has too many, where it is not a whole one.
    pub(super) excess: usize,
    pub(super) multipliers: *const QuantizedMultiplier,
    pub(super) bias: *const i32,
    /// Where `first` ends.
    pub(super) end: *const i8,
    pub(super) first: *mut i8,
    pub(super) second: *mut i8,
    pub(super) twice_zero: i32,
}

/// The sums of the next pair, which begin with what is in r4 and r6. `lr` is the work, which also lies at the top of the stack.
///
/// After it r4 and r5 are the first filter's sums, r6 and r7 the second's, r2 is where the next pair's weights begin, and r12
/// where the multipliers are.
///
/// The last weights of filters that are no whole fours are loaded with those before them, and shifted to where they belong.
macro_rules! products {
    () => {
        "
        mov r5, r4
        mov r7, r6
        ldm lr, {{r0-r3}}
        add r2, r1, r2
    3:
        ldm r0!, {{r8-r11}}
        ldr r12, [r1], #4
        sxtb16 lr, r12, ror #8
        sxtb16 r12, r12
        smlad r4, r8, r12, r4
        smlad r4, r9, lr, r4
        smlad r5, r10, r12, r5
        smlad r5, r11, lr, r5
        ldr r12, [r2], #4
        sxtb16 lr, r12, ror #8
        sxtb16 r12, r12
        smlad r6, r8, r12, r6
        smlad r6, r9, lr, r6
        smlad r7, r10, r12, r7
        smlad r7, r11, lr, r7
        subs r3, r3, #1
        bne 3b
        ldr lr, [sp]
        ldrd r3, r12, [lr, #16]
        cbz r3, 4f
        ldm r0!, {{r8-r11}}
        sub r1, r1, r3, lsr #3
        ldr r12, [r1], #4
        lsr r12, r12, r3
        sxtb16 lr, r12, ror #8
        sxtb16 r12, r12
        smlad r4, r8, r12, r4
        smlad r4, r9, lr, r4
        smlad r5, r10, r12, r5
        smlad r5, r11, lr, r5
        sub r2, r2, r3, lsr #3
        ldr r12, [r2], #4
        lsr r12, r12, r3
        sxtb16 lr, r12, ror #8
        sxtb16 r12, r12
        smlad r6, r8, r12, r6
        smlad r6, r9, lr, r6
        smlad r7, r10, r12, r7
        smlad r7, r11, lr, r7
        ldr lr, [sp]
        ldr r12, [lr, #20]
    4:"
    };
}

/// Two pixels with pairs of filters: 17 instructions for 16 products, and 50 for four outputs.
///
/// # Safety
/// The pointers are to as much as the numbers say; the outputs' room and `fours` are not 0.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn pairs(work: &mut Work) {
    naked_asm!(
        assembler!(),
        "push {{r0, r4-r11, lr}}",
        "mov lr, r0",
        "2:",
        "ldr r5, [lr, #24]",
        "ldm r5!, {{r4, r6}}",
        "str r5, [lr, #24]",
        products!(),
        "str r2, [lr, #4]",
        "ldm r12!, {{r8-r11}}",
        "str r12, [lr, #20]",
        "ldrd r0, r1, [lr, #32]",
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
        "strd r0, r1, [lr, #32]",
        "ldr r3, [lr, #28]",
        "cmp r0, r3",
        "bne 2b",
        "pop {{r0, r4-r11, pc}}",
    )
}

/// What the first pair's outputs are made of: the first filter's sums for both pixels, and the second's.
///
/// # Safety
/// As [`pairs`], but there need be no room for outputs and no multipliers.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn sums(work: &Work, sums: &mut [i32; 4]) {
    naked_asm!(
        assembler!(),
        "push {{r0, r1, r4-r11, lr}}",
        "mov lr, r0",
        "ldr r5, [lr, #24]",
        "ldm r5, {{r4, r6}}",
        products!(),
        "ldr r0, [sp, #4]",
        "stm r0, {{r4-r7}}",
        "pop {{r0, r1, r4-r11, pc}}",
    )
}
