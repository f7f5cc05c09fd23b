//! Cortex-M: start, faults, semihosting.
//!
//! Addresses and bits are those of the Armv7-M Architecture Reference Manual, B3; Armv6-M and Armv8-M have the same.

use crate::device;
use core::arch::{asm, global_asm};
use cortex_m_rt::{ExceptionFrame, entry, exception};
use ember_link::CALIBRATION_INSTRUCTIONS;

#[cfg(feature = "rtt")]
mod counters;
mod systick;

#[cfg(feature = "rtt")]
pub(crate) use counters::{Timer, keep_time};
#[cfg(not(feature = "rtt"))]
pub(crate) use systick::Timer;

#[cfg(not(target_feature = "thumb2"))]
const CFSR: Option<*mut u32> = None;
#[cfg(target_feature = "thumb2")]
const CFSR: Option<*mut u32> = Some(0xE000_ED28 as *mut u32);

/// A handler for none of the chip's own interrupts, as none is ever enabled: the start-up code wants at least one entry.
#[used]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [usize; 1] = [0];

#[entry]
fn main() -> ! {
    super::start()
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    // SAFETY: CFSR is a readable register wherever the architecture has it.
    let cause = CFSR.map_or(0, |register| unsafe { register.read_volatile() });
    device::fault(frame.pc(), cause)
}

#[exception]
unsafe fn DefaultHandler(number: i16) -> ! {
    device::fault(0, number as u32)
}

/// The stack pointer here.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Runs [`CALIBRATION_INSTRUCTIONS`] instructions.
pub(crate) fn calibration_loop() {
    // SAFETY: counts a register down.
    unsafe {
        asm!(
            "2:",
            "subs {count}, #1",
            "bne 2b",
            count = inout(reg) CALIBRATION_INSTRUCTIONS / 2 => _,
            options(nomem, nostack),
        );
    }
}

/// Asks the emulator or debugger for `operation` with the arguments in `block`.
#[cfg(not(feature = "rtt"))]
#[inline(never)]
pub(crate) fn semihosting_call(operation: usize, block: &[usize; 3]) -> usize {
    let result;
    // SAFETY: a debugger reads the block and writes only into the buffer that the block says.
    unsafe {
        asm!(
            "bkpt 0xAB",
            inout("r0") operation => result,
            in("r1") block.as_ptr(),
            options(nostack, preserves_flags),
        );
    }
    result
}

// Copying and filling memory, in a tenth of the bytes that the compiler's own take. Words go four instructions each,
// odd bytes too; nothing in an inference copies much.
//
// `memcpy(to, from, bytes)` and the Arm names for it (Run-time ABI for the Arm Architecture, 4.3.4); the instructions are
// those of Armv6-M.
global_asm!(
    ".section .text.memcpy, \"ax\", %progbits",
    ".thumb",
    ".balign 2",
    ".global memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8",
    ".type memcpy, %function",
    ".thumb_func",
    "memcpy:",
    ".thumb_func",
    "__aeabi_memcpy:",
    ".thumb_func",
    "__aeabi_memcpy4:",
    ".thumb_func",
    "__aeabi_memcpy8:",
    "mov r3, r0",
    "orrs r3, r1",
    "lsls r3, r3, #30",
    "bne 5f",
    // Aligned: the odd bytes at the end first, then words from the last to the first.
    "2: lsls r3, r2, #30",
    "beq 4f",
    "subs r2, #1",
    "ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "b 2b",
    "3: ldr r3, [r1, r2]",
    "str r3, [r0, r2]",
    "4: subs r2, #4",
    "bcs 3b",
    "bx lr",
    // Not aligned: bytes.
    "6: ldrb r3, [r1, r2]",
    "strb r3, [r0, r2]",
    "5: subs r2, #1",
    "bcs 6b",
    "bx lr",
    ".size memcpy, . - memcpy",
);

// `memset(to, byte, bytes)`, and the Arm names, whose second and third arguments are the other way round.
global_asm!(
    ".section .text.memset, \"ax\", %progbits",
    ".thumb",
    ".balign 2",
    ".global memset, __aeabi_memset, __aeabi_memset4, __aeabi_memset8",
    ".global __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8",
    ".type memset, %function",
    ".thumb_func",
    "memset:",
    "mov r3, r1",
    "mov r1, r2",
    "mov r2, r3",
    "b 3f",
    ".thumb_func",
    "__aeabi_memclr:",
    ".thumb_func",
    "__aeabi_memclr4:",
    ".thumb_func",
    "__aeabi_memclr8:",
    "movs r2, #0",
    ".thumb_func",
    "__aeabi_memset:",
    ".thumb_func",
    "__aeabi_memset4:",
    ".thumb_func",
    "__aeabi_memset8:",
    "b 3f",
    "2: strb r2, [r0, r1]",
    "3: subs r1, #1",
    "bcs 2b",
    "bx lr",
    ".size memset, . - memset",
);

// `memcmp(a, b, bytes)`: the first difference decides.
global_asm!(
    ".section .text.memcmp, \"ax\", %progbits",
    ".thumb",
    ".balign 2",
    ".global memcmp",
    ".type memcmp, %function",
    ".thumb_func",
    "memcmp:",
    "push {{r4, lr}}",
    "movs r3, #0",
    "b 3f",
    "2: ldrb r4, [r0, r3]",
    "mov r12, r4",
    "ldrb r4, [r1, r3]",
    "adds r3, #1",
    "cmp r12, r4",
    "bne 4f",
    "3: cmp r3, r2",
    "bne 2b",
    "movs r0, #0",
    "pop {{r4, pc}}",
    // A difference of bytes, wide enough for its sign.
    "4: mov r0, r12",
    "subs r0, r0, r4",
    "pop {{r4, pc}}",
    ".size memcmp, . - memcmp",
);
