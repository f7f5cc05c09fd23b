//! Building slots, on a host: header, hash, signature, and which slot a new model belongs into.

use crate::candidates::candidates;
use crate::hash::sha256;
use crate::header::{HEADER_BYTES, Header};
use crate::key::PublicKey;
use crate::record::MAX_SLOTS;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use std::string::{String, ToString};
use std::vec::Vec;

/// Why no slot can be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// There is nothing to write.
    #[error("the model is empty: give the bytes of a .tflite file")]
    Empty,
    /// No chip has such a flash.
    #[error(
        "the model has {bytes} bytes, and a slot's header can tell of {} at most",
        u32::MAX
    )]
    TooLarge {
        /// Bytes of the model.
        bytes: usize,
    },
    /// The running model has the greatest sequence that there is.
    #[error(
        "the model in slot {slot} has sequence {}, which none can follow: deploy the firmware again, which begins anew",
        u32::MAX
    )]
    LastSequence {
        /// Where it is.
        slot: usize,
    },
    /// The text is no private key.
    #[error(
        "not an Ed25519 private key in PEM form ({problem}); make one with `openssl genpkey -algorithm ed25519 -out key.pem`"
    )]
    PrivateKey {
        /// What the parser says.
        problem: String,
    },
    /// The text is no public key.
    #[error(
        "not an Ed25519 public key in PEM form ({problem}); get it with `openssl pkey -in key.pem -pubout`"
    )]
    PublicKey {
        /// What the parser says.
        problem: String,
    },
}

/// The private key that models are signed with.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Reads PKCS#8 in PEM form (RFC 8410), as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// [`BuildError::PrivateKey`].
    pub fn from_pem(text: &str) -> Result<Self, BuildError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(text)
            .map(Self)
            .map_err(|error| BuildError::PrivateKey {
                problem: error.to_string(),
            })
    }

    /// The key that a firmware is built with, so that it runs what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.0.verifying_key().to_bytes())
    }
}

impl core::fmt::Debug for SigningKey {
    /// Says whose it is, and not what it is.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

impl PublicKey {
    /// Reads a public key in PEM form (RFC 8410), as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// [`BuildError::PublicKey`], also for a point of small order, for which anybody could sign.
    pub fn from_pem(text: &str) -> Result<Self, BuildError> {
        let bad = |problem| BuildError::PublicKey { problem };
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(text)
            .map_err(|error| bad(error.to_string()))?;
        if key.is_weak() {
            return Err(bad("a point of small order".to_string()));
        }
        Ok(Self::new(key.to_bytes()))
    }

    /// The first 8 bytes of the key's SHA-256, for people to compare.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = sha256(self.as_bytes());
        [a, b, c, d, e, f, g, h]
    }
}

/// What is written at the beginning of a slot: a header and its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotImage {
    header: Header,
    bytes: Vec<u8>,
}

impl SlotImage {
    /// The image of a model; signed, where there is a `key`. `sequence` is [`NextSlot::sequence`], `model_version` is
    /// whatever the model's maker counts.
    ///
    /// # Errors
    /// [`BuildError::Empty`] and [`BuildError::TooLarge`].
    pub fn new(
        model: &[u8],
        sequence: u32,
        model_version: u32,
        key: Option<&SigningKey>,
    ) -> Result<Self, BuildError> {
        if model.is_empty() {
            return Err(BuildError::Empty);
        }
        let mut header = Header {
            model_bytes: u32::try_from(model.len())
                .map_err(|_| BuildError::TooLarge { bytes: model.len() })?,
            sequence,
            model_version,
            hash: sha256(model),
            signature: None,
        };
        header.signature = key.map(|key| key.0.sign(&header.signed_bytes()).to_bytes());
        let mut bytes = Vec::with_capacity(HEADER_BYTES + model.len());
        bytes.extend_from_slice(&header.to_bytes());
        bytes.extend_from_slice(model);
        Ok(Self { header, bytes })
    }

    /// What the header says.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Header and model.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Header and model.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Where a new model belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextSlot {
    /// The slot to write.
    pub index: usize,
    /// The sequence that makes it the one that runs.
    pub sequence: u32,
    /// The slot that runs now, if any does. It is [`NextSlot::index`] only where there is no other slot.
    pub running: Option<usize>,
}

/// Which slot to write next, given all bytes of each as they are in flash: not the one that runs, if there is another.
///
/// # Errors
/// [`BuildError::LastSequence`].
pub fn next_slot(slots: &[&[u8]], key: Option<&PublicKey>) -> Result<NextSlot, BuildError> {
    let mut all: [&[u8]; MAX_SLOTS] = [&[]; MAX_SLOTS];
    for (place, slot) in all.iter_mut().zip(slots) {
        *place = slot;
    }
    let Some(running) = candidates(all, key).next() else {
        return Ok(NextSlot {
            index: 0,
            sequence: 1,
            running: None,
        });
    };
    let other = (0..slots.len().min(MAX_SLOTS)).find(|index| *index != running.index);
    let slot = running.index;
    Ok(NextSlot {
        index: other.unwrap_or(slot),
        sequence: running
            .slot
            .header
            .sequence
            .checked_add(1)
            .ok_or(BuildError::LastSequence { slot })?,
        running: Some(slot),
    })
}
