//! A debug probe and the chip behind it: finding the probe, writing flash, talking over RTT.
//!
//! - [`probes`]: which probes there are, and which one is meant.
//! - [`access`]: what to do when the system does not let this user open one.
//! - [`attach`]: opening a probe and the debug port of the chip.
//! - [`flash`]: writing and reading the chip's flash.
//! - [`update`]: a new model, and nothing else.
//! - [`rtt`]: bytes to and from the running firmware.
//! - [`talk`]: images and answers over them.
//! - [`interrupt`]: what ctrl-C does meanwhile.
//! - [`deploy`]: all of it, one after the other.

pub mod access;
pub mod attach;
pub mod deploy;
pub mod flash;
pub mod interrupt;
pub mod probes;
pub mod rtt;
pub mod talk;
pub mod update;
