//! Attaching: what a person wishes for, and chips that do not want to.

mod support;

use ember_probe::ProbeError;
use ember_probe::session::attach::{Wish, attach};
use ember_probe::session::probes;
use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{ArmDebugInterface, ArmError, FullyQualifiedApAddress};
use probe_rs::config::{DebugSequence, Registry};
use probe_rs::probe::WireProtocol;
use probe_rs::{Permissions, Target};
use std::sync::{Arc, LazyLock};
use support::chip::{Chip, Event};
use support::probe::Board;
use support::target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::from_builtin_families);

const CHIP: &str = "nRF52840_xxAA";

fn board(target: &Target) -> Board {
    Board::new(Chip::new(target))
}

#[test]
fn the_probe_is_listed_and_found() {
    let board = board(&target(&REGISTRY, CHIP));
    let found = probes::list(&board.lister());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].selector, "1209:0001:42");
    assert_eq!(probes::find(&board.lister(), None).unwrap(), found[0]);
    let error = probes::find(&board.lister(), Some("1209:0001:43")).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
}

#[test]
fn a_chip_can_be_held_in_reset_while_attaching() {
    let target = target(&REGISTRY, CHIP);
    let board = board(&target);
    let wish = Wish {
        speed_khz: Some(400),
        protocol: Some(WireProtocol::Swd),
        under_reset: true,
        ..Wish::default()
    };
    let mut attached = attach(&board.lister(), &wish, target).unwrap();
    assert!(board.chip().events.contains(&Event::Reset));
    assert!(attached.session.core(0).unwrap().core_halted().unwrap());
}

#[test]
fn what_a_probe_cannot_do_is_said_before_the_chip_is_touched() {
    let target = target(&REGISTRY, CHIP);
    for (wish, part) in [
        (
            Wish {
                speed_khz: Some(60_000),
                ..Wish::default()
            },
            "60000 kHz",
        ),
        (
            Wish {
                protocol: Some(WireProtocol::Jtag),
                ..Wish::default()
            },
            "JTAG",
        ),
    ] {
        let board = board(&target);
        let error = attach(&board.lister(), &wish, target.clone()).unwrap_err();
        assert!(matches!(error, ProbeError::Setting { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(board.chip().events.is_empty());
    }
}

#[test]
fn a_chip_that_does_not_answer_is_said_with_what_to_check() {
    let target = target(&REGISTRY, CHIP);
    let board = board(&target);
    // Opening the probe is one access, attaching to it another: the chip never answers.
    board.chip().accesses_left = Some(2);
    let error = attach(&board.lister(), &Wish::default(), target).unwrap_err();
    let text = error.to_string();
    for part in [CHIP, "power", "SWDIO", "--connect-under-reset", "--speed"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_chip_that_does_not_answer_in_reset_is_told_about_the_pin() {
    let target = target(&REGISTRY, CHIP);
    let board = board(&target);
    board.chip().accesses_left = Some(4);
    let wish = Wish {
        under_reset: true,
        ..Wish::default()
    };
    let text = attach(&board.lister(), &wish, target)
        .unwrap_err()
        .to_string();
    assert!(text.contains("reset pin"), "{text}");
}

/// What a maker's sequence does when the debug port is locked and nobody allowed it to erase the chip.
#[derive(Debug)]
struct Locked;

impl ArmDebugSequence for Locked {
    fn debug_device_unlock(
        &self,
        _: &mut dyn ArmDebugInterface,
        _: &FullyQualifiedApAddress,
        _: &Permissions,
    ) -> Result<(), ArmError> {
        Err(ArmError::MissingPermissions("erase_all".to_owned()))
    }
}

#[test]
fn a_locked_chip_is_left_alone() {
    let mut target = target(&REGISTRY, CHIP);
    target.debug_sequence = DebugSequence::Arm(Arc::new(Locked));
    let board = board(&target);
    let error = attach(&board.lister(), &Wish::default(), target).unwrap_err();
    assert!(matches!(error, ProbeError::Locked { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("never does that"), "{text}");
    assert!(board.chip().events.is_empty());
}
