//! Chips that can be bought and the probes that reach them.
//!
//! - [`chips`]: from a chip's name to a [`Plan`](ember_deploy::chip::Plan).
//! - [`hex`]: the files that are flashed.
//! - [`session`]: from a plan and an image to answers of the chip.

pub mod chips;
mod error;
pub mod hex;
pub mod session;

pub use error::ProbeError;
