//! Conversations over RTT with a firmware on a simulated chip.

mod support;

use ember_deploy::converse::Patience;
use ember_deploy::machine::Region;
use ember_probe::ProbeError;
use ember_probe::session::rtt::{Place, RttLink};
use ember_probe::session::talk::{self, Element, Questions};
use ember_progress::{Console, Mode};
use probe_rs::config::Registry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use support::device::{CONTROL_BLOCK, EACH, Firmware, TARGET, TICKS_PER_SECOND};
use support::{board, quiet, target};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::from_builtin_families);

const PLACE: Place = Place::At(CONTROL_BLOCK as u32);

const PATIENCE: Patience = Patience {
    hello: Duration::from_secs(5),
    silence: Duration::from_secs(5),
};

/// Images whose first byte is the number of the image, and what the firmware answers.
fn images(count: usize) -> (Vec<u8>, Vec<u8>) {
    let images: Vec<u8> = (0..count)
        .flat_map(|image| [image as u8, 1, 2, 3, 40])
        .collect();
    let answers = images.iter().map(|byte| byte.wrapping_add(1)).collect();
    (images, answers)
}

fn questions<'a>(images: &'a [u8], expected: &'a [u8], labels: &'a [u8]) -> Questions<'a> {
    Questions {
        target: TARGET,
        images,
        input_bytes: EACH,
        expected: Some(expected),
        labels: Some(labels),
        element: Element::Int8,
    }
}

static GO_ON: AtomicBool = AtomicBool::new(false);

#[test]
fn every_image_is_answered_and_compared() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    board.chip().set_program(Firmware::default());
    let (images, mut expected) = images(20);
    expected[3 * EACH] ^= 1;
    let labels = [4; 20];
    let mut link = RttLink::restart(&mut attached.session, PLACE).unwrap();
    let questions = questions(&images, &expected, &labels);
    let run = talk::run(&mut link, &questions, PATIENCE, &GO_ON, &quiet()).unwrap();
    assert_eq!(run.images, 20);
    assert_eq!(run.mismatches, Some(1));
    assert_eq!(run.correct, Some(20));
    assert_eq!(run.outputs[2], "0302030429");
    assert_eq!((run.stack_bytes, run.timer.as_str()), (321, "dwt"));
    assert_eq!(run.operators.len(), 1);
    let hertz = run.ticks_per_second.unwrap();
    let uncertainty = run.clock_uncertainty.unwrap();
    assert!(
        (hertz - TICKS_PER_SECOND).abs() <= uncertainty + 10.0,
        "{hertz} ± {uncertainty}"
    );
}

#[test]
fn what_an_earlier_firmware_left_is_not_taken_for_this_one() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    {
        // A control block whose rings are full of something else.
        let mut chip = board.chip();
        chip.memory.write(CONTROL_BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
        for (word, value) in [
            1,
            1,
            0,
            0x2000_0400,
            64,
            60,
            2,
            0,
            0,
            0x2000_0500,
            64,
            1,
            1,
            0,
        ]
        .into_iter()
        .enumerate()
        {
            chip.memory
                .set_word(CONTROL_BLOCK + 16 + word as u64 * 4, value);
        }
        chip.set_program(Firmware::default());
    }
    let (images, expected) = images(3);
    let questions = questions(&images, &expected, &[4; 3]);
    let ram = Region {
        origin: 0x2000_0000,
        length: 0x4000,
    };
    for place in [PLACE, Place::In(ram)] {
        // Of yet another firmware, somewhere else.
        board
            .chip()
            .memory
            .write(0x2000_3009, b"SEGGER RTT\0\0\0\0\0\0");
        let mut link = RttLink::restart(&mut attached.session, place).unwrap();
        let run = talk::run(&mut link, &questions, PATIENCE, &GO_ON, &quiet()).unwrap();
        assert_eq!(run.mismatches, Some(0));
    }
}

#[test]
fn a_chip_without_the_firmware_is_said_to_have_none() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (_board, mut attached) = board(&target);
    let error = RttLink::restart(&mut attached.session, PLACE)
        .err()
        .unwrap();
    assert!(matches!(error, ProbeError::NoRtt { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("0x20000100") && text.contains("flash it again"),
        "{text}"
    );
}

#[test]
fn a_cable_pulled_during_a_run_is_one_clear_error() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    board.chip().set_program(Firmware::default());
    let (images, expected) = images(200);
    let labels = [4; 200];
    let mut link = RttLink::restart(&mut attached.session, PLACE).unwrap();
    board.chip().accesses_left = Some(400);
    let questions = questions(&images, &expected, &labels);
    let error = talk::run(&mut link, &questions, PATIENCE, &GO_ON, &quiet()).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let text = error.to_string();
    for part in ["disconnected", "flash was not touched", "cable"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn ctrl_c_ends_a_run_with_exit_code_130() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    board.chip().set_program(Firmware::default());
    let (images, expected) = images(3);
    let mut link = RttLink::restart(&mut attached.session, PLACE).unwrap();
    let questions = questions(&images, &expected, &[4; 3]);
    let pressed = AtomicBool::new(true);
    let error = talk::run(&mut link, &questions, PATIENCE, &pressed, &quiet()).unwrap_err();
    assert_eq!(error.exit_code(), 130, "{error}");
}

#[test]
fn a_firmware_for_another_core_or_model_is_refused() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (images, expected) = images(3);
    let other_core = Questions {
        target: "thumbv6m-none-eabi",
        ..questions(&images, &expected, &[4; 3])
    };
    let other_model = Questions {
        input_bytes: 3,
        ..questions(&images, &expected, &[4; 5])
    };
    let too_few = questions(&images, &expected[1..], &[4; 3]);
    for (questions, part) in [
        (other_core, "thumbv7em-none-eabihf"),
        (other_model, "takes 5 bytes"),
        (too_few, "14 bytes, and 3 images need 15"),
    ] {
        let (board, mut attached) = board(&target);
        board.chip().set_program(Firmware::default());
        let mut link = RttLink::restart(&mut attached.session, PLACE).unwrap();
        let error = talk::run(&mut link, &questions, PATIENCE, &GO_ON, &quiet()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// What was written, readable while it is being written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_live_stream_shows_each_answer_until_it_is_stopped() {
    let target = target(&REGISTRY, "nRF52840_xxAA");
    let (board, mut attached) = board(&target);
    board.chip().set_program(Firmware::default());
    let (images, mut expected) = images(3);
    expected[2 * EACH] ^= 1;
    let mut link = RttLink::restart(&mut attached.session, PLACE).unwrap();
    let questions = questions(&images, &expected, &[4, 4, 0]);
    let written = Written::default();
    let mode = Mode {
        interactive: false,
        color: false,
        quiet: true,
    };
    let stop = AtomicBool::new(false);
    let run = std::thread::scope(|scope| {
        let seen = written.clone();
        let stop = &stop;
        scope.spawn(move || {
            while seen
                .0
                .lock()
                .unwrap()
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                < 7
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.store(true, Ordering::Relaxed);
        });
        let console = Console::with(mode, Box::new(std::io::sink()), Box::new(written.clone()));
        talk::live(&mut link, &questions, PATIENCE, stop, &console).unwrap()
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() >= 7, "{text}");
    let (total, lines) = lines.split_last().unwrap();
    assert!(
        total.starts_with(&format!("{} images: ", run.images)),
        "{total}"
    );
    assert_eq!(run.images, lines.len() as u64);
    for (index, line) in lines.iter().enumerate() {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[0], index.to_string());
        assert_eq!(words[4], "4", "{line}");
        assert_eq!(line.contains("wrong"), index % 3 == 2, "{line}");
        assert_eq!(
            line.contains("NOT WHAT THE HOST SAYS"),
            index % 3 == 2,
            "{line}"
        );
    }
    assert_eq!(run.mismatches, Some(run.images / 3));
    assert_eq!(run.correct, Some(run.images - run.images / 3));
    assert_eq!(run.stack_bytes, 321);
}
