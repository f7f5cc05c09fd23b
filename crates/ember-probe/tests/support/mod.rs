//! A Cortex-M chip and a debug probe that exist only in memory. probe-rs attaches to them as to real ones.
//!
//! What is real: everything above the registers of the debug port and of the core, so probe-rs's session, cores, flash
//! loader and RTT. What is simulated: memory, the debug registers of an Arm Cortex-M (Armv7-M Architecture Reference
//! Manual, C1.6), and the effect of each routine of a flash algorithm, found by its address (the routine's machine code
//! is not executed). Flash is stricter than most chips: it takes bytes only where it was erased, and only through its
//! algorithm.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it, and has no outside"
)]

pub mod chip;
pub mod device;
pub mod memory;
pub mod network;
pub mod probe;

use chip::Chip;
use ember_probe::session::attach::{Attached, Wish, attach};
use ember_progress::{Console, Mode};
use probe::Board;
use probe_rs::Target;
use probe_rs::architecture::arm::sequences::DefaultArmSequence;
use probe_rs::config::{DebugSequence, Registry};

/// A console that writes nothing.
pub fn quiet() -> Console {
    let mode = Mode {
        interactive: false,
        color: false,
        quiet: true,
    };
    Console::with(mode, Box::new(std::io::sink()), Box::new(std::io::sink()))
}

/// The chip as the registry has it, but for the maker's way of unlocking and resetting it, which needs registers that
/// the simulation does not have.
pub fn target(registry: &Registry, name: &str) -> Target {
    with_default_sequence(registry.get_target_by_name(name).unwrap())
}

/// The chip without its maker's own sequences.
pub fn with_default_sequence(mut target: Target) -> Target {
    target.debug_sequence = DebugSequence::Arm(DefaultArmSequence::create());
    target
}

/// A board with the chip, and a session with it.
pub fn board(target: &Target) -> (Board, Attached) {
    let board = Board::new(Chip::new(target));
    let attached = attach(&board.lister(), &Wish::default(), target.clone()).unwrap();
    (board, attached)
}
