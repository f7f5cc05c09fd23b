//! What a firmware carries so that a host can see from the chip's flash alone how to update its model.

use crate::crc::crc32;
use crate::header::{FORMAT_VERSION, array};
use crate::operators::Operators;

const MAGIC: [u8; 8] = *b"EMBRFLSH";

/// The version of the record that is written here; a reader refuses every other.
pub const RECORD_VERSION: u16 = 1;

/// Bytes of a record.
pub const RECORD_BYTES: usize = 128;

/// A firmware has at most so many slots.
pub const MAX_SLOTS: usize = 2;

/// A record's address in flash is a multiple of it.
const ALIGNMENT: usize = 4;

const KEYED_FLAG: u32 = 1;

const RECORD_VERSION_AT: usize = 8;
const LENGTH_AT: usize = 10;
const SLOT_FORMAT_AT: usize = 12;
const LINK_VERSION_AT: usize = 14;
const FLAGS_AT: usize = 16;
const ARENA_AT: usize = 20;
const SLOTS_AT: usize = 24;
const SLOT_BYTES: usize = 8;
const OPERATORS_AT: usize = 40;
const KEY_AT: usize = 72;
const CRC_AT: usize = 124;

/// Where a slot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotRange {
    /// First address; a multiple of [`crate::SLOT_ALIGNMENT`].
    pub address: u32,
    /// Bytes, header included; 0 for no slot.
    pub length: u32,
}

/// What a host has to know of a firmware to give it a model.
///
/// Numbers are little-endian; the record begins at a multiple of 4.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 8 | magic: `EMBRFLSH` |
/// | 8 | 2 | version of the record: 1 |
/// | 10 | 2 | length of the record: 128 |
/// | 12 | 2 | version of the slots' format: 1 |
/// | 14 | 2 | version of the frames that the firmware speaks |
/// | 16 | 4 | flags: bit 0 is set when a model must be signed, the others are zero |
/// | 20 | 4 | bytes of the arena |
/// | 24 | 16 | the slots: address and length in bytes of each; a length of 0 for none |
/// | 40 | 32 | the operators that the firmware has kernels for: [`Operators`] |
/// | 72 | 32 | the Ed25519 public key that a model must be signed for; zeros for none |
/// | 104 | 20 | zeros |
/// | 124 | 4 | CRC-32 (IEEE 802.3) of bytes 0 to 123 |
///
/// ```
/// use ember_slot::{LayoutRecord, Operators, RECORD_BYTES, SlotRange};
///
/// static RECORD: [u8; RECORD_BYTES] = LayoutRecord {
///     link_version: 1,
///     arena_bytes: 4096,
///     slots: [
///         SlotRange { address: 0x0801_0000, length: 0x1_0000 },
///         SlotRange { address: 0x0802_0000, length: 0x2_0000 },
///     ],
///     operators: Operators::ALL,
///     key: None,
/// }
/// .to_bytes();
///
/// assert_eq!(LayoutRecord::find(&RECORD).unwrap().1.arena_bytes, 4096);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayoutRecord {
    /// The version of the frames that the firmware speaks: `ember_link::PROTOCOL_VERSION`.
    pub link_version: u16,
    /// Bytes of the arena: a model that needs more cannot run.
    pub arena_bytes: u32,
    /// The slots; unused ones have no length.
    pub slots: [SlotRange; MAX_SLOTS],
    /// What the firmware has kernels for. A model that needs another builtin operator cannot run.
    pub operators: Operators,
    /// The Ed25519 public key of the firmware: a model that its owner did not sign does not run.
    pub key: Option<[u8; 32]>,
}

/// Why there is no layout record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not in these bytes.
    #[error(
        "there is no layout record of Ember's firmware in {length} bytes: deploy the firmware and a model first"
    )]
    Missing {
        /// Bytes that were looked through.
        length: usize,
    },
    /// One is there, by a newer Ember.
    #[error(
        "the firmware's layout record at offset {offset:#x} has version {found}, and version {RECORD_VERSION} is known here: update with the Ember that built the firmware"
    )]
    Version {
        /// Where it is.
        offset: usize,
        /// Its version.
        found: u16,
    },
    /// One is there, and a field that this version fixes has another value.
    #[error(
        "the layout record at offset {offset:#x} was not made by Ember: its {field} is {found:#x}; deploy the firmware again"
    )]
    Field {
        /// Where it is.
        offset: usize,
        /// Which field.
        field: &'static str,
        /// Its value.
        found: u32,
    },
}

impl LayoutRecord {
    /// The slots that there are.
    pub fn slots(&self) -> impl Iterator<Item = SlotRange> + '_ {
        self.slots.iter().copied().filter(|slot| slot.length > 0)
    }

    /// The record as the firmware carries it; a constant when the record is.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, RECORD_VERSION_AT, &RECORD_VERSION.to_le_bytes());
        put(&mut bytes, LENGTH_AT, &(RECORD_BYTES as u16).to_le_bytes());
        put(&mut bytes, SLOT_FORMAT_AT, &FORMAT_VERSION.to_le_bytes());
        put(
            &mut bytes,
            LINK_VERSION_AT,
            &self.link_version.to_le_bytes(),
        );
        let flags = if self.key.is_some() { KEYED_FLAG } else { 0 };
        put(&mut bytes, FLAGS_AT, &flags.to_le_bytes());
        put(&mut bytes, ARENA_AT, &self.arena_bytes.to_le_bytes());
        let mut index = 0;
        while index < MAX_SLOTS {
            let SlotRange { address, length } = self.slots[index];
            let at = SLOTS_AT + index * SLOT_BYTES;
            put(&mut bytes, at, &address.to_le_bytes());
            put(&mut bytes, at + 4, &length.to_le_bytes());
            index += 1;
        }
        put(&mut bytes, OPERATORS_AT, &self.operators.to_bytes());
        if let Some(key) = &self.key {
            put(&mut bytes, KEY_AT, key);
        }
        let crc = crc32(bytes.split_at(CRC_AT).0);
        put(&mut bytes, CRC_AT, &crc.to_le_bytes());
        bytes
    }

    /// Finds the record in what was read from flash, at its offset. `flash` begins at a multiple of 4.
    ///
    /// # Errors
    /// [`RecordError`]. Bytes that only begin like a record are passed over.
    pub fn find(flash: &[u8]) -> Result<(usize, Self), RecordError> {
        let offsets = (0..flash.len()).step_by(ALIGNMENT);
        for offset in offsets {
            let Some(bytes) = flash.get(offset..).and_then(|rest| rest.first_chunk()) else {
                break;
            };
            if bytes.starts_with(&MAGIC)
                && u32::from_le_bytes(array(bytes, CRC_AT)) == crc32(bytes.split_at(CRC_AT).0)
            {
                return Self::read(bytes, offset).map(|record| (offset, record));
            }
        }
        Err(RecordError::Missing {
            length: flash.len(),
        })
    }

    /// Reads a record whose CRC is right.
    fn read(bytes: &[u8; RECORD_BYTES], offset: usize) -> Result<Self, RecordError> {
        let half = |at| u16::from_le_bytes(array(bytes, at));
        let word = |at| u32::from_le_bytes(array(bytes, at));
        let version = half(RECORD_VERSION_AT);
        if version != RECORD_VERSION {
            return Err(RecordError::Version {
                offset,
                found: version,
            });
        }
        let fixed = |field, found, right: bool| {
            if right {
                Ok(())
            } else {
                Err(RecordError::Field {
                    offset,
                    field,
                    found,
                })
            }
        };
        let length = half(LENGTH_AT);
        fixed(
            "length",
            u32::from(length),
            usize::from(length) == RECORD_BYTES,
        )?;
        let flags = word(FLAGS_AT);
        fixed("flags", flags, flags & !KEYED_FLAG == 0)?;
        let slot_format = half(SLOT_FORMAT_AT);
        fixed(
            "slot format",
            u32::from(slot_format),
            slot_format == FORMAT_VERSION,
        )?;
        let slot = |index| SlotRange {
            address: word(SLOTS_AT + index * SLOT_BYTES),
            length: word(SLOTS_AT + index * SLOT_BYTES + 4),
        };
        Ok(Self {
            link_version: half(LINK_VERSION_AT),
            arena_bytes: word(ARENA_AT),
            slots: core::array::from_fn(slot),
            operators: Operators::from_bytes(array(bytes, OPERATORS_AT)),
            key: (flags & KEYED_FLAG != 0).then(|| array(bytes, KEY_AT)),
        })
    }
}

const fn put(bytes: &mut [u8; RECORD_BYTES], offset: usize, field: &[u8]) {
    let mut index = 0;
    while index < field.len() {
        bytes[offset + index] = field[index];
        index += 1;
    }
}
