//! Two slots of a flash that the test holds: which model runs, and what is said about the others.

mod support;

use ember_firmware::app::Sizes;
use ember_firmware::interpreter::Interpreted;
use ember_firmware::slots::{Chosen, choose};
use ember_link::{ErrorCode, Failure, Refusal, Slots};
use ember_slot::HEADER_BYTES;
use ember_slot::write::{SigningKey, SlotImage};
use support::{Arena, model};

/// The private key of RFC 8410, 10.3.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

/// What an erased byte reads as.
const ERASED: u8 = 0xff;

/// A slot in flash, which begins at a multiple of 16.
#[repr(align(16))]
struct Flash([u8; 4096]);

impl Flash {
    fn erased() -> Self {
        Self([ERASED; 4096])
    }

    fn with(bytes: &[u8]) -> Self {
        let mut flash = Self::erased();
        flash.0[..bytes.len()].copy_from_slice(bytes);
        flash
    }

    fn of_model(sequence: u32) -> Self {
        Self::with(
            SlotImage::new(model::MODEL, sequence, 40 + sequence, None)
                .unwrap()
                .bytes(),
        )
    }
}

fn chosen<'f>(slots: [&'f Flash; 2]) -> Result<Chosen<'f>, Failure> {
    let mut arena = Arena([0; model::ARENA_BYTES]);
    choose(
        slots.map(|slot| &slot.0[..]),
        None,
        &model::REGISTRY,
        &mut arena.0,
    )
}

/// The slot that runs, and why the others do not.
fn running(slots: [&Flash; 2]) -> Result<(u32, [u32; 2]), Failure> {
    let Chosen { model, slots } = chosen(slots)?;
    assert_eq!(model, model::MODEL);
    assert_eq!(slots.model_version, 40 + slots.sequence);
    Ok((slots.running, slots.refusals))
}

fn none(refusals: [u32; 2]) -> Failure {
    Failure {
        code: ErrorCode::NoModel,
        details: refusals,
    }
}

#[test]
fn the_newest_model_runs() {
    let (old, new) = (Flash::of_model(1), Flash::of_model(2));
    assert_eq!(running([&old, &new]), Ok((1, [0, 0])));
    assert_eq!(running([&new, &old]), Ok((0, [0, 0])));
    assert_eq!(running([&old, &old]), Ok((0, [0, 0])));
    let empty = Refusal::Empty.to_word(0);
    assert_eq!(running([&Flash::erased(), &old]), Ok((1, [empty, 0])));
}

#[test]
fn one_slot_is_enough() {
    let only = Flash::of_model(5);
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let chosen = choose([&only.0[..]], None, &model::REGISTRY, &mut arena.0).unwrap();
    assert_eq!(
        chosen.slots,
        Slots {
            running: 0,
            sequence: 5,
            model_version: 45,
            refusals: [0, 0],
        }
    );
    let failure = choose([&only.0[..64]], None, &model::REGISTRY, &mut arena.0);
    assert_eq!(failure.err(), Some(none([Refusal::Short.to_word(0), 0])));
}

#[test]
fn a_new_model_that_was_written_in_part_leaves_the_old_one() {
    let old = Flash::of_model(1);
    let new = SlotImage::new(model::MODEL, 2, 42, None).unwrap();
    for length in 0..new.bytes().len() {
        let part = Flash::with(&new.bytes()[..length]);
        let expected = match length {
            0..8 => Refusal::Empty,
            8..HEADER_BYTES => Refusal::Header,
            _ => Refusal::Hash,
        };
        assert_eq!(
            running([&old, &part]),
            Ok((0, [0, expected.to_word(0)])),
            "{length} bytes"
        );
    }
}

#[test]
fn a_model_that_cannot_be_prepared_leaves_the_old_one() {
    let old = Flash::of_model(1);
    let no_model = Flash::with(SlotImage::new(&[7; 100], 2, 42, None).unwrap().bytes());
    assert_eq!(
        running([&no_model, &old]),
        Ok((1, [Refusal::Model.to_word(0), 0]))
    );

    let mut arena = Arena([0; model::ARENA_BYTES]);
    let small = &mut arena.0[..model::ARENA_BYTES - 16];
    let slots = [&old.0[..], &no_model.0[..]];
    assert_eq!(
        choose(slots, None, &model::REGISTRY, small).err(),
        Some(none([
            Refusal::Arena.to_word(model::ARENA_BYTES as u32),
            Refusal::Model.to_word(0)
        ]))
    );
    assert_eq!(
        choose(slots, None, &[], &mut arena.0).err(),
        Some(none([
            Refusal::Prepare.to_word(4),
            Refusal::Model.to_word(0)
        ]))
    );
}

#[test]
fn with_a_key_only_what_its_owner_signed_runs() {
    let owner = SigningKey::from_pem(PRIVATE_KEY).unwrap();
    let public = owner.public();
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let signed = |sequence| {
        let image = SlotImage::new(model::MODEL, sequence, 0, Some(&owner)).unwrap();
        Flash::with(image.bytes())
    };
    let (old, new) = (signed(1), signed(2));
    let mut choose = |slots: [&Flash; 2]| {
        let slots = slots.map(|slot| &slot.0[..]);
        choose(slots, Some(&public), &model::REGISTRY, &mut arena.0)
            .map(|chosen| (chosen.slots.running, chosen.slots.refusals))
    };
    assert_eq!(choose([&old, &new]), Ok((1, [0, 0])));

    let unsigned = Flash::of_model(3);
    let refusal = Refusal::Unsigned.to_word(0);
    assert_eq!(choose([&old, &unsigned]), Ok((0, [0, refusal])));
    assert_eq!(
        choose([&unsigned, &unsigned]),
        Err(none([refusal, refusal]))
    );

    // Signed as sequence 2, and made to look like 9: the CRC is no secret.
    let forged = SlotImage::new(model::MODEL, 2, 0, Some(&owner)).unwrap();
    let mut header = *forged.header();
    header.sequence = 9;
    let mut bytes = forged.into_bytes();
    bytes[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    let forged = Flash::with(&bytes);
    let refusal = Refusal::Signature.to_word(0);
    assert_eq!(choose([&forged, &old]), Ok((1, [refusal, 0])));
}

#[test]
fn a_header_that_promises_too_much_is_told() {
    let image = SlotImage::new(model::MODEL, 1, 0, None).unwrap();
    let mut header = *image.header();
    header.model_bytes = 5000;
    let flash = Flash::with(&header.to_bytes());
    assert_eq!(
        running([&flash, &flash]),
        Err(none([Refusal::Length.to_word(5000); 2]))
    );
}

#[test]
fn the_sizes_are_those_of_the_model_that_runs() {
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let mut engine = Interpreted::new(model::MODEL, &model::REGISTRY, &mut arena.0).unwrap();
    assert_eq!(
        Sizes::of(&mut engine),
        Sizes {
            input_bytes: model::INPUT_BYTES as u32,
            output_bytes: model::OUTPUT_BYTES as u32,
        }
    );
}
