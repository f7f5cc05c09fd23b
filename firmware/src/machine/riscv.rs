//! RISC-V (RV32): start, exceptions, semihosting, and one of two timers.
//!
//! Registers are those of "The RISC-V Instruction Set Manual, Volume II"; the semihosting sequence is that of "RISC-V
//! Semihosting" 1.0.

use crate::device;
use core::arch::asm;
use ember_link::CALIBRATION_INSTRUCTIONS;
use riscv_rt::{TrapFrame, entry};

#[cfg(not(feature = "qingke"))]
#[path = "mcycle.rs"]
mod timer;
#[cfg(feature = "qingke")]
#[path = "qingke.rs"]
mod timer;

pub(crate) use timer::Timer;

#[entry]
fn main() -> ! {
    super::start()
}

/// Takes every exception, in place of the runtime crate's endless loop.
#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn exception(_frame: &TrapFrame) -> ! {
    let (pc, cause): (u32, u32);
    // SAFETY: reads two registers.
    unsafe {
        asm!("csrr {}, mepc", "csrr {}, mcause", out(reg) pc, out(reg) cause, options(nomem, nostack))
    };
    device::fault(pc, cause)
}

/// Nothing: the counter has 64 bits.
#[cfg(feature = "rtt")]
pub(crate) fn keep_time() {}

/// The stack pointer here.
#[inline(always)]
pub(crate) fn stack_pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

/// Runs [`CALIBRATION_INSTRUCTIONS`] instructions.
pub(crate) fn calibration_loop() {
    // SAFETY: counts a register down.
    unsafe {
        asm!(
            "2:",
            "addi {count}, {count}, -1",
            "bnez {count}, 2b",
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
            // The three instructions are the mark, so none may be compressed and all must lie in one page.
            ".option push",
            ".option norvc",
            ".balign 16",
            "slli x0, x0, 0x1f",
            "ebreak",
            "srai x0, x0, 7",
            ".option pop",
            inout("a0") operation => result,
            in("a1") block.as_ptr(),
            options(nostack),
        );
    }
    result
}
