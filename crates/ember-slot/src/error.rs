//! Why a slot is not run.

use crate::header::{FORMAT_VERSION, HEADER_BYTES, MAGIC};

/// Why a slot is not run; in the order in which [`crate::check`] looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The slot has no room for a header.
    #[error(
        "the slot has {length} bytes, and a header alone takes {HEADER_BYTES}: give it at least one sector"
    )]
    Short {
        /// Bytes of the slot.
        length: usize,
    },
    /// Nothing was written, or something else.
    #[error(
        "there is no model: the slot begins with {found:02x?} instead of {MAGIC:02x?}; deploy one"
    )]
    Magic {
        /// The first 8 bytes.
        found: [u8; 8],
    },
    /// The header is not as it was written: of an update that was cut off, or damaged.
    #[error(
        "the header's CRC is {computed:#010x} and should be {stored:#010x}: deploy the model again"
    )]
    HeaderCrc {
        /// What the header says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The slot was written by a newer Ember.
    #[error(
        "the slot has format {found}, and format {FORMAT_VERSION} is known here: use one Ember for firmware and model"
    )]
    Format {
        /// The format version.
        found: u16,
    },
    /// A field that this format fixes has another value.
    #[error("the header's {field} is {found:#x}: the slot was not built by Ember; build it again")]
    Field {
        /// Which field.
        field: &'static str,
        /// Its value.
        found: u32,
    },
    /// The model would end behind the slot's end.
    #[error(
        "the header tells of a model of {model} bytes, and the slot has room for {available}: deploy a smaller one"
    )]
    Length {
        /// Bytes of the model.
        model: u32,
        /// Bytes behind the header.
        available: usize,
    },
    /// The model is not as it was written: of an update that was cut off, or damaged.
    #[error("the model's SHA-256 is not the header's: deploy the model again")]
    Hash,
    /// The firmware wants a signature, and there is none.
    #[error(
        "the model is not signed, and the firmware has a public key: sign it with the key that belongs to it"
    )]
    Unsigned,
    /// The signature is not one of this header by the owner of this key.
    #[error(
        "the model's signature does not belong to the firmware's public key: sign it with the key that does"
    )]
    Signature,
}
