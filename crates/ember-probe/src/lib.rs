//! Chips that can be bought and the probes that reach them.
//!
//! - [`chips`]: from a chip's name to a [`Plan`](ember_deploy::chip::Plan).

pub mod chips;
