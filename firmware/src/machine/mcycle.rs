//! `mcycle`, the cycle counter of a RISC-V core.
//!
//! Registers are those of "The RISC-V Instruction Set Manual, Volume II".

use core::arch::asm;
use ember_link::TimerKind;

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
