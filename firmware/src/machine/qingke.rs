//! SysTick of WCH's QingKe V4, a 64-bit timer in place of `mcycle`, which these processors lack.
//!
//! Registers are those of the reference manuals of CH32V20x/30x (chapter 9), CH32X035 and CH32L103. QingKe V3A has them
//! elsewhere: what is read here as the counter does not move there, and then there is no timer.

use ember_link::TimerKind;

const CTLR: *mut u32 = 0xE000_F000 as *mut u32;
const CNTL: *const u32 = 0xE000_F008 as *const u32;
const CNTH: *const u32 = 0xE000_F00C as *const u32;
/// Enabled, at the processor's clock, counting up and on and on, no interrupt: STE and STCLK.
const CTLR_RUN: u32 = 0b101;

/// The timer.
pub(crate) struct Timer {
    counts: bool,
}

impl Timer {
    /// Starts SysTick where it is, and sees whether it counts.
    pub(crate) fn start() -> Self {
        // SAFETY: SysTick's registers, which nothing else uses.
        let counts = unsafe {
            CTLR.write_volatile(CTLR_RUN);
            let first = CNTL.read_volatile();
            // Some cycles are between the two as it is: a read takes at least one.
            let second = CNTL.read_volatile();
            CNTL.read_volatile() != first || second != first
        };
        Self { counts }
    }

    /// What the ticks are.
    pub(crate) const fn kind(&self) -> TimerKind {
        if self.counts {
            TimerKind::SysTick
        } else {
            TimerKind::None
        }
    }

    /// Ticks since it was first started.
    #[inline(never)]
    pub(crate) fn ticks(&mut self) -> u64 {
        if !self.counts {
            return 0;
        }
        loop {
            // SAFETY: the counter may always be read.
            let (high, low, again) = unsafe {
                (
                    CNTH.read_volatile(),
                    CNTL.read_volatile(),
                    CNTH.read_volatile(),
                )
            };
            // Around a carry the halves may not belong together: look again.
            if high == again {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }
}
