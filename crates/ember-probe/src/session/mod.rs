//! A debug probe and the chip behind it: finding the probe, writing flash, talking over RTT.
//!
//! - [`probes`]: which probes there are, and which one is meant.
//! - [`access`]: what to do when the system does not let this user open one.
//! - [`attach`]: opening a probe and the debug port of the chip.

pub mod access;
pub mod attach;
pub mod probes;
