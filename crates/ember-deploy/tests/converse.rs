//! The host's side of the conversation against the firmware's own program, run in a thread behind two small buffers.

use ember_deploy::DeployError;
use ember_deploy::converse::{
    Answer, Channel, Conversation, Expect, Images, LiveAnswer, Patience, Progress, Transcript,
};
use ember_firmware::app::{Sizes, serve};
use ember_firmware::clock::Clock;
use ember_firmware::engine::{Engine, EngineError, Observer};
use ember_firmware::transport::TransportError;
use ember_link::{
    CALIBRATION_INSTRUCTIONS, Done, ErrorCode, Failure, Hello, Sink, Slots, Source, TimerKind,
};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const TARGET: &str = "thumbv7m-none-eabi";
const EACH: usize = 5;

/// One direction: bytes, how many there is room for, and whether somebody is there.
struct Pipe {
    state: Mutex<(VecDeque<u8>, bool)>,
    changed: Condvar,
    room: usize,
}

impl Pipe {
    fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((VecDeque::new(), true)),
            changed: Condvar::new(),
            room,
        })
    }

    fn close(&self) {
        self.state.lock().unwrap().1 = false;
        self.changed.notify_all();
    }

    /// As many as there are, at most `buffer`.
    fn take_some(&self, buffer: &mut [u8]) -> usize {
        let mut state = self.state.lock().unwrap();
        let count = buffer.len().min(state.0.len());
        for (to, from) in buffer.iter_mut().zip(state.0.drain(..count)) {
            *to = from;
        }
        self.changed.notify_all();
        count
    }

    fn put_some(&self, bytes: &[u8]) -> usize {
        let mut state = self.state.lock().unwrap();
        let count = bytes.len().min(self.room - state.0.len());
        state.0.extend(&bytes[..count]);
        self.changed.notify_all();
        count
    }

    /// Waits until `ready`; false when the other side is gone.
    fn wait(&self, ready: impl Fn(&VecDeque<u8>) -> bool) -> bool {
        let mut state = self.state.lock().unwrap();
        while !ready(&state.0) && state.1 {
            state = self.changed.wait(state).unwrap();
        }
        ready(&state.0)
    }
}

/// The device's ends.
struct Wire {
    down: Arc<Pipe>,
    up: Arc<Pipe>,
}

const GONE: TransportError = TransportError(9);

impl Source for Wire {
    type Error = TransportError;

    const LIVE: bool = true;

    fn read(&mut self, mut buffer: &mut [u8]) -> Result<bool, TransportError> {
        while !buffer.is_empty() {
            if !self.down.wait(|bytes| !bytes.is_empty()) {
                return Err(GONE);
            }
            let count = self.down.take_some(buffer);
            buffer = &mut buffer[count..];
        }
        Ok(true)
    }
}

impl Sink for Wire {
    type Error = TransportError;

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), TransportError> {
        while !bytes.is_empty() {
            if !self.up.wait(|there| there.len() < self.up.room) {
                return Err(GONE);
            }
            bytes = &bytes[self.up.put_some(bytes)..];
        }
        Ok(())
    }
}

type Tamper = Box<dyn FnMut(&mut [u8])>;

/// The host's ends; what comes up goes through `tamper` first.
struct Ends {
    down: Arc<Pipe>,
    up: Arc<Pipe>,
    tamper: Tamper,
}

impl Channel for Ends {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError> {
        let count = self.up.take_some(buffer);
        (self.tamper)(&mut buffer[..count]);
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError> {
        Ok(self.down.put_some(bytes))
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.down.close();
        self.up.close();
    }
}

/// The outputs are the inputs plus one; a first byte of 13 is refused, one of 99 takes forever.
#[derive(Default)]
struct PlusOne {
    input: [u8; EACH],
    output: [u8; EACH],
}

impl Engine for PlusOne {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        (index == 0).then_some(&mut self.input)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(&self.output)
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        observer.begin(0, 9);
        match self.input[0] {
            13 => {
                return Err(EngineError {
                    code: 4,
                    operator: 0,
                });
            }
            99 => thread::sleep(Duration::from_secs(1)),
            _ => {}
        }
        self.output = self.input.map(|byte| byte.wrapping_add(1));
        observer.end(0, 9);
        Ok(())
    }
}

/// Ten ticks per look.
struct Looks(u64);

impl Clock for Looks {
    fn ticks(&mut self) -> u64 {
        self.0 += 10;
        self.0
    }
}

/// A million ticks per second.
struct Microseconds(Instant);

impl Clock for Microseconds {
    fn ticks(&mut self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}

const SLOTS: Slots = Slots {
    running: 1,
    sequence: 7,
    model_version: 3,
    refusals: [2, 0],
};

/// What the firmware does after reset, for ever.
fn device(mut wire: Wire, mut clock: impl Clock) -> Result<(), Failure> {
    let lost = |_| Failure {
        code: ErrorCode::Transport,
        details: [0, 0],
    };
    loop {
        SLOTS.write(&mut wire).map_err(lost)?;
        Hello {
            model_crc: 1,
            model_bytes: 2,
            arena_bytes: 4,
            arena_used_bytes: 3,
            input_bytes: EACH as u32,
            output_bytes: EACH as u32,
            stack_limit_bytes: 1000,
            timer: TimerKind::Dwt,
            calibration_ticks: u64::from(CALIBRATION_INSTRUCTIONS) * 2,
            prepare_ticks: 77,
            target: TARGET,
        }
        .write(&mut wire)
        .map_err(lost)?;
        let sizes = Sizes {
            input_bytes: EACH as u32,
            output_bytes: EACH as u32,
        };
        let inferences = serve(&mut wire, &mut PlusOne::default(), &mut clock, sizes).inspect_err(
            |failure| {
                // The host may be gone.
                let _ = failure.write(&mut Wire {
                    down: Arc::clone(&wire.down),
                    up: Arc::clone(&wire.up),
                });
            },
        )?;
        Done {
            inferences,
            stack_bytes: 321,
        }
        .write(&mut wire)
        .map_err(lost)?;
    }
}

/// A device behind buffers of these sizes, which sent `before` before its start.
fn attach(down: usize, up: usize, before: &[u8]) -> Ends {
    attach_with(down, up, before, Looks(0))
}

fn attach_with(down: usize, up: usize, before: &[u8], clock: impl Clock + Send + 'static) -> Ends {
    let (down, up) = (Pipe::new(down), Pipe::new(up));
    assert_eq!(up.put_some(before), before.len());
    let wire = Wire {
        down: Arc::clone(&down),
        up: Arc::clone(&up),
    };
    thread::spawn(|| device(wire, clock));
    Ends {
        down,
        up,
        tamper: Box::new(|_| {}),
    }
}

const EXPECT: Expect<'static> = Expect {
    target: TARGET,
    input_bytes: EACH,
    instructions_per_tick: None,
};

const SHORT: Patience = Patience {
    hello: Duration::from_millis(300),
    silence: Duration::from_millis(300),
};

fn open<'a>(ends: &'a mut Ends, expect: Expect<'a>) -> Result<Conversation<'a, Ends>, DeployError> {
    Conversation::open(ends, expect, SHORT, &mut carry_on)
}

fn carry_on(_: Option<Answer<'_>>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn run(
    ends: &mut Ends,
    images: &[u8],
    progress: &mut Progress<'_>,
) -> Result<Transcript, DeployError> {
    open(ends, EXPECT)?.run(Images::new(images, EACH)?, progress)
}

fn plus_one(images: &[u8]) -> Vec<u8> {
    images.iter().map(|byte| byte.wrapping_add(1)).collect()
}

/// Bytes that are no special ones for [`PlusOne`] at the beginning of an image.
fn images(count: usize) -> Vec<u8> {
    (0..count * EACH).map(|index| (index % 10) as u8).collect()
}

#[test]
fn every_image_is_answered_through_buffers_of_any_size() {
    for (down, up) in [(1, 1), (3, 64), (64, 3), (1024, 1024)] {
        let mut ends = attach(down, up, &[]);
        let images = images(40);
        let mut seen = 0;
        let transcript = run(&mut ends, &images, &mut |answer| {
            if let Some(answer) = answer {
                assert_eq!((answer.index, answer.total), (seen, 40));
                assert_eq!(answer.outputs, plus_one(&images[seen * EACH..][..EACH]));
                assert_eq!(answer.ticks, 10);
                seen += 1;
            }
            ControlFlow::Continue(())
        })
        .unwrap_or_else(|error| panic!("{down}, {up}: {error}"));
        assert_eq!(seen, 40);
        assert_eq!(transcript.outputs, plus_one(&images));
        assert_eq!(transcript.output(39), Some(&plus_one(&images)[39 * EACH..]));
        assert_eq!(transcript.ticks, [10; 40]);
        assert_eq!(transcript.ticks_per_inference(), 10);
        assert_eq!(transcript.operators.len(), 1);
        assert_eq!(transcript.stack_bytes, 321);
        let greeting = transcript.greeting;
        assert_eq!(greeting.timer, TimerKind::Dwt);
        assert_eq!(greeting.prepare_ticks, 77);
        assert_eq!(greeting.instructions_per_tick(), Some(0.5));
        assert_eq!(greeting.slots, Some(SLOTS));
    }
}

#[test]
fn a_device_can_be_talked_to_again_and_again() {
    let mut ends = attach(16, 1024, &[]);
    let mut conversation = open(&mut ends, EXPECT).unwrap();
    for count in [0, 1, 2, 0, 7] {
        let images = images(count);
        let transcript = conversation
            .run(Images::new(&images, EACH).unwrap(), &mut carry_on)
            .unwrap_or_else(|error| panic!("{count}: {error}"));
        assert_eq!(transcript.images, count);
        assert_eq!(transcript.outputs, plus_one(&images));
    }
}

#[test]
fn what_comes_before_the_hello_is_skipped() {
    // Half a frame, whole frames of another conversation, and nonsense.
    let other = attach(1024, 1024, &[]);
    let mut before = vec![0; 1024];
    thread::sleep(Duration::from_millis(50));
    let hello = other.up.take_some(&mut before);
    before.truncate(hello / 2);
    before.extend([0xEB, 0x17, 0xEB, 0x00]);
    let pipe = Pipe::new(64);
    let mut wire = Wire {
        down: Pipe::new(1),
        up: Arc::clone(&pipe),
    };
    Done {
        inferences: 5,
        stack_bytes: 5,
    }
    .write(&mut wire)
    .unwrap();
    let mut done = [0; 64];
    let count = pipe.take_some(&mut done);
    before.extend(&done[..count]);

    let mut ends = attach(64, 64 + before.len(), &before);
    let images = images(3);
    let transcript = run(&mut ends, &images, &mut carry_on).unwrap();
    assert_eq!(transcript.outputs, plus_one(&images));
}

#[test]
fn silence_is_not_waited_for_for_ever() {
    let mut nobody = Ends {
        down: Pipe::new(8),
        up: Pipe::new(8),
        tamper: Box::new(|_| {}),
    };
    match open(&mut nobody, EXPECT).err() {
        Some(DeployError::NoHello { skipped: 0, .. }) => {}
        other => panic!("{other:?}"),
    }

    let mut babble = Ends {
        down: Pipe::new(8),
        up: Pipe::new(8),
        tamper: Box::new(|_| {}),
    };
    babble.up.put_some(b"garbage!");
    let error = open(&mut babble, EXPECT).err().expect("that is no hello");
    assert!(error.to_string().contains("only 8 bytes"), "{error}");

    let mut slow = attach(64, 64, &[]);
    let slow_images = [[1; EACH], [99; EACH], [1; EACH]].concat();
    match run(&mut slow, &slow_images, &mut carry_on) {
        Err(DeployError::Hang {
            done: 1, total: 3, ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_firmware_that_is_another_one_is_told() {
    let other_target = Expect {
        target: "thumbv6m-none-eabi",
        ..EXPECT
    };
    let other_size = Expect {
        input_bytes: 784,
        ..EXPECT
    };
    let other_timer = Expect {
        instructions_per_tick: Some(40.0),
        ..EXPECT
    };
    for (expect, words) in [
        (other_target, "this chip needs thumbv6m-none-eabi"),
        (other_size, "takes 5 bytes, and the images have 784"),
        (other_timer, "0.500 instructions per tick"),
    ] {
        let mut ends = attach(64, 64, &[]);
        let error = open(&mut ends, expect).err().expect("it is another one");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_damaged_answer_is_never_taken() {
    for position in 0..4 {
        let mut ends = attach(64, 64, &[]);
        let mut passed = 0;
        // Somewhere in the answers to the first images.
        let at: usize = 200 + 3 * position;
        ends.tamper = Box::new(move |bytes| {
            let here = at.checked_sub(passed);
            if let Some(byte) = here.and_then(|offset| bytes.get_mut(offset)) {
                *byte ^= 4;
            }
            passed += bytes.len();
        });
        match run(&mut ends, &images(10), &mut carry_on) {
            Err(
                DeployError::Link { .. } | DeployError::Protocol { .. } | DeployError::Hang { .. },
            ) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_the_device_says_is_wrong_is_told() {
    let mut ends = attach(64, 64, &[]);
    let refused = [[1; EACH], [13; EACH]].concat();
    match run(&mut ends, &refused, &mut carry_on) {
        Err(DeployError::Device {
            code: ErrorCode::Invoke,
            details: [4, 0],
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_can_be_stopped() {
    let mut ends = attach(64, 64, &[]);
    let mut stop = |answer: Option<Answer<'_>>| match answer {
        Some(answer) if answer.index == 4 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    match run(&mut ends, &images(100), &mut stop) {
        Err(DeployError::Stopped {
            done: 5,
            total: 100,
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_live_stream_goes_on_until_it_is_stopped_and_ends_in_good_order() {
    let mut ends = attach(8, 64, &[]);
    let mut conversation = open(&mut ends, EXPECT).unwrap();
    for stop_after in [1_u64, 50] {
        let mut number = 0_u8;
        let mut drawn = std::iter::repeat_with(|| {
            number = (number + 1) % 10;
            vec![number; EACH]
        });
        let mut seen = 0;
        let mut answered = |answer: Option<LiveAnswer<'_>>| {
            let Some(answer) = answer else {
                return ControlFlow::Continue(());
            };
            assert_eq!(answer.index, seen);
            assert_eq!(answer.outputs, [((seen + 1) % 10 + 1) as u8; EACH]);
            seen += 1;
            if seen < stop_after {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let summary = conversation.live(&mut drawn, &mut answered).unwrap();
        assert_eq!(summary.answered, seen);
        // Images that were on the way are answered too.
        assert!((stop_after..stop_after + 2).contains(&seen), "{seen}");
        assert_eq!(summary.ticks, seen * 10);
        assert_eq!(summary.stack_bytes, 321);
    }

    let mut three = std::iter::repeat_n(vec![3; EACH], 3);
    let summary = conversation
        .live(&mut three, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert_eq!(summary.answered, 3);

    let mut wrong = std::iter::once(vec![0; 7]);
    let error = conversation
        .live(&mut wrong, &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(
        matches!(
            error,
            DeployError::Images {
                given: 7,
                each: EACH
            }
        ),
        "{error}"
    );
}

#[test]
fn the_timers_rate_is_measured() {
    let mut ends = attach_with(8, 64, &[], Microseconds(Instant::now()));
    let mut conversation = open(&mut ends, EXPECT).unwrap();
    let rate = conversation
        .clock_rate(Duration::from_millis(200), &mut carry_on)
        .unwrap()
        .expect("it moves");
    let error = (rate.hertz - 1e6).abs();
    assert!(error <= rate.uncertainty + 20.0, "{rate:?}");
    assert!(rate.uncertainty < 2e5, "{rate:?}");
    // Nothing is lost for what comes next.
    let images = images(3);
    let transcript = conversation
        .run(Images::new(&images, EACH).unwrap(), &mut carry_on)
        .unwrap();
    assert_eq!(transcript.outputs, plus_one(&images));

    struct Still;

    impl Clock for Still {
        fn ticks(&mut self) -> u64 {
            5
        }
    }

    let mut ends = attach_with(64, 64, &[], Still);
    let mut conversation = open(&mut ends, EXPECT).unwrap();
    let rate = conversation.clock_rate(Duration::ZERO, &mut carry_on);
    assert_eq!(rate.unwrap(), None);
}
