//! Building, signing and replacing models.
#![cfg(feature = "write")]

use ember_slot::write::{BuildError, NextSlot, SigningKey, SlotImage, next_slot};
use ember_slot::{PublicKey, SlotError, candidates, check};
use proptest::prelude::*;

/// Made with `openssl genpkey -algorithm ed25519`, used nowhere else.
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIIJHyOSmZHTtIwaM1w5Rrww5eFhitMJLcKagUlqTo1gT
-----END PRIVATE KEY-----
";

/// Made from it with `openssl pkey -pubout`.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAyyIITqBZMQqqCiHDEB527xqyMINElwNSkPgKguhRCCg=
-----END PUBLIC KEY-----
";

fn key() -> SigningKey {
    SigningKey::from_pem(KEY).unwrap()
}

/// A slot of 4 KiB with a model of `model.len()` bytes.
fn slot(model: &[u8], sequence: u32, key: Option<&SigningKey>) -> Vec<u8> {
    let mut bytes = SlotImage::new(model, sequence, 0, key)
        .unwrap()
        .into_bytes();
    bytes.resize(4096, 0xFF);
    bytes
}

#[test]
fn keys_are_read_as_openssl_writes_them() {
    let public = PublicKey::from_pem(PUBLIC).unwrap();
    assert_eq!(public, key().public());
    assert_eq!(format!("{:?}", key()), format!("SigningKey({public:?})"));
    for broken in ["", "key", &KEY.replace("MC4", "MC5"), PUBLIC] {
        assert!(matches!(
            SigningKey::from_pem(broken),
            Err(BuildError::PrivateKey { .. })
        ));
    }
    for broken in ["", "key", &PUBLIC.replace("MCo", "MCp"), KEY] {
        assert!(matches!(
            PublicKey::from_pem(broken),
            Err(BuildError::PublicKey { .. })
        ));
    }
}

/// The header that the table of the format gives for the model "abc", put together with Python's struct, hashlib and zlib,
/// and signed with `openssl pkeyutl -sign -rawin`.
const HEADER: [&str; 4] = [
    "454d4252534c4f540100800001000000030000000300000007000000ba7816bf",
    "8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad55908760",
    "af67f74140325d04941ed39f2a13879e60613d35720947e998a262399c142c35",
    "432e6886347520578f1dd5fd094e2d670e445eedc1870bbbdd619005d3bd74d8",
];

#[test]
fn a_header_is_what_the_format_says_to_the_byte() {
    let image = SlotImage::new(b"abc", 3, 7, Some(&key())).unwrap();
    let hex: String = image.bytes()[..128]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, HEADER.concat());
    assert_eq!(&image.bytes()[128..], b"abc");
}

#[test]
fn a_key_of_small_order_is_refused() {
    // y = 1, the neutral element.
    let weak = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END PUBLIC KEY-----
";
    match PublicKey::from_pem(weak) {
        Err(BuildError::PublicKey { problem }) => assert!(problem.contains("small order")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_keyed_firmware_runs_only_what_its_key_signed() {
    let public = key().public();
    let stranger = SigningKey::from_pem(STRANGER).unwrap();
    let signed = slot(b"model", 1, Some(&key()));
    assert_eq!(check(&signed, Some(&public)).unwrap().model, b"model");
    assert_eq!(
        check(&slot(b"model", 1, None), Some(&public)),
        Err(SlotError::Unsigned)
    );
    assert_eq!(
        check(&slot(b"model", 1, Some(&stranger)), Some(&public)),
        Err(SlotError::Signature)
    );
    // Without a key the signature is not looked at.
    assert!(check(&signed, None).is_ok());
}

#[test]
fn nothing_under_a_signature_can_be_changed() {
    // Each field is changed and everything that is no secret is made right again: hash and CRC.
    let public = key().public();
    let image = SlotImage::new(b"model", 5, 9, Some(&key())).unwrap();
    type Change = fn(&mut ember_slot::Header);
    let changes: [Change; 3] = [
        |header| header.sequence += 1,
        |header| header.model_version += 1,
        |header| {
            header.signature = header.signature.map(|mut bytes| {
                bytes[63] ^= 0x10;
                bytes
            })
        },
    ];
    for change in changes {
        let mut header = *image.header();
        change(&mut header);
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(b"model");
        assert_eq!(check(&bytes, Some(&public)), Err(SlotError::Signature));
        assert!(check(&bytes, None).is_ok());
    }
    let mut header = *SlotImage::new(b"evil!", 5, 9, None).unwrap().header();
    header.signature = image.header().signature;
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend_from_slice(b"evil!");
    assert_eq!(check(&bytes, Some(&public)), Err(SlotError::Signature));
}

#[test]
fn an_older_signed_model_is_never_preferred() {
    let public = key().public();
    let (older, newer) = (
        slot(b"older", 6, Some(&key())),
        slot(b"newer", 7, Some(&key())),
    );
    for slots in [[&older[..], &newer[..]], [&newer[..], &older[..]]] {
        let models: Vec<_> = candidates(slots, Some(&public))
            .map(|one| one.slot.model)
            .collect();
        assert_eq!(models, [&b"newer"[..], b"older"]);
    }
    // A greater sequence that is not signed comes to nothing.
    let unsigned = slot(b"evil!", 99, None);
    let models: Vec<_> = candidates([&unsigned, &newer], Some(&public))
        .map(|one| one.slot.model)
        .collect();
    assert_eq!(models, [b"newer"]);
}

#[test]
fn the_slot_that_does_not_run_is_written_next() {
    let next = |slots: &[&[u8]]| next_slot(slots, None).unwrap();
    let (first, second) = (slot(b"a", 1, None), slot(b"b", 2, None));
    let erased = vec![0xFF; 4096];
    let expect = |index, sequence, running| NextSlot {
        index,
        sequence,
        running,
    };
    assert_eq!(next(&[&erased, &erased]), expect(0, 1, None));
    assert_eq!(next(&[&first, &erased]), expect(1, 2, Some(0)));
    assert_eq!(next(&[&first, &second]), expect(0, 3, Some(1)));
    assert_eq!(next(&[&second, &first]), expect(1, 3, Some(0)));
    assert_eq!(next(&[&first]), expect(0, 2, Some(0)));
    assert_eq!(next(&[&erased]), expect(0, 1, None));
    // A newer header whose model was cut off does not run.
    let mut cut = slot(b"b", 2, None);
    cut[128] = 0xFF;
    assert_eq!(next(&[&first, &cut]), expect(1, 2, Some(0)));
    let last = slot(b"b", u32::MAX, None);
    assert_eq!(
        next_slot(&[&erased, &last], None),
        Err(BuildError::LastSequence { slot: 1 })
    );
}

#[test]
fn an_empty_model_is_refused() {
    assert_eq!(SlotImage::new(b"", 1, 0, None), Err(BuildError::Empty));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_built_is_read(model in prop::collection::vec(any::<u8>(), 1..2000), sequence: u32, version: u32, signed: bool) {
        let key = signed.then(key);
        let image = SlotImage::new(&model, sequence, version, key.as_ref()).unwrap();
        let public = key.map(|key| key.public());
        let slot = check(image.bytes(), public.as_ref()).unwrap();
        prop_assert_eq!(slot.model, &model);
        prop_assert_eq!(&slot.header, image.header());
        prop_assert_eq!((slot.header.sequence, slot.header.model_version), (sequence, version));
    }

    #[test]
    fn one_changed_bit_of_a_signed_slot_is_refused(place in 0usize..128 + 300, bit in 0u32..8) {
        let key = key();
        let mut bytes = SlotImage::new(&[7; 300], 1, 1, Some(&key)).unwrap().into_bytes();
        bytes[place] ^= 1 << bit;
        prop_assert!(check(&bytes, Some(&key.public())).is_err());
        prop_assert!(check(&bytes, None).is_err());
    }
}

/// Another one.
const STRANGER: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPwHPJlwMqsHerQL5brCX2Mq8nPT3A4WUFRUYzoTmhhD
-----END PRIVATE KEY-----
";
