//! The kernels on a processor's own code, against their definitions on random shapes: an image for the emulator, which
//! `tests/cores.rs` builds and runs. It ends with status 0, or says which case failed and ends with 1.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![allow(
    unsafe_code,
    reason = "the start of a processor and calls to the emulator"
)]

#[cfg(target_os = "none")]
mod cases;
#[cfg(target_os = "none")]
mod core_start;
#[cfg(target_os = "none")]
mod quantization;
#[cfg(target_os = "none")]
mod random;

/// On a host there is nothing to see.
#[cfg(not(target_os = "none"))]
fn main() {}
