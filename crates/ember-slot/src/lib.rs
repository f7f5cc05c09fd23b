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
//! # What a key protects from, and what not
//!
//! A firmware that is built with a public key runs a model only when the owner of the private key signed its header, and
//! with it the model's length, hash, version and sequence.
//!
//! - *It protects from a model that somebody else made*, whoever can write the slots: a rogue update tool, a file that was
//!   swapped on its way, a fault in flash. Nothing under the signature can be changed, and a signature has one form only.
//! - *It does not let an older signed model win over a newer one*: the sequence is signed, and the greatest valid one runs.
//! - *It does not protect from rollback by erasing.* Who can erase the newer slot can write an older signed model, and that
//!   one runs: there is no counter outside of the slots that could remember what was there. Whoever must rule that out
//!   needs a chip with monotonic counters.
//! - *It does not protect from whoever has a debugger at the chip*: such a person writes another firmware, or another key.
//!   Lock the debug port by the chip's own means; Ember does not, as that cannot be undone.
//! - *It does not hide the model.* Whoever reads flash has it.
//! - *Without a key* the hash protects from accidents, and from nobody.
//! - The model is hashed when the chip starts and not again: who can change flash while the firmware runs changes what
//!   runs.
//!
//! # What it costs on a chip
//!
//! Linked into a firmware whose panic handler does not link (opt-level `s`, fat LTO, Rust 1.95), instructions counted in QEMU:
//!
//! | | thumbv6m | thumbv7em | riscv32imac |
//! |---|---|---|---|
//! | reading slots with SHA-256, layout record: bytes of flash | 3,512 | 3,560 | 3,384 |
//! | SHA-256: instructions per byte of model | 98 | 58 | 82 |
//! | feature `ed25519` with SHA-512: bytes of flash | 5,832 | 6,040 | 7,244 |
//! | verifying a signature: million instructions | 20.8 | 16.0 | 18.4 |
//!
//! In the whole firmware the feature takes 5,208 and 6,440 bytes (thumbv6m, riscv32imac), as `memcpy` and the like are there
//! already, and the deepest stack, once, before the first inference, is 3,468 bytes instead of 2,208.
//!
//! SHA-256 and SHA-512 are those of the crate `sha2`, in the small form that has a feature in its version 0.10; as version
//! 0.11 builds it, SHA-256 alone takes 11 KB and 14 KB, and its small form takes a compiler flag for the whole build. For
//! Ed25519 there was no crate to take: each of these leaves a path that panics, so that no firmware links with it. They
//! are larger, too, or slower by far. Flash is that of the whole test program, which has 480 and 768 bytes of its own:
//!
//! | | thumbv6m: flash, million instructions | riscv32imac |
//! |---|---|---|
//! | ed25519-compact 2.6, `opt_size` | 20,632 B, 13.7 | 26,508 B, 4.7 |
//! | ed25519-dalek 3.0, without tables | 48,208 B, 14.2 | 75,776 B, 4.2 |
//! | salty 0.3 | 12,652 B, 190.9 | 14,988 B, 84.1 |
//!
//! So the verification, and only that, is our own: some 350 lines, compared with ed25519-dalek and RFC 8032 in its tests.
//! Signing, on a host, is ed25519-dalek's.
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
