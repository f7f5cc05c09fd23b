//! The processor: start, time, stack, faults, flash, and what an emulator or debugger reaches.
//!
//! This is the one module of the firmware with `unsafe`: assembly, the linker's symbols, hardware registers, and the one
//! `static` that is handed out as a mutable slice.

#![allow(
    unsafe_code,
    reason = "a processor is reached through registers, addresses and assembly"
)]

use crate::{device, target};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
#[cfg(feature = "rtt")]
use ember_firmware::rtt::{ControlBlock, Rtt};
use ember_link::TimerKind;

#[cfg(target_arch = "arm")]
#[path = "cortex_m.rs"]
mod arch;
#[cfg(target_arch = "riscv32")]
#[path = "riscv.rs"]
mod arch;

#[cfg(not(feature = "rtt"))]
pub(crate) use arch::semihosting_call;

#[cfg(feature = "slots")]
mod record;

// What the chip needs stored before anything else, by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/start.rs"));

/// What an RP2040 runs before this program.
#[cfg(rp2040)]
#[used]
#[unsafe(link_section = ".boot")]
static BOOT: [u8; 256] = ember_firmware::boot::RP2040;

/// How much of the memory below the top of the stack is watched, at most: enough for every model that we know of, and
/// few enough words to look through.
const STACK_WATCHED_BYTES: usize = 16 * 1024;

/// What unused stack is filled with; as a number or an address it is unlikely.
const PAINT: u32 = 0xA5A5_5A5A;

unsafe extern "C" {
    /// First byte above the stack, from the runtime crate's linker script.
    static _stack_start: u32;
    /// First byte above all variables.
    static __sheap: u32;
}

/// The one processor of the chip, after start-up.
pub(crate) struct Machine {
    timer: arch::Timer,
    stack_bottom: *mut u32,
    stack_top: *mut u32,
}

impl Machine {
    /// Starts the timer and paints the stack.
    fn new() -> Self {
        let stack_top = (&raw const _stack_start).cast_mut();
        let lowest = (&raw const __sheap).cast_mut();
        let stack_bottom = stack_top.wrapping_byte_sub(STACK_WATCHED_BYTES).max(lowest);
        let mut word = stack_bottom;
        let live = arch::stack_pointer() as *mut u32;
        while word < live {
            // SAFETY: from `__sheap` up to the stack pointer the linker script has put nothing, and the words are
            // aligned because both symbols are.
            unsafe { word.write_volatile(PAINT) };
            word = word.wrapping_add(1);
        }
        Self {
            timer: arch::Timer::start(),
            stack_bottom,
            stack_top,
        }
    }
}

impl Chip for Machine {
    fn timer(&self) -> TimerKind {
        self.timer.kind()
    }

    fn calibration_ticks(&mut self) -> u64 {
        let start = self.timer.ticks();
        arch::calibration_loop();
        self.timer.ticks() - start
    }

    fn stack_limit_bytes(&self) -> u32 {
        (self.stack_top as usize - self.stack_bottom as usize) as u32
    }

    fn stack_used_bytes(&self) -> u32 {
        let mut word = self.stack_bottom;
        // SAFETY: the range is the one that `new` painted, up to the top of the stack.
        while word < self.stack_top && unsafe { word.read_volatile() } == PAINT {
            word = word.wrapping_add(1);
        }
        (self.stack_top as usize - word as usize) as u32
    }
}

impl Clock for Machine {
    fn ticks(&mut self) -> u64 {
        self.timer.ticks()
    }
}

#[repr(C, align(16))]
struct Arena(UnsafeCell<target::Memory>);

// SAFETY: `memory` hands it out once.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new(target::MEMORY));
static ARENA_TAKEN: AtomicBool = AtomicBool::new(false);

/// The memory for tensors and the runtime's state: exactly as large as the model needs, unless the target wants room for
/// other models. Nothing when called again.
pub(crate) fn memory() -> Option<&'static mut target::Memory> {
    // Load and store, not swap: an M0 has no atomic exchange, and there is no second thread.
    if ARENA_TAKEN.load(Ordering::Relaxed) {
        return None;
    }
    ARENA_TAKEN.store(true, Ordering::Relaxed);
    // SAFETY: this line is reached once, so there is one reference.
    Some(unsafe { &mut *ARENA.0.get() })
}

/// [`memory`] as bytes, for a model that is interpreted. Empty when called again.
#[cfg(not(compiled_model))]
pub(crate) fn arena() -> &'static mut [u8] {
    memory().map_or(&mut [], |memory| memory)
}

/// The slots, with all their bytes.
#[cfg(feature = "slots")]
pub(crate) fn slots() -> [&'static [u8]; target::SLOTS.len()] {
    target::SLOTS.map(|slot| {
        // SAFETY: the caller of `build.rs` says that the chip has flash there. While the firmware runs nobody writes it: a
        // debugger stops the processor, and resets it afterwards.
        unsafe { core::slice::from_raw_parts(slot.address as *const u8, slot.length as usize) }
    })
}

/// What a debugger looks for in RAM.
#[cfg(feature = "rtt")]
#[unsafe(export_name = "_SEGGER_RTT")]
static RTT: ControlBlock<{ target::RTT_UP_BYTES }, { target::RTT_DOWN_BYTES }> =
    ControlBlock::new();

/// Is called over and over while there is nothing to do but wait for the host. Out of line, as emulators and debuggers know
/// by this function's address that it is their turn.
#[cfg(feature = "rtt")]
#[inline(never)]
fn wait_for_host() {
    arch::keep_time();
    // Without anything in it, the calls would be left away.
    core::hint::spin_loop();
}

/// Opens the carrier.
#[cfg(feature = "rtt")]
pub(crate) fn open_rtt() -> Rtt<'static, fn()> {
    RTT.open(wait_for_host)
}

/// The carrier for a fault handler.
#[cfg(feature = "rtt")]
pub(crate) fn rtt_after_fault() -> Rtt<'static, fn()> {
    RTT.attach(wait_for_host)
}

/// Does nothing until the chip is reset. Out of line, for the same reason.
#[cfg(feature = "rtt")]
#[inline(never)]
pub(crate) fn stop() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Where `arch` arrives after it has set up memory.
fn start() -> ! {
    device::run(&mut Machine::new())
}

unsafe extern "C" {
    /// Is defined nowhere: an image from which this is reachable does not link.
    fn a_path_that_panics_is_left_in_the_firmware() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: no image with this call in it exists.
    unsafe { a_path_that_panics_is_left_in_the_firmware() }
}
