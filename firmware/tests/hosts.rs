//! One host after the other, over a carrier that a host is at: every one is greeted, and none is left waiting by the one
//! before.

mod support;

use ember_firmware::app::{converse, serve_hosts};
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_firmware::transport::TransportError;
use ember_link::{
    ErrorCode, Failure, HEADER_BYTES, Hello, Sink, Slots, Source, TimerKind, write_clock,
};
use support::{ENDED, FULL, Looks, Swap, Wire, end, image, said};

/// A wire with a host at it. It ends by failing, as otherwise nothing would end.
struct Live(Wire);

impl Source for Live {
    type Error = TransportError;
    const LIVE: bool = true;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, TransportError> {
        match self.0.read(buffer) {
            Ok(false) => Err(ENDED),
            other => other,
        }
    }
}

impl Sink for Live {
    type Error = TransportError;

    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.0.write(bytes)
    }
}

const HELLO: Hello<'static> = Hello {
    model_crc: 1,
    model_bytes: 2,
    arena_bytes: 3,
    arena_used_bytes: 4,
    input_bytes: 5,
    output_bytes: 5,
    stack_limit_bytes: 100,
    timer: TimerKind::Dwt,
    calibration_ticks: 7,
    prepare_ticks: 8,
    target: "here",
};

const SLOTS: Slots = Slots {
    running: 1,
    sequence: 2,
    model_version: 3,
    refusals: [4, 0],
};

fn clock() -> Vec<u8> {
    let mut wire = Wire::new(Vec::new());
    write_clock(&mut wire).unwrap();
    wire.output
}

fn serve(input: &[Vec<u8>], slots: Option<&Slots>) -> Vec<String> {
    let mut live = Live(Wire::new(input.concat()));
    let lost = serve_hosts(
        &mut live,
        &mut Swap::default(),
        &mut Looks(0),
        slots,
        &HELLO,
    );
    assert_eq!(lost, ENDED);
    said(&live.0.output)
}

#[test]
fn the_next_host_is_greeted_as_the_first() {
    let lines = serve(
        &[
            image(0, false, &[0; 5]),
            end(),
            end(),
            image(0, false, &[255; 5]),
            end(),
        ],
        Some(&SLOTS),
    );
    assert_eq!(
        lines,
        [
            "slot 1",
            "hello here",
            "image 0 [255, 255, 255, 255, 255] 1",
            "done 1 60",
            "slot 1",
            "hello here",
            "done 0 60",
            "slot 1",
            "hello here",
            "image 0 [0, 0, 0, 0, 0] 1",
            "done 1 60",
            "slot 1",
            "hello here",
        ]
    );
}

#[test]
fn the_clock_is_the_one_that_times_inferences() {
    let lines = serve(&[clock(), image(3, false, &[255; 5]), clock(), end()], None);
    assert_eq!(
        lines,
        [
            "hello here",
            "time 1",
            // Between looks 2 and 3.
            "image 3 [0, 0, 0, 0, 0] 1",
            "time 4",
            "done 1 60",
            "hello here",
        ]
    );
}

#[test]
fn what_goes_wrong_is_told_and_the_next_frame_is_served() {
    let mut damaged = image(0, false, &[1; 5]);
    damaged[HEADER_BYTES + 2] ^= 1;
    for (bad, failure) in [
        (damaged, "failure Frame [3, 0]"),
        (image(0, false, &[13; 5]), "failure Invoke [4, 1]"),
        (Vec::from(*b"what a terminal sends\r\n"), ""),
    ] {
        let lines = serve(&[bad, image(1, false, &[255; 5]), end()], None);
        let mut expected = vec!["hello here"];
        if !failure.is_empty() {
            expected.extend([failure, "hello here"]);
        }
        expected.extend(["image 1 [0, 0, 0, 0, 0] 1", "done 1 60", "hello here"]);
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_carrier_that_fails_at_any_byte_is_the_end() {
    let input = [clock(), image(0, true, &[1; 5]), end()].concat();
    let mut whole = Live(Wire::new(input.clone()));
    let run = |live: &mut Live| {
        serve_hosts(
            live,
            &mut Swap::default(),
            &mut Looks(0),
            Some(&SLOTS),
            &HELLO,
        )
    };
    assert_eq!(run(&mut whole), ENDED);
    for room in 0..whole.0.output.len() {
        let mut live = Live(Wire::new(input.clone()));
        live.0.room = room;
        assert_eq!(run(&mut live), FULL, "{room} bytes");
        assert!(whole.0.output.starts_with(&live.0.output));
    }
}

/// As [`Looks`], with no stack left.
struct Exhausted(Looks);

impl Clock for Exhausted {
    fn ticks(&mut self) -> u64 {
        self.0.ticks()
    }
}

impl Chip for Exhausted {
    fn timer(&self) -> TimerKind {
        self.0.timer()
    }

    fn calibration_ticks(&mut self) -> u64 {
        self.0.calibration_ticks()
    }

    fn stack_limit_bytes(&self) -> u32 {
        100
    }

    fn stack_used_bytes(&self) -> u32 {
        100
    }
}

#[test]
fn an_exhausted_stack_is_told_in_place_of_a_goodbye() {
    let mut wire = Wire::new([image(0, false, &[0; 5]), end()].concat());
    let outcome = converse(
        &mut wire,
        &mut Swap::default(),
        &mut Exhausted(Looks(0)),
        &HELLO,
    );
    assert_eq!(
        outcome,
        Err(Failure {
            code: ErrorCode::StackExhausted,
            details: [100, 0]
        })
    );
    assert_eq!(said(&wire.output).len(), 2, "the hello and the image");
}
