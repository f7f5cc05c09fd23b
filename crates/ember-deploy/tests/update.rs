//! What a model-only update writes, what it refuses, and what is left when its power is cut at any moment.

#[path = "support/flash.rs"]
mod flash;

use ember_core::BuiltinOp;
use ember_deploy::DeployError;
use ember_deploy::machine::Region;
use ember_deploy::update::{Installed, Needs, NewModel};
use ember_slot::write::{SigningKey, SlotImage};
use ember_slot::{LayoutRecord, MAX_SLOTS, Operators, PublicKey, SlotRange, candidates};
use flash::{FlashError, Order, SimulatedFlash};

const CONV: Operators = Operators::NONE.with(BuiltinOp::Conv2d);
const ADD: Operators = Operators::NONE.with(BuiltinOp::Add);

/// Made with `openssl genpkey -algorithm ed25519`, used nowhere else.
const KEYS: [&str; 2] = [
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJHyOSmZHTtIwaM1w5Rrww5eFhitMJLcKagUlqTo1gT\n-----END PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPwHPJlwMqsHerQL5brCX2Mq8nPT3A4WUFRUYzoTmhhD\n-----END PRIVATE KEY-----\n",
];

fn key(index: usize) -> SigningKey {
    SigningKey::from_pem(KEYS[index]).unwrap()
}

const FIRST: Region = Region {
    origin: 0x0800_1000,
    length: 0x800,
};
const SECOND: Region = Region {
    origin: 0x0800_1800,
    length: 0xC00,
};

/// A chip with Ember's firmware in its first 4 KiB, and slots of uneven sectors behind it.
fn chip(slots: &[Region], public: Option<PublicKey>) -> SimulatedFlash {
    let mut flash = SimulatedFlash::new(
        0x0800_0000,
        &[(0x1000, 1), (0x200, 4), (0x400, 3), (0x200, 2)],
    );
    let mut ranges = [SlotRange::default(); MAX_SLOTS];
    for (range, slot) in ranges.iter_mut().zip(slots) {
        *range = SlotRange {
            address: slot.origin,
            length: slot.length,
        };
    }
    let record = LayoutRecord {
        link_version: 1,
        arena_bytes: 1000,
        slots: ranges,
        operators: CONV,
        key: public.map(|key| *key.as_bytes()),
    };
    flash.put(0x0800_0000, &[0x42; 0xF00]);
    flash.put(0x0800_0E04, &record.to_bytes());
    flash
}

fn model(bytes: &[u8]) -> NewModel<'_> {
    NewModel {
        bytes,
        version: None,
        needs: Needs {
            arena_bytes: 1000,
            operators: CONV,
        },
        key: None,
    }
}

/// Reads, decides, writes; what a person gets from one command.
fn update(flash: &mut SimulatedFlash, model: &NewModel<'_>) -> Result<usize, FlashError> {
    let plan = flash.plan.clone();
    let update = Installed::read(flash, &plan)?.update(model)?;
    update.write(flash)?;
    Ok(update.slot)
}

/// The model that the firmware runs: what `candidates` says of the flash as it is.
fn running(flash: &SimulatedFlash, slots: &[Region], key: Option<&PublicKey>) -> Option<Vec<u8>> {
    let first = flash.region(slots[0]);
    let second = slots.get(1).map_or(&[][..], |slot| flash.region(*slot));
    candidates([first, second], key)
        .next()
        .map(|candidate| candidate.slot.model.to_vec())
}

fn refusal(result: Result<usize, FlashError>) -> DeployError {
    match result {
        Err(FlashError::Deploy(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn models_go_by_turns_into_the_slot_that_does_not_run() {
    let slots = [FIRST, SECOND];
    let mut flash = chip(&slots, None);
    for (number, slot) in (1..=5_u8).zip([0, 1, 0, 1, 0]) {
        let bytes = vec![number; 700];
        assert_eq!(update(&mut flash, &model(&bytes)).unwrap(), slot);
        assert_eq!(running(&flash, &slots, None), Some(bytes));
        let installed = Installed::read(&mut flash.clone(), &flash.plan).unwrap();
        let header = installed.running().unwrap().slot.header;
        assert_eq!(
            (header.sequence, header.model_version),
            (number.into(), number.into())
        );
    }
    // Nothing but the slots was touched.
    let code = Region {
        origin: 0x0800_0000,
        length: 0x1000,
    };
    assert_eq!(flash.region(code), chip(&slots, None).region(code));
    assert_eq!(flash.bytes[0x2400..], [0xFF; 0x400]);
}

#[test]
fn what_cannot_run_is_refused_before_anything_is_written() {
    let slots = [FIRST, SECOND];
    let before = chip(&slots, None);
    let refused = |new: &NewModel<'_>| {
        let mut flash = before.clone();
        let error = refusal(update(&mut flash, new));
        assert_eq!((flash.steps, flash.bytes == before.bytes), (0, true));
        error
    };
    let small = [1; 100];
    let with = |change: fn(&mut Needs)| {
        let mut new = model(&small);
        change(&mut new.needs);
        refused(&new)
    };
    match refused(&model(&[1; 0x800 - 127])) {
        DeployError::SlotTooSmall {
            slot: 0,
            needed: 0x801,
            available: 0x800,
        } => {}
        other => panic!("{other}"),
    }
    match with(|needs| needs.arena_bytes = 1001) {
        DeployError::ArenaTooSmall {
            needed: 1001,
            available: 1000,
        } => {}
        other => panic!("{other}"),
    }
    match with(|needs| needs.operators = ADD) {
        DeployError::NoKernel { operators } => assert_eq!(operators, "ADD"),
        other => panic!("{other}"),
    }
    assert!(matches!(refused(&model(&[])), DeployError::Slot(_)));
}

#[test]
fn a_keyed_firmware_gets_only_what_its_key_signs() {
    let slots = [FIRST, SECOND];
    let public = key(0).public();
    let mut flash = chip(&slots, Some(public));
    let bytes = [1; 100];
    let mut new = model(&bytes);
    assert!(matches!(
        refusal(update(&mut flash, &new)),
        DeployError::KeyNeeded { .. }
    ));
    let stranger = key(1);
    new.key = Some(&stranger);
    assert!(matches!(
        refusal(update(&mut flash, &new)),
        DeployError::OtherKey { .. }
    ));
    let owner = key(0);
    new.key = Some(&owner);
    assert_eq!(update(&mut flash, &new).unwrap(), 0);
    assert_eq!(running(&flash, &slots, Some(&public)), Some(bytes.to_vec()));
    // A model that somebody else put there, however new it says it is, does not count.
    let foreign = SlotImage::new(&[9; 50], 99, 1, Some(&stranger)).unwrap();
    flash.put(SECOND.origin, foreign.bytes());
    assert_eq!(running(&flash, &slots, Some(&public)), Some(bytes.to_vec()));
    assert_eq!(update(&mut flash, &new).unwrap(), 1);
}

#[test]
fn a_chip_without_our_firmware_is_left_alone() {
    let refused = |mut flash: SimulatedFlash| {
        let error = refusal(update(&mut flash, &model(&[1; 100])));
        assert_eq!(flash.steps, 0);
        error
    };
    assert!(matches!(
        refused(SimulatedFlash::new(0x0800_0000, &[(0x400, 64)])),
        DeployError::NoFirmware { .. }
    ));
    // Firmware with its model linked in has a record without slots.
    assert!(matches!(
        refused(chip(&[], None)),
        DeployError::NoFirmware { .. }
    ));
    for (origin, length) in [
        (0x0800_0000, 0x1000),      // the firmware itself
        (0x0800_1100, 0x300),       // begins inside a sector
        (0x0800_1000, 0x100),       // ends inside one
        (0x0800_1000, 0xFFFF_FFFF), // far too long
        (0x2000_0000, 0x200),       // RAM
    ] {
        let error = refused(chip(&[Region { origin, length }], None));
        assert!(
            matches!(error, DeployError::SlotPlace { .. }),
            "{origin:#x} {error}"
        );
    }
    let error = refused(chip(&[FIRST, FIRST], None));
    assert!(error.to_string().contains("another slot"), "{error}");
}

#[test]
fn the_record_is_found_wherever_the_firmware_has_it() {
    let record = LayoutRecord {
        link_version: 1,
        arena_bytes: 77,
        slots: [
            SlotRange {
                address: 0x0800_8000,
                length: 0x400,
            },
            SlotRange::default(),
        ],
        operators: Operators::ALL,
        key: None,
    };
    // The pieces that are read are 8 KiB: inside one, over the border of two, at the very end.
    for at in [0x40, 0x1FFC, 0x2000 - 64, 0x2000, 0x7FFF - 127] {
        let mut flash = SimulatedFlash::new(0x0800_0000, &[(0x400, 64)]);
        flash.put(0x0800_0000 + at, &record.to_bytes());
        let plan = flash.plan.clone();
        let installed = Installed::read(&mut flash, &plan).unwrap();
        assert_eq!(*installed.record(), record, "{at:#x}");
    }
}

/// Cuts the power at every step of an update and looks at what is left: with another slot the old or the new model, and
/// without one the new model or none; and a second try always succeeds.
fn cut_everywhere(
    before: &SimulatedFlash,
    slots: &[Region],
    new: &NewModel<'_>,
    public: Option<&PublicKey>,
) {
    let old = running(before, slots, public);
    for order in [
        Order::EraseAllFirst,
        Order::SectorBySector,
        Order::Backwards,
    ] {
        let mut whole = before.clone();
        whole.order = order;
        update(&mut whole, new).unwrap();
        assert!(whole.steps > new.bytes.len() as u64);
        let mut survived = 0;
        for cut in 0..whole.steps {
            let mut flash = before.clone();
            flash.order = order;
            flash.steps_left = Some(cut);
            assert!(
                matches!(update(&mut flash, new), Err(FlashError::Cut)),
                "{order:?} {cut}"
            );
            let left = running(&flash, slots, public);
            let is_new = left.as_deref() == Some(new.bytes);
            if slots.len() > 1 {
                assert!(
                    is_new || left == old,
                    "{order:?} {cut}: neither the old nor the new model"
                );
            } else {
                assert!(
                    is_new || left.is_none(),
                    "{order:?} {cut}: not the new model"
                );
            }
            survived += u64::from(left == old);
            flash.steps_left = None;
            update(&mut flash, new).unwrap_or_else(|error| panic!("{order:?} {cut}: {error:?}"));
            assert_eq!(
                running(&flash, slots, public).as_deref(),
                Some(new.bytes),
                "{order:?} {cut}"
            );
        }
        if slots.len() > 1 && old.as_deref() != Some(new.bytes) {
            // Only what is as erased flash need not be written: 9 bytes of the model and the rest of its last page.
            assert!(
                survived + 9 + 31 >= whole.steps,
                "{order:?} {survived} of {}",
                whole.steps
            );
        }
    }
}

/// A model that has bytes of every kind, 0xFF at the end included: erased flash looks like it.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut bytes: Vec<_> = (0..length)
        .map(|index| (index as u8).wrapping_mul(seed))
        .collect();
    bytes[length - 9..].fill(0xFF);
    bytes
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_model_or_the_new() {
    let slots = [FIRST, SECOND];
    let (old, new) = (bytes(3, 500), bytes(5, 777));
    let mut flash = chip(&slots, None);
    update(&mut flash, &model(&old)).unwrap();
    flash.steps = 0;
    // Into an erased slot.
    cut_everywhere(&flash, &slots, &model(&new), None);
    // Over an older model, in both directions.
    update(&mut flash, &model(&new)).unwrap();
    flash.steps = 0;
    cut_everywhere(&flash, &slots, &model(&bytes(7, 600)), None);
    // The same model once more.
    cut_everywhere(&flash, &slots, &model(&new), None);
    // Over what another cut left.
    flash.steps_left = Some(300);
    assert!(update(&mut flash, &model(&old)).is_err());
    (flash.steps, flash.steps_left) = (0, None);
    cut_everywhere(&flash, &slots, &model(&bytes(11, 450)), None);
}

#[test]
fn a_power_cut_with_a_single_slot_leaves_the_new_model_or_none() {
    let slots = [SECOND];
    let mut flash = chip(&slots, None);
    update(&mut flash, &model(&bytes(3, 700))).unwrap();
    flash.steps = 0;
    cut_everywhere(&flash, &slots, &model(&bytes(5, 800)), None);
}

#[test]
fn a_power_cut_of_a_signed_update_leaves_a_signed_model() {
    let slots = [FIRST, SECOND];
    let owner = key(0);
    let public = owner.public();
    let mut flash = chip(&slots, Some(public));
    let (old, new) = (bytes(3, 60), bytes(5, 70));
    let mut first = model(&old);
    first.key = Some(&owner);
    update(&mut flash, &first).unwrap();
    flash.steps = 0;
    let mut second = model(&new);
    second.key = Some(&owner);
    cut_everywhere(&flash, &slots, &second, Some(&public));
}
