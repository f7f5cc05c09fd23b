//! The firmware: receives images, infers, reports.
//!
//! One program for every chip. What differs between processors is in `machine`; the chip's memory and the model come from
//! `build.rs`. Features of the package say what is linked:
//!
//! | features | carrier | model | end |
//! |---|---|---|---|
//! | none | files of an emulator, by semihosting | in the image | exits |
//! | `rtt` | ring buffers in RAM | in the image | never |
//! | `slots` | ring buffers in RAM | the newest one in a slot of flash | never |
//! | `signed` | ring buffers in RAM | the newest one that the key's owner signed | never |
//!
//! A model in the image is either a file, which is interpreted, or it was compiled: then its source says so, `build.rs` sets
//! `compiled_model`, and neither the interpreter nor the reader of files is linked.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(all(target_os = "none", compiled_model))]
mod compiled;
#[cfg(all(target_os = "none", compiled_model))]
use compiled as device;
#[cfg(all(target_os = "none", not(compiled_model)))]
mod device;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod model;
#[cfg(all(target_os = "none", not(feature = "rtt")))]
mod semihosting;
#[cfg(target_os = "none")]
mod target;

/// There is nothing to run on a host.
#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "this is the firmware's stand-in for a host: it does nothing.\n\
         `cargo xtask firmware` builds the firmware, `cargo xtask run` runs it on an emulated machine,\n\
         `cargo xtask deploy` on a chip"
    );
    std::process::ExitCode::from(2)
}
