//! Turns the bytes that a firmware writes into messages, and checks on the way that they may come.

use super::Expect;
use crate::error::DeployError;
use ember_link::{
    CALIBRATION_INSTRUCTIONS, Decoder, DeviceMessage, Done, Hello, LinkError, Slots, TimerKind,
};

/// Longest frame that is taken: the outputs of any model for a microcontroller, many times over.
const LONGEST_FRAME: usize = 1 << 20;

/// How far the timer may be from what is expected: the ticks of the calibration loop are whole numbers.
const TIMER_TOLERANCE: f64 = 0.005;

/// What a firmware says about itself first. Times are in ticks of its timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// CRC-32 of the model in the firmware.
    pub model_crc: u32,
    /// Bytes of the model.
    pub model_bytes: u32,
    /// Bytes of the arena that the firmware was built with.
    pub arena_bytes: u32,
    /// Bytes of it that the model takes.
    pub arena_used_bytes: u32,
    /// Bytes of all inputs.
    pub input_bytes: u32,
    /// Bytes of all outputs.
    pub output_bytes: u32,
    /// Bytes of memory that the stack may grow over.
    pub stack_limit_bytes: u32,
    /// What the ticks are.
    pub timer: TimerKind,
    /// Ticks that [`CALIBRATION_INSTRUCTIONS`] instructions took.
    pub calibration_ticks: u64,
    /// Ticks to read and prepare the model.
    pub prepare_ticks: u64,
    /// The target triple that it was built for.
    pub target: String,
    /// Which slot the model is in; nothing where the model is part of the firmware.
    pub slots: Option<Slots>,
}

impl Greeting {
    /// Instructions of a loop of known length per tick of the timer; `None` without a timer. In an emulator that is exact; on
    /// hardware a tick of the processor's clock may be more or less than one instruction.
    #[must_use]
    pub fn instructions_per_tick(&self) -> Option<f64> {
        instructions_per_tick(self.calibration_ticks)
    }

    fn new(hello: Hello<'_>, slots: Option<Slots>) -> Self {
        let Hello {
            model_crc,
            model_bytes,
            arena_bytes,
            arena_used_bytes,
            input_bytes,
            output_bytes,
            stack_limit_bytes,
            timer,
            calibration_ticks,
            prepare_ticks,
            target,
        } = hello;
        Self {
            model_crc,
            model_bytes,
            arena_bytes,
            arena_used_bytes,
            input_bytes,
            output_bytes,
            stack_limit_bytes,
            timer,
            calibration_ticks,
            prepare_ticks,
            target: target.to_owned(),
            slots,
        }
    }
}

fn instructions_per_tick(calibration_ticks: u64) -> Option<f64> {
    let measured = f64::from(CALIBRATION_INSTRUCTIONS) / calibration_ticks as f64;
    (calibration_ticks > 0).then_some(measured)
}

/// What one operator cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorTicks {
    /// Its index in the model.
    pub index: u32,
    /// Its builtin code in the schema.
    pub builtin_code: u32,
    /// Ticks of the device's timer.
    pub ticks: u64,
}

/// A message that came after the greeting.
pub(crate) enum Heard {
    Operator(OperatorTicks),
    Inference {
        index: u32,
        ticks: u64,
        outputs: Vec<u8>,
    },
    /// How late it is on the device.
    Time(u64),
    /// With what was said first: the conversation that it ends.
    Done(Greeting, Done),
}

/// Where in the device's stream the bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// With its first byte: everything is a frame, and the greeting is the first.
    Beginning,
    /// Anywhere: what comes before the greeting is the rest of something else.
    Anywhere,
}

/// What came so far.
pub(crate) struct Listener<'a> {
    expect: Expect<'a>,
    start: Start,
    decoder: Decoder<Vec<u8>>,
    /// What is said before the greeting.
    slots: Option<Slots>,
    greeting: Option<Greeting>,
    /// Bytes before the greeting that were in no frame.
    garbage: u64,
}

impl<'a> Listener<'a> {
    pub(crate) fn new(expect: Expect<'a>, start: Start) -> Self {
        Self {
            expect,
            start,
            decoder: Decoder::new(vec![0; LONGEST_FRAME]),
            slots: None,
            greeting: None,
            garbage: 0,
        }
    }

    pub(crate) const fn greeting(&self) -> Option<&Greeting> {
        self.greeting.as_ref()
    }

    /// Bytes that were in no frame.
    pub(crate) const fn skipped_bytes(&self) -> u64 {
        self.decoder.skipped_bytes()
    }

    /// Takes the next bytes and adds the messages in them to `heard`. `done` images were answered before.
    pub(crate) fn take(
        &mut self,
        mut bytes: &[u8],
        done: usize,
        heard: &mut Vec<Heard>,
    ) -> Result<(), DeployError> {
        while !bytes.is_empty() {
            let taken = self.decoder.feed(bytes);
            bytes = &bytes[taken..];
            while let Some(frame) = self.decoder.next_frame() {
                let frame = frame.and_then(DeviceMessage::parse);
                let state = State {
                    deaf: self.greeting.is_none() && self.start == Start::Anywhere,
                    done,
                    expect: self.expect,
                    slots: &mut self.slots,
                    greeting: &mut self.greeting,
                };
                let deaf = state.deaf;
                heard.extend(state.hear(frame)?);
                if deaf {
                    self.garbage = self.decoder.skipped_bytes();
                }
            }
            let garbage = self.decoder.skipped_bytes() - self.garbage;
            let deaf = self.greeting.is_none() && self.start == Start::Anywhere;
            if !deaf && garbage > 0 {
                return Err(wrong(done, format!("{garbage} bytes that are no frame")));
            }
        }
        Ok(())
    }
}

/// What decides whether a message may come, while its frame is borrowed.
struct State<'l> {
    /// Nothing but a greeting, or a reason why there is none, is of interest.
    deaf: bool,
    done: usize,
    expect: Expect<'l>,
    slots: &'l mut Option<Slots>,
    greeting: &'l mut Option<Greeting>,
}

impl State<'_> {
    /// What one message says to whoever asked for images.
    fn hear(
        self,
        message: Result<DeviceMessage<'_>, LinkError>,
    ) -> Result<Option<Heard>, DeployError> {
        let done = self.done;
        let message = match message {
            Err(
                LinkError::Crc { .. } | LinkError::TooLong { .. } | LinkError::Malformed { .. },
            ) if self.deaf => {
                return Ok(None);
            }
            other => other.map_err(|source| DeployError::Link { done, source })?,
        };
        let answer = match (message, self.greeting.take()) {
            (DeviceMessage::Failure(failure), _) => {
                return Err(DeployError::Device {
                    code: failure.code,
                    details: failure.details,
                });
            }
            (DeviceMessage::Slots(slots), None) => {
                *self.slots = Some(slots);
                return Ok(None);
            }
            (DeviceMessage::Hello(hello), None) => {
                let checked = self.expect.check(&hello);
                checked.map_err(|problem| wrong(done, problem))?;
                *self.greeting = Some(Greeting::new(hello, self.slots.take()));
                return Ok(None);
            }
            (DeviceMessage::Hello(_) | DeviceMessage::Slots(_), Some(_)) => {
                return Err(wrong(done, "it started a second time".to_owned()));
            }
            (_, None) if self.deaf => return Ok(None),
            (_, None) => return Err(wrong(done, "an answer before the hello".to_owned())),
            // A device that goes on says hello again, and that may be in the bytes at hand.
            (DeviceMessage::Done(said), Some(known)) => return Ok(Some(Heard::Done(known, said))),
            (DeviceMessage::OpProfile(profile), known) => {
                *self.greeting = known;
                Heard::Operator(OperatorTicks {
                    index: profile.index,
                    builtin_code: profile.builtin_code,
                    ticks: profile.ticks,
                })
            }
            (DeviceMessage::Time(time), known) => {
                *self.greeting = known;
                Heard::Time(time.ticks)
            }
            (DeviceMessage::Inference(inference), Some(known)) => {
                let (found, expected) = (inference.outputs.len(), known.output_bytes as usize);
                *self.greeting = Some(known);
                if found != expected {
                    let problem = format!("{found} bytes of outputs instead of {expected}");
                    return Err(wrong(done, problem));
                }
                Heard::Inference {
                    index: inference.index,
                    ticks: inference.ticks,
                    outputs: inference.outputs.to_vec(),
                }
            }
        };
        Ok(Some(answer))
    }
}

impl Expect<'_> {
    /// Whether this is the firmware that is talked to.
    fn check(&self, hello: &Hello<'_>) -> Result<(), String> {
        if hello.target != self.target {
            return Err(format!(
                "it was built for {}, and this chip needs {}",
                hello.target, self.target
            ));
        }
        if hello.input_bytes as usize != self.input_bytes {
            return Err(format!(
                "its model takes {} bytes, and the images have {}",
                hello.input_bytes, self.input_bytes
            ));
        }
        let Some(expected) = self.instructions_per_tick else {
            return Ok(());
        };
        match instructions_per_tick(hello.calibration_ticks) {
            None => Err("it has no timer".to_owned()),
            Some(measured) if (measured / expected - 1.0).abs() > TIMER_TOLERANCE => Err(format!(
                "its timer has {measured:.3} instructions per tick, and the table of machines says {expected}"
            )),
            Some(_) => Ok(()),
        }
    }
}

pub(super) const fn wrong(done: usize, problem: String) -> DeployError {
    DeployError::Protocol { done, problem }
}
