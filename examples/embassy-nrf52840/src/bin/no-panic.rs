//! The proof that nothing in `classifier.rs` can panic: this program has no panic handler that could be linked, so it
//! links only if no panic is reachable. It is never run.

#![no_std]
#![no_main]

#[path = "../classifier.rs"]
mod classifier;

use core::hint::black_box;

/// The chip's interrupts: none, and so nothing of embassy, whose handlers are not what this is about.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
static __INTERRUPTS: [usize; 1] = [0];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: there is no such function, so there is no program that could call it.
    unsafe { a_panic_is_reachable() }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut memory = classifier::Memory::new();
    let mut model = classifier::prepare(&mut memory);
    loop {
        let image = black_box([0; _]);
        let digit = model
            .as_mut()
            .map(|model| classifier::classify(model, &image));
        black_box(digit);
    }
}
