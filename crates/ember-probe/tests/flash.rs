//! Flashing through probe-rs's own loader, on chips that are simulated down to the registers of the debug port.

mod support;

use ember_deploy::image::Segment;
use ember_probe::ProbeError;
use ember_probe::session::attach::{Wish, attach};
use ember_probe::session::flash::{self, Purpose};
use probe_rs::config::Registry;
use support::chip::Event;
use support::memory::OLD;
use support::{board, quiet, target};

fn segment(address: u32, length: usize) -> Segment {
    Segment {
        address,
        bytes: (0..length).map(|index| (index * 7 % 251) as u8).collect(),
    }
}

#[test]
fn only_the_sectors_of_the_image_are_erased() {
    let registry = Registry::from_builtin_families();
    let target = target(&registry, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    let image = [segment(0, 5000), segment(0x4_0000, 100)];
    let written = flash::write(&mut attached.session, &image, Purpose::Firmware, &quiet()).unwrap();
    assert_eq!(written.erased_bytes, 3 * 4096);
    let chip = board.chip();
    let erased: Vec<_> = chip
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Erased(range) => Some(range.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(erased, [0..0x1000, 0x1000..0x2000, 0x4_0000..0x4_1000]);
    for segment in &image {
        let there = chip
            .memory
            .bytes(u64::from(segment.address), segment.bytes.len());
        assert_eq!(there, segment.bytes);
    }
    assert!(
        chip.memory
            .bytes(0x2000, 0x3_e000)
            .iter()
            .all(|byte| *byte == OLD)
    );
    assert_eq!(chip.memory.bytes(5000, 100), [0xff; 100]);
}

#[test]
fn an_image_for_another_chip_is_refused_before_anything_is_erased() {
    let registry = Registry::from_builtin_families();
    let target = target(&registry, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    let image = [segment(0x0800_0000, 100)];
    let error =
        flash::write(&mut attached.session, &image, Purpose::Firmware, &quiet()).unwrap_err();
    assert!(
        matches!(
            error,
            ProbeError::Image {
                address: 0x0800_0000,
                ..
            }
        ),
        "{error}"
    );
    assert!(board.chip().events.is_empty());
}

/// The bytes of flash, with the cable pulled after every number of accesses in turn, are the old ones, erased, or the new
/// ones; and the error says what the chip can do.
#[test]
fn a_cable_pulled_at_any_moment_is_one_clear_error() {
    let registry = Registry::from_builtin_families();
    let target = target(&registry, "nRF52840_xxAA");
    let image = [segment(0, 5000)];
    let total = {
        let (board, mut attached) = board(&target);
        let before = board.chip().accesses;
        flash::write(&mut attached.session, &image, Purpose::Firmware, &quiet()).unwrap();
        let after = board.chip().accesses;
        after - before
    };
    let mut states = std::collections::BTreeSet::new();
    for accesses in (0..total).step_by(17) {
        let (board, mut attached) = board(&target);
        board.chip().accesses_left = Some(accesses);
        let error =
            flash::write(&mut attached.session, &image, Purpose::Firmware, &quiet()).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let text = error.to_string();
        assert!(text.contains("disconnected"), "{text}");
        let changed = !board
            .chip()
            .events
            .iter()
            .all(|event| *event == Event::Reset);
        assert!(text.contains("nRF52840"), "{text}");
        if changed {
            assert!(text.contains("run the same command"), "{text}");
        }
        let (_, state) = text.split_once("disconnected").unwrap();
        states.insert(state.to_owned());
        // A second attempt finds the chip as the first left it, and succeeds.
        board.chip().accesses_left = None;
        let mut again = attach(&board.lister(), &Wish::default(), target.clone()).unwrap();
        flash::write(&mut again.session, &image, Purpose::Firmware, &quiet()).unwrap();
        assert_eq!(board.chip().memory.bytes(0, 5000), image[0].bytes);
    }
    assert_eq!(states.len(), 2, "{states:#?}");
}

#[test]
fn a_half_written_model_leaves_a_chip_that_works_where_it_has_another() {
    let registry = Registry::from_builtin_families();
    let target = target(&registry, "nRF52840_xxAA");
    for (other_runs, expected) in [(true, "still works"), (false, "no valid model")] {
        let (board, mut attached) = board(&target);
        let halfway = {
            let image = [segment(0x8_0000, 5000)];
            let purpose = Purpose::Model { other_runs };
            board.chip().accesses_left = Some(350);
            flash::write(&mut attached.session, &image, purpose, &quiet()).unwrap_err()
        };
        assert!(
            board
                .chip()
                .events
                .iter()
                .any(|event| matches!(event, Event::Erased(_)))
        );
        assert!(halfway.to_string().contains(expected), "{halfway}");
    }
}
