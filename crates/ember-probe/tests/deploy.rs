//! Whole jobs in one session, and ctrl-C at the moments where it matters.

mod support;

use ember_deploy::DeployError;
use ember_deploy::image::Segment;
use ember_probe::session::attach::Wish;
use ember_probe::session::deploy::{Job, Writing, deploy};
use ember_probe::session::interrupt::{Interrupt, Reaction};
use ember_probe::{ProbeError, chips};
use std::sync::{Arc, Mutex};
use support::chip::{Chip, Event};
use support::probe::Board;
use support::quiet;

const CHIP: &str = "nRF52840_xxAA";

fn image() -> [Segment; 1] {
    [Segment {
        address: 0,
        bytes: vec![7; 5000],
    }]
}

/// Deploys the image to a chip, and gives the outcome with the board.
fn work(board: &Board, interrupt: &Interrupt) -> Result<(), ProbeError> {
    let chip = chips::find(CHIP).unwrap();
    let plan = chips::plan(&chip).unwrap();
    let image = image();
    let job = Job {
        writing: Some(Writing::Image(&image)),
        talking: None,
    };
    let target = chip.target().unwrap();
    let target = support::with_default_sequence(target);
    deploy(
        &board.lister(),
        &Wish::default(),
        target,
        &plan,
        &job,
        interrupt,
        &quiet(),
    )
    .map(drop)
}

fn board() -> Board {
    let target = chips::find(CHIP).unwrap().target().unwrap();
    Board::new(Chip::new(&target))
}

#[test]
fn what_was_written_runs() {
    let board = board();
    work(&board, &Interrupt::new()).unwrap();
    let chip = board.chip();
    assert_eq!(chip.memory.bytes(0, 5000), image()[0].bytes);
    assert_eq!(chip.events.last(), Some(&Event::Reset));
}

#[test]
fn ctrl_c_before_the_first_sector_changes_nothing() {
    let board = board();
    let interrupt = Interrupt::new();
    interrupt.press();
    let error = work(&board, &interrupt).unwrap_err();
    assert!(matches!(
        error,
        ProbeError::Talk(DeployError::Stopped { .. })
    ));
    assert_eq!(error.exit_code(), 130);
    assert!(board.chip().events.is_empty());
}

#[test]
fn ctrl_c_while_writing_waits_until_the_image_is_whole() {
    static INTERRUPT: Interrupt = Interrupt::new();
    let board = board();
    let reactions = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&reactions);
    board.chip().on_erase = Some(Box::new(move || {
        seen.lock().unwrap().push(INTERRUPT.press())
    }));
    let error = work(&board, &INTERRUPT).unwrap_err();
    assert_eq!(error.exit_code(), 130);
    // The second sector is a second press, on which the program itself would have ended.
    assert_eq!(
        *reactions.lock().unwrap(),
        [Reaction::AfterWriting, Reaction::Exit]
    );
    let chip = board.chip();
    assert_eq!(chip.memory.bytes(0, 5000), image()[0].bytes);
    assert_eq!(chip.events.last(), Some(&Event::Reset));
}
