//! From a model to a running device: builds the firmware, turns it into the files that flash tools take, checks that it
//! fits, and runs it on an emulated chip.
//!
//! - [`machine`]: the emulated machines, as data.
//! - [`chip`]: what is known of a chip that can be bought, as data.
//! - [`firmware`]: builds the firmware for one of them.
//! - [`layout`]: where the firmware and its models lie in a chip's flash.
//! - [`update`]: gives a chip a new model and leaves its firmware.
//! - [`image`]: what is in the ELF file: sizes, BIN, Intel HEX, UF2.
//! - [`converse`]: the host's side of the conversation with it, over any carrier of bytes.
//! - [`emulate`]: runs it, in QEMU or in the built-in emulator, and collects what it says.
//! - [`findings`]: what a program found out on a chip, as JSON for the program that started it.

pub mod chip;
pub mod converse;
pub mod emulate;
mod error;
pub mod findings;
pub mod firmware;
pub mod image;
pub mod layout;
pub mod machine;
pub mod update;

pub use error::{DeployError, describe_refusal};
