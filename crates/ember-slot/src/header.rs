//! The header in front of a model: its fields by name, read and written in one place.

use crate::crc::crc32;
use crate::error::SlotError;
use core::ops::Range;

/// What every slot begins with.
pub(crate) const MAGIC: [u8; 8] = *b"EMBRSLOT";

/// The version of the header that is written here; a reader refuses every other.
pub const FORMAT_VERSION: u16 = 1;

/// Bytes from the beginning of a slot to the model.
pub const HEADER_BYTES: usize = 128;

/// The first bytes of a header, which a signature is of.
pub const SIGNED_BYTES: usize = 60;

/// A slot's address is a multiple of it, and so is the model's then.
pub const SLOT_ALIGNMENT: u32 = 16;

const _: () = assert!(HEADER_BYTES.is_multiple_of(SLOT_ALIGNMENT as usize));

const SIGNED_FLAG: u32 = 1;

/// Where each field is.
mod field {
    use super::Range;

    pub(super) const FORMAT: usize = 8;
    pub(super) const HEADER_LENGTH: usize = 10;
    pub(super) const FLAGS: usize = 12;
    pub(super) const MODEL_LENGTH: usize = 16;
    pub(super) const SEQUENCE: usize = 20;
    pub(super) const MODEL_VERSION: usize = 24;
    pub(super) const HASH: Range<usize> = 28..60;
    pub(super) const SIGNATURE: Range<usize> = 60..124;
    pub(super) const CRC: usize = 124;
}

/// What a slot's header says. That it says it is no proof that the model is there: see [`crate::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the model.
    pub model_bytes: u32,
    /// The slot with the greatest sequence runs.
    pub sequence: u32,
    /// Whatever the model's maker counts.
    pub model_version: u32,
    /// SHA-256 of the model.
    pub hash: [u8; 32],
    /// Ed25519 signature of [`Header::signed_bytes`].
    pub signature: Option<[u8; 64]>,
}

impl Header {
    /// Reads the header of a slot. Looks at nothing behind it.
    ///
    /// # Errors
    /// [`SlotError::Short`], [`SlotError::Magic`], [`SlotError::HeaderCrc`], [`SlotError::Format`] and
    /// [`SlotError::Field`].
    pub fn read(slot: &[u8]) -> Result<Self, SlotError> {
        let Some(bytes) = slot.first_chunk::<HEADER_BYTES>() else {
            return Err(SlotError::Short { length: slot.len() });
        };
        let found: [u8; 8] = array(bytes, 0);
        if found != MAGIC {
            return Err(SlotError::Magic { found });
        }
        // The CRC comes first: a version that is read from a half-written header means nothing. It stays where it is in
        // every format.
        let stored = u32::from_le_bytes(array(bytes, field::CRC));
        let computed = crc32(covered(bytes));
        if stored != computed {
            return Err(SlotError::HeaderCrc { stored, computed });
        }
        let format = u16::from_le_bytes(array(bytes, field::FORMAT));
        if format != FORMAT_VERSION {
            return Err(SlotError::Format { found: format });
        }
        let header_length = u16::from_le_bytes(array(bytes, field::HEADER_LENGTH));
        if usize::from(header_length) != HEADER_BYTES {
            return Err(SlotError::Field {
                field: "length",
                found: u32::from(header_length),
            });
        }
        let flags = u32::from_le_bytes(array(bytes, field::FLAGS));
        if flags & !SIGNED_FLAG != 0 {
            return Err(SlotError::Field {
                field: "flags",
                found: flags,
            });
        }
        Ok(Self {
            model_bytes: u32::from_le_bytes(array(bytes, field::MODEL_LENGTH)),
            sequence: u32::from_le_bytes(array(bytes, field::SEQUENCE)),
            model_version: u32::from_le_bytes(array(bytes, field::MODEL_VERSION)),
            hash: array(bytes, field::HASH.start),
            signature: (flags & SIGNED_FLAG != 0).then(|| array(bytes, field::SIGNATURE.start)),
        })
    }

    /// The header as it is written in front of the model.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        self.put_signed_part(&mut bytes, self.signature.is_some());
        if let Some(signature) = &self.signature {
            put(&mut bytes, field::SIGNATURE.start, signature);
        }
        let crc = crc32(covered(&bytes));
        put(&mut bytes, field::CRC, &crc.to_le_bytes());
        bytes
    }

    /// What a signature of this header is of: every field before the signature, with the flag that says that there is
    /// one. So neither hash, nor sequence, nor any length can be changed under a signature.
    #[must_use]
    pub fn signed_bytes(&self) -> [u8; SIGNED_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        self.put_signed_part(&mut bytes, true);
        array(&bytes, 0)
    }

    fn put_signed_part(&self, bytes: &mut [u8; HEADER_BYTES], signed: bool) {
        let flags = if signed { SIGNED_FLAG } else { 0 };
        put(bytes, 0, &MAGIC);
        put(bytes, field::FORMAT, &FORMAT_VERSION.to_le_bytes());
        put(
            bytes,
            field::HEADER_LENGTH,
            &(HEADER_BYTES as u16).to_le_bytes(),
        );
        put(bytes, field::FLAGS, &flags.to_le_bytes());
        put(bytes, field::MODEL_LENGTH, &self.model_bytes.to_le_bytes());
        put(bytes, field::SEQUENCE, &self.sequence.to_le_bytes());
        put(
            bytes,
            field::MODEL_VERSION,
            &self.model_version.to_le_bytes(),
        );
        put(bytes, field::HASH.start, &self.hash);
    }
}

/// What the CRC is of.
fn covered(bytes: &[u8; HEADER_BYTES]) -> &[u8] {
    bytes.split_at(field::CRC).0
}

/// The `N` bytes at a constant offset; zeros where the header does not reach, which the constants rule out.
pub(crate) fn array<const N: usize, const OF: usize>(bytes: &[u8; OF], offset: usize) -> [u8; N] {
    bytes
        .get(offset..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

fn put(bytes: &mut [u8; HEADER_BYTES], offset: usize, field: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(offset).zip(field) {
        *to = *from;
    }
}
