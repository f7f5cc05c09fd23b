//! RISC-V (RV32): start, `mcycle`, exceptions, semihosting.
//!
//! Registers are those of "The RISC-V Instruction Set Manual, Volume II"; the semihosting sequence is that of "RISC-V
//! Semihosting" 1.0.

use crate::device;
use core::arch::asm;
use ember_link::{CALIBRATION_INSTRUCTIONS, TimerKind};
use riscv_rt::{TrapFrame, entry};

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

/// The processor's own 64-bit counter.
pub(crate) struct Timer(());

impl Timer {
    /// `mcycle` runs from reset on.
    #[cfg(not(feature = "rtt"))]
    pub(crate) fn start() -> Self {
        Self(())
    }

    /// `mcycle` runs from reset on, but for cores that stop it to save power. They can be told; others may not have the
    /// register for that, so it is left alone where the counter counts.
    #[cfg(feature = "rtt")]
    pub(crate) fn start() -> Self {
        let mut timer = Self(());
        let first = timer.ticks();
        if timer.ticks() == first {
            // SAFETY: every event is counted again. Without this the counter stands still.
            unsafe { asm!("csrw mcountinhibit, zero", options(nomem, nostack)) };
        }
        timer
    }

    /// What the ticks are.
    pub(crate) const fn kind(&self) -> TimerKind {
        TimerKind::Mcycle
    }

    /// Cycles since reset.
    #[inline(never)]
    pub(crate) fn ticks(&mut self) -> u64 {
        loop {
            let (high, low, again): (u32, u32, u32);
            // SAFETY: reads counters.
            unsafe {
                asm!(
                    "csrr {}, mcycleh",
                    "csrr {}, mcycle",
                    "csrr {}, mcycleh",
                    out(reg) high,
                    out(reg) low,
                    out(reg) again,
                    options(nomem, nostack),
                );
            }
            if high == again {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }
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
