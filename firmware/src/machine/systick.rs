//! SysTick, the 24-bit timer that nearly every Cortex-M has, as a clock that does not wrap.

use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m_rt::exception;
#[cfg(not(feature = "rtt"))]
use ember_link::TimerKind;

const SYST_CSR: *mut u32 = 0xE000_E010 as *mut u32;
const SYST_RVR: *mut u32 = 0xE000_E014 as *mut u32;
const SYST_CVR: *mut u32 = 0xE000_E018 as *mut u32;
const ICSR: *mut u32 = 0xE000_ED04 as *mut u32;
/// Enabled, with interrupt, at the processor's clock.
const SYST_RUN: u32 = 0b111;
const SYST_MAX: u32 = 0xFF_FFFF;
const ICSR_SYSTICK_PENDING: u32 = 1 << 26;

/// How often the 24 bits of SysTick have run out.
static WRAPS: AtomicU32 = AtomicU32::new(0);

#[exception]
fn SysTick() {
    // Load and store, not add: an M0 has no atomic addition, and nothing else writes.
    WRAPS.store(
        WRAPS.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
}

/// The timer.
pub(crate) struct Timer(());

impl Timer {
    /// Starts SysTick from its largest value, at the processor's clock. An emulated machine has one.
    #[cfg(not(feature = "rtt"))]
    pub(crate) fn start() -> Self {
        let timer = Self::enable();
        // The counter stands at zero until its first tick loads it.
        while count() == 0 {}
        timer
    }

    /// The same on a chip that may have none.
    #[cfg(feature = "rtt")]
    pub(crate) fn start_if_there() -> Option<Self> {
        /// Looks at the counter before it is taken for dead: a tick is one cycle of the processor, or some of a slower
        /// clock.
        const LOOKS: u32 = 1 << 16;
        let timer = Self::enable();
        let mut looks = 0;
        while count() == 0 {
            looks += 1;
            if looks == LOOKS {
                return None;
            }
        }
        Some(timer)
    }

    #[inline(always)]
    fn enable() -> Self {
        // SAFETY: SysTick's registers, which nothing else writes.
        unsafe {
            SYST_RVR.write_volatile(SYST_MAX);
            SYST_CVR.write_volatile(0);
            SYST_CSR.write_volatile(SYST_RUN);
        }
        Self(())
    }

    /// What the ticks are.
    #[cfg(not(feature = "rtt"))]
    pub(crate) const fn kind(&self) -> TimerKind {
        TimerKind::SysTick
    }

    /// Ticks since the start.
    #[inline(never)]
    pub(crate) fn ticks(&mut self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            let count = count();
            // SAFETY: the register may always be read.
            let pending = unsafe { ICSR.read_volatile() } & ICSR_SYSTICK_PENDING;
            // Around a wrap the count and the number of wraps may not belong together: look again.
            if pending == 0 && WRAPS.load(Ordering::Relaxed) == wraps {
                return u64::from(wraps) << 24 | u64::from(SYST_MAX - (count & SYST_MAX));
            }
        }
    }
}

#[inline(always)]
fn count() -> u32 {
    // SAFETY: the register may always be read.
    unsafe { SYST_CVR.read_volatile() }
}
