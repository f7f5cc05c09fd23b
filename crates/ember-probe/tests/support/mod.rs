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
pub mod memory;
pub mod probe;
