//! Finding the layout record in flash.

use ember_core::BuiltinOp;
use ember_slot::{LayoutRecord, Operators, RecordError, SlotRange};
use proptest::prelude::*;

fn record() -> LayoutRecord {
    LayoutRecord {
        link_version: 9,
        arena_bytes: 12_345,
        slots: [
            SlotRange {
                address: 0x0801_0000,
                length: 0x1_0000,
            },
            SlotRange::default(),
        ],
        operators: [BuiltinOp::Conv2d, BuiltinOp::Softmax]
            .into_iter()
            .collect(),
        key: Some([9; 32]),
    }
}

/// What the table of the format gives for [`record`], put together with Python's struct and zlib. CONV_2D is 3, SOFTMAX 25.
const BYTES: [&str; 4] = [
    "454d4252464c5348010080000100090001000000393000000000010800000100",
    "0000000000000000080000020000000000000000000000000000000000000000",
    "0000000000000000090909090909090909090909090909090909090909090909",
    "090909090909090900000000000000000000000000000000000000008d5ccea9",
];

#[test]
fn a_record_is_what_the_format_says_to_the_byte() {
    let hex: String = record()
        .to_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, BYTES.concat());
}

#[test]
fn a_record_is_found_behind_code() {
    let mut flash = vec![0x5A; 4096];
    flash[1028..1156].copy_from_slice(&record().to_bytes());
    // What only begins like one is passed over.
    flash[64..72].copy_from_slice(b"EMBRFLSH");
    assert_eq!(LayoutRecord::find(&flash).unwrap(), (1028, record()));
    assert_eq!(record().slots().count(), 1);
}

#[test]
fn no_bit_of_a_record_may_change() {
    let whole = record().to_bytes();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole;
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            LayoutRecord::find(&bytes),
            Err(RecordError::Missing { length: 128 }),
            "bit {bit}"
        );
    }
    for length in 0..whole.len() {
        assert!(LayoutRecord::find(&whole[..length]).is_err());
    }
}

#[test]
fn operators_are_a_set() {
    let two = record().operators;
    assert!(two.contains(BuiltinOp::Conv2d) && !two.contains(BuiltinOp::Add));
    let needed = two.with(BuiltinOp::Add);
    assert_eq!(needed.without(&two).collect::<Vec<_>>(), [BuiltinOp::Add]);
    for op in BuiltinOp::ALL {
        assert!(Operators::ALL.contains(*op) && !Operators::NONE.contains(*op));
        assert_eq!(
            Operators::NONE.with(*op).without(&Operators::NONE).count(),
            1
        );
    }
}

proptest! {
    #[test]
    fn random_bytes_hold_no_record(bytes: Vec<u8>) {
        prop_assert!(LayoutRecord::find(&bytes).is_err());
    }
}
