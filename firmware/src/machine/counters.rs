//! The best timer that a Cortex-M has: the cycle counter of its DWT unit where that counts, else SysTick, else none.
//!
//! The cycle counter counts the processor's clock and disturbs nothing; SysTick takes an interrupt every 16 million ticks.
//! Registers are those of the Armv7-M Architecture Reference Manual, C1.6 and C1.8; Armv8-M's Mainline has the same, Armv6-M
//! has no such counter.

use super::systick;
use ember_link::TimerKind;

/// The timer that was found.
pub(crate) enum Timer {
    #[cfg(target_feature = "thumb2")]
    Cycles,
    SysTick(systick::Timer),
    None,
}

impl Timer {
    /// Starts the best one.
    pub(crate) fn start() -> Self {
        #[cfg(target_feature = "thumb2")]
        if cycles::start() {
            return Self::Cycles;
        }
        systick::Timer::start_if_there().map_or(Self::None, Self::SysTick)
    }

    /// What the ticks are.
    pub(crate) const fn kind(&self) -> TimerKind {
        match self {
            #[cfg(target_feature = "thumb2")]
            Self::Cycles => TimerKind::Dwt,
            Self::SysTick(_) => TimerKind::SysTick,
            Self::None => TimerKind::None,
        }
    }

    /// Ticks since the start.
    pub(crate) fn ticks(&mut self) -> u64 {
        match self {
            #[cfg(target_feature = "thumb2")]
            Self::Cycles => cycles::now(),
            Self::SysTick(timer) => timer.ticks(),
            Self::None => 0,
        }
    }
}

/// Is called over and over while the host is waited for: looks at the cycle counter, so that none of its wraps goes by unseen.
/// (An inference of a whole wrap, which is 2^32 cycles, would.)
pub(crate) fn keep_time() {
    #[cfg(target_feature = "thumb2")]
    cycles::keep();
}

#[cfg(target_feature = "thumb2")]
mod cycles {
    use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    const DEMCR: *mut u32 = 0xE000_EDFC as *mut u32;
    const DEMCR_TRACE: u32 = 1 << 24;
    const DWT_CTRL: *mut u32 = 0xE000_1000 as *mut u32;
    const DWT_CYCCNT: *mut u32 = 0xE000_1004 as *mut u32;
    /// Lock access: a Cortex-M7 takes no write without it; where there is no lock, nobody listens.
    const DWT_LAR: *mut u32 = 0xE000_1FB0 as *mut u32;
    const DWT_UNLOCK: u32 = 0xC5AC_CE55;
    const DWT_CTRL_RUN: u32 = 1;

    /// Whether the counter is in use.
    static RUNS: AtomicBool = AtomicBool::new(false);
    /// What the counter was when it was last looked at, and how often it had wrapped before.
    static LAST: AtomicU32 = AtomicU32::new(0);
    static WRAPS: AtomicU32 = AtomicU32::new(0);

    /// Starts the counter, and says whether it counts.
    pub(super) fn start() -> bool {
        // SAFETY: registers of the debug unit, which nothing else on the processor uses. The unit's own registers are only
        // touched when it is there and powered.
        let counts = unsafe {
            DEMCR.write_volatile(DEMCR.read_volatile() | DEMCR_TRACE);
            if DEMCR.read_volatile() & DEMCR_TRACE == 0 {
                return false;
            }
            DWT_LAR.write_volatile(DWT_UNLOCK);
            DWT_CTRL.write_volatile(DWT_CTRL.read_volatile() | DWT_CTRL_RUN);
            let first = DWT_CYCCNT.read_volatile();
            // Some cycles are between the two as it is: a read takes at least one.
            let second = DWT_CYCCNT.read_volatile();
            DWT_CYCCNT.read_volatile() != first || second != first
        };
        RUNS.store(counts, Ordering::Relaxed);
        counts
    }

    pub(super) fn keep() {
        if RUNS.load(Ordering::Relaxed) {
            now();
        }
    }

    /// Cycles, with the counter's wraps. Only the program asks, no interrupt, so loads and stores are enough.
    #[inline(never)]
    pub(super) fn now() -> u64 {
        // SAFETY: the counter runs, and may be read.
        let count = unsafe { DWT_CYCCNT.read_volatile() };
        let mut wraps = WRAPS.load(Ordering::Relaxed);
        if count < LAST.load(Ordering::Relaxed) {
            wraps = wraps.wrapping_add(1);
            WRAPS.store(wraps, Ordering::Relaxed);
        }
        LAST.store(count, Ordering::Relaxed);
        u64::from(wraps) << 32 | u64::from(count)
    }
}
