//! A slot whose model may run.

use crate::error::SlotError;
use crate::hash::sha256;
use crate::header::{HEADER_BYTES, Header};
use crate::key::PublicKey;

/// A slot that passed [`check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'s> {
    /// What stands in front of the model.
    pub header: Header,
    /// The model's file.
    pub model: &'s [u8],
}

/// Reads a slot: all its bytes as they are in flash, from the header to the end of the region. With a `key`, only a model
/// that its owner signed passes; without one, a signature is not looked at.
///
/// # Errors
/// Says what is wrong first; see [`SlotError`].
pub fn check<'s>(slot: &'s [u8], key: Option<&PublicKey>) -> Result<Slot<'s>, SlotError> {
    let header = Header::read(slot)?;
    let Some((_, rest)) = slot.split_at_checked(HEADER_BYTES) else {
        return Err(SlotError::Short { length: slot.len() });
    };
    let Some(model) = rest.get(..header.model_bytes as usize) else {
        return Err(SlotError::Length {
            model: header.model_bytes,
            available: rest.len(),
        });
    };
    if sha256(model) != header.hash {
        return Err(SlotError::Hash);
    }
    if let Some(key) = key {
        let signature = header.signature.as_ref().ok_or(SlotError::Unsigned)?;
        if !key.verifies(&header.signed_bytes(), signature) {
            return Err(SlotError::Signature);
        }
    }
    Ok(Slot { header, model })
}
