//! What passes for a slot and what does not.

use ember_slot::{Header, SlotError, candidates, check};
use proptest::prelude::*;

/// A slot of `length` bytes with a model in it, and erased flash behind it.
fn slot(model: &[u8], hash: [u8; 32], sequence: u32, length: usize) -> Vec<u8> {
    let header = Header {
        model_bytes: model.len() as u32,
        sequence,
        model_version: 7,
        hash,
        signature: None,
    };
    let mut slot = header.to_bytes().to_vec();
    slot.extend_from_slice(model);
    slot.resize(length, 0xFF);
    slot
}

/// SHA-256 of "abc" (FIPS 180-2, appendix B.1).
const ABC: [u8; 32] = [
    0xBA, 0x78, 0x16, 0xBF, 0x8F, 0x01, 0xCF, 0xEA, 0x41, 0x41, 0x40, 0xDE, 0x5D, 0xAE, 0x22, 0x23,
    0xB0, 0x03, 0x61, 0xA3, 0x96, 0x17, 0x7A, 0x9C, 0xB4, 0x10, 0xFF, 0x61, 0xF2, 0x00, 0x15, 0xAD,
];

fn abc(sequence: u32) -> Vec<u8> {
    slot(b"abc", ABC, sequence, 256)
}

#[test]
fn a_whole_slot_gives_its_model() {
    let bytes = abc(3);
    let slot = check(&bytes, None).unwrap();
    assert_eq!(slot.model, b"abc");
    assert_eq!(slot.header.sequence, 3);
    assert_eq!(slot.header.model_version, 7);
}

#[test]
fn no_bit_of_header_or_model_may_change() {
    let whole = abc(3);
    for bit in 0..(128 + 3) * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&bytes, None).is_err(), "bit {bit}");
    }
    let mut behind = whole;
    behind[131] = 0;
    assert!(check(&behind, None).is_ok());
}

#[test]
fn no_truncation_is_a_slot() {
    let whole = abc(3);
    for length in 0..131 {
        let error = check(&whole[..length], None).unwrap_err();
        match error {
            SlotError::Short { length: found } => assert_eq!((found, length < 128), (length, true)),
            SlotError::Length { model, available } => {
                assert_eq!((model, available), (3, length - 128));
            }
            other => panic!("{length}: {other}"),
        }
    }
    assert!(check(&whole[..131], None).is_ok());
}

#[test]
fn the_greatest_sequence_is_first_and_the_first_slot_of_equal_ones() {
    let (old, new) = (abc(1), abc(2));
    let order = |slots| {
        candidates::<2>(slots, None)
            .map(|one| one.index)
            .collect::<Vec<_>>()
    };
    assert_eq!(order([&old, &new]), [1, 0]);
    assert_eq!(order([&new, &old]), [0, 1]);
    assert_eq!(order([&new, &new]), [0, 1]);
    assert_eq!(order([&[], &old]), [1]);
    let mut damaged = new.clone();
    damaged[128] ^= 1;
    assert_eq!(order([&damaged, &old]), [1]);
    assert_eq!(order([&damaged, &[0xFF; 999]]), [0; 0]);
}

proptest! {
    #[test]
    fn random_bytes_are_no_slot(bytes: Vec<u8>) {
        prop_assert!(check(&bytes, None).is_err());
    }

    #[test]
    fn random_bytes_behind_a_magic_are_no_slot(bytes: [u8; 300]) {
        let mut slot = bytes;
        slot[..8].copy_from_slice(b"EMBRSLOT");
        prop_assert!(check(&slot, None).is_err());
    }
}

/// A header of random fields, whose CRC is right.
fn header() -> impl Strategy<Value = Header> {
    (
        any::<[u32; 3]>(),
        any::<[u8; 32]>(),
        any::<Option<[u8; 64]>>(),
    )
        .prop_map(
            |([model_bytes, sequence, model_version], hash, signature)| Header {
                model_bytes,
                sequence,
                model_version,
                hash,
                signature,
            },
        )
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written(header in header()) {
        prop_assert_eq!(Header::read(&header.to_bytes()), Ok(header));
    }

    #[test]
    fn a_header_alone_is_no_slot(header in header(), model: Vec<u8>) {
        let mut slot = header.to_bytes().to_vec();
        slot.extend_from_slice(&model);
        let error = check(&slot, None).unwrap_err();
        let has_length = header.model_bytes as usize <= model.len();
        prop_assert_eq!(has_length, error == SlotError::Hash, "{}", error);
        prop_assert_eq!(candidates([&slot[..], &slot], None).count(), 0);
    }

    /// The magic, the CRC and nothing else is right.
    #[test]
    fn fields_that_the_format_fixes_are_looked_at(fields: [u8; 8], rest: [u8; 108]) {
        let mut slot = b"EMBRSLOT".to_vec();
        slot.extend_from_slice(&fields);
        slot.extend_from_slice(&rest);
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&slot);
        slot.extend_from_slice(&crc.to_le_bytes());
        let error = check(&slot, None).unwrap_err();
        if fields[..2] != [1, 0] {
            prop_assert!(matches!(error, SlotError::Format { .. }), "{}", error);
        } else {
            prop_assert!(matches!(error, SlotError::Field { .. }), "{}", error);
        }
    }
}

#[test]
fn each_fixed_field_has_its_refusal() {
    let whole = abc(3);
    let changed = |offset: usize, value: u8| {
        let mut slot = whole.clone();
        slot[offset] = value;
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&slot[..124]);
        slot[124..128].copy_from_slice(&crc.to_le_bytes());
        check(&slot, None).map(|_| ())
    };
    assert_eq!(changed(8, 1), Ok(()));
    assert_eq!(changed(8, 2), Err(SlotError::Format { found: 2 }));
    assert_eq!(
        changed(10, 127),
        Err(SlotError::Field {
            field: "length",
            found: 127
        })
    );
    assert_eq!(
        changed(12, 2),
        Err(SlotError::Field {
            field: "flags",
            found: 2
        })
    );
    assert_eq!(
        changed(13, 1),
        Err(SlotError::Field {
            field: "flags",
            found: 256
        })
    );
    assert_eq!(
        changed(16, 200),
        Err(SlotError::Length {
            model: 200,
            available: 128
        })
    );
    assert_eq!(changed(16, 4), Err(SlotError::Hash));
    assert_eq!(changed(28, 0), Err(SlotError::Hash));
}
