//! A model in its own region of flash: what is written in front of it, and how a firmware decides which one to run.
//!
//! A firmware that is built for slots has no model of its own. It looks at one or two *slots*, regions of flash that
//! begin at a sector's boundary, and runs the newest model that is whole. A new model is written into the slot that is
//! not running, so that the chip has a model to run whatever happens to the writing.
//!
//! - [`check`] reads one slot: header, length, SHA-256, signature.
//! - [`candidates`] gives the valid models of several slots, the newest first.
//! - [`LayoutRecord`] is what a firmware carries so that a host can see from the chip's flash alone where the slots are.
//! - `write` (a feature, for hosts) builds and signs slots and says which slot a new model belongs into.
//!
//! # A slot, to the byte
//!
//! Numbers are little-endian. A slot begins at a multiple of 16, and so does the model in it.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic: `EMBRSLOT` |
//! | 8 | 2 | format version: 1 |
//! | 10 | 2 | length of the header: 128 |
//! | 12 | 4 | flags: bit 0 is set when the slot is signed, the others are zero |
//! | 16 | 4 | length of the model in bytes |
//! | 20 | 4 | sequence: the slot with the greatest runs |
//! | 24 | 4 | version of the model, whatever its maker counts |
//! | 28 | 32 | SHA-256 of the model |
//! | 60 | 64 | Ed25519 signature of bytes 0 to 59; zeros when not signed |
//! | 124 | 4 | CRC-32 (IEEE 802.3) of bytes 0 to 123 |
//! | 128 | length | the model |
//!
//! Whatever follows the model is not looked at. No order of writing is needed: a slot that is written in part, or over an
//! older one, has a header whose CRC is wrong or a model whose hash is.
//!
//! **Invariants:** no standard library, no allocation, no `unsafe`; nothing here panics, whatever bytes are in flash.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "write"))]
extern crate std;

mod candidates;
mod crc;
#[cfg(feature = "ed25519")]
mod ed25519;
mod error;
mod hash;
mod header;
mod key;
mod operators;
mod record;
mod slot;
#[cfg(feature = "write")]
pub mod write;

pub use candidates::{Candidate, Candidates, candidates};
pub use error::SlotError;
pub use header::{FORMAT_VERSION, HEADER_BYTES, Header, SIGNED_BYTES, SLOT_ALIGNMENT};
pub use key::PublicKey;
pub use operators::Operators;
pub use record::{LayoutRecord, MAX_SLOTS, RECORD_BYTES, RECORD_VERSION, RecordError, SlotRange};
pub use slot::{Slot, check};
