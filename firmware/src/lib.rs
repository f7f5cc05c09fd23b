//! What the firmware does, without the chip: everything here runs on the host too, and is tested there.
//!
//! [`app::serve`] is the program: it needs something that carries bytes ([`transport::Transport`]), something that
//! infers ([`engine::Engine`], such as [`interpreter::Interpreted`]) and something that counts ([`clock::Clock`]).
//! [`app::converse`] is that with a hello before it and a goodbye after it, for which it needs a [`chip::Chip`]. `main.rs` has
//! a real one.
//!
//! **Invariants:** no standard library, no allocation, no floating-point formatting, and no path that panics: an image
//! that could panic does not link.

#![cfg_attr(not(test), no_std)]

pub mod app;
pub mod boot;
pub mod chip;
pub mod clock;
pub mod engine;
pub mod interpreter;
pub mod rtt;
pub mod slots;
pub mod transport;
