//! Cortex-M: start, SysTick, faults, semihosting.
//!
//! Addresses and bits are those of the Armv7-M Architecture Reference Manual, B3; Armv6-M and Armv8-M have the same.

use crate::device;
use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};
use cortex_m_rt::{ExceptionFrame, entry, exception};
use ember_link::{CALIBRATION_INSTRUCTIONS, TimerKind};

/// What the ticks are.
pub(crate) const TIMER: TimerKind = TimerKind::SysTick;

const SYST_CSR: *mut u32 = 0xE000_E010 as *mut u32;
const SYST_RVR: *mut u32 = 0xE000_E014 as *mut u32;
const SYST_CVR: *mut u32 = 0xE000_E018 as *mut u32;
const ICSR: *mut u32 = 0xE000_ED04 as *mut u32;
/// Enabled, with interrupt, at the processor's clock.
const SYST_RUN: u32 = 0b111;
const SYST_MAX: u32 = 0xFF_FFFF;
const ICSR_SYSTICK_PENDING: u32 = 1 << 26;
#[cfg(not(target_feature = "thumb2"))]
const CFSR: Option<*mut u32> = None;
#[cfg(target_feature = "thumb2")]
const CFSR: Option<*mut u32> = Some(0xE000_ED28 as *mut u32);

/// How often the 24 bits of SysTick have run out.
static WRAPS: AtomicU32 = AtomicU32::new(0);

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
fn SysTick() {
    // Load and store, not add: an M0 has no atomic addition, and nothing else writes.
    WRAPS.store(
        WRAPS.load(Ordering::Relaxed).wrapping_add(1),
        Ordering::Relaxed,
    );
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

/// SysTick as a clock that does not wrap.
pub(crate) struct Timer(());

impl Timer {
    /// Starts SysTick from its largest value, at the processor's clock.
    pub(crate) fn start() -> Self {
        // SAFETY: SysTick's registers, which nothing else writes.
        unsafe {
            SYST_RVR.write_volatile(SYST_MAX);
            SYST_CVR.write_volatile(0);
            SYST_CSR.write_volatile(SYST_RUN);
            // The counter stands at zero until its first tick loads it.
            while SYST_CVR.read_volatile() == 0 {}
        }
        Self(())
    }

    /// Ticks since [`Timer::start`].
    pub(crate) fn ticks(&mut self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            // SAFETY: both registers may always be read.
            let (count, pending) = unsafe {
                let count = SYST_CVR.read_volatile();
                (count, ICSR.read_volatile() & ICSR_SYSTICK_PENDING)
            };
            // Around a wrap the count and the number of wraps may not belong together: look again.
            if pending == 0 && WRAPS.load(Ordering::Relaxed) == wraps {
                return u64::from(wraps) << 24 | u64::from(SYST_MAX - (count & SYST_MAX));
            }
        }
    }
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
