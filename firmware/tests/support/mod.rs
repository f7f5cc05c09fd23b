//! What the tests put in the place of a chip: a wire, a clock, a model.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_firmware::engine::{Engine, EngineError, Observer};
use ember_firmware::transport::TransportError;
use ember_link::{
    Decoder, DeviceMessage, Inference, OpProfile, Sink, Source, TimerKind, write_end, write_image,
};

/// A model that `ember-codegen` wrote.
#[allow(missing_docs, dead_code, unreachable_pub, reason = "generated")]
pub(crate) mod model {
    include!("../../../crates/ember-codegen/tests/golden/tiny_cnn.rs");
}

/// Both directions in memory; writing fails after `room` bytes.
pub(crate) struct Wire {
    pub(crate) input: Vec<u8>,
    pub(crate) position: usize,
    pub(crate) output: Vec<u8>,
    pub(crate) room: usize,
}

pub(crate) const ENDED: TransportError = TransportError(3);
pub(crate) const FULL: TransportError = TransportError(2);

impl Wire {
    pub(crate) fn new(input: Vec<u8>) -> Self {
        Self {
            input,
            position: 0,
            output: Vec::new(),
            room: usize::MAX,
        }
    }
}

impl Source for Wire {
    type Error = TransportError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, TransportError> {
        let rest = &self.input[self.position..];
        if rest.is_empty() {
            return Ok(false);
        }
        let bytes = rest.get(..buffer.len()).ok_or(ENDED)?;
        buffer.copy_from_slice(bytes);
        self.position += bytes.len();
        Ok(true)
    }
}

impl Sink for Wire {
    type Error = TransportError;

    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if self.output.len() + bytes.len() > self.room {
            return Err(FULL);
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }
}

/// One tick per look.
pub(crate) struct Looks(pub(crate) u64);

impl Clock for Looks {
    fn ticks(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

pub(crate) fn image(index: u32, profiled: bool, bytes: &[u8]) -> Vec<u8> {
    let mut wire = Wire::new(Vec::new());
    write_image(&mut wire, index, profiled, bytes).unwrap();
    wire.output
}

pub(crate) fn end() -> Vec<u8> {
    let mut wire = Wire::new(Vec::new());
    write_end(&mut wire).unwrap();
    wire.output
}

/// What was written, one line per message.
pub(crate) fn said(bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new(vec![0; bytes.len().max(64)]);
    decoder.feed(bytes);
    let mut lines = Vec::new();
    while let Some(frame) = decoder.next_frame() {
        let message = DeviceMessage::parse(frame.expect("a good frame")).expect("a good message");
        lines.push(match message {
            DeviceMessage::OpProfile(OpProfile {
                index,
                builtin_code,
                ticks,
            }) => format!("operator {index} ({builtin_code}) {ticks}"),
            DeviceMessage::Inference(Inference {
                index,
                ticks,
                outputs,
            }) => format!("image {index} {outputs:?} {ticks}"),
            DeviceMessage::Hello(hello) => format!("hello {}", hello.target),
            DeviceMessage::Slots(slots) => format!("slot {}", slots.running),
            DeviceMessage::Time(time) => format!("time {}", time.ticks),
            DeviceMessage::Done(done) => {
                format!("done {} {}", done.inferences, done.stack_bytes)
            }
            DeviceMessage::Failure(failure) => {
                format!("failure {:?} {:?}", failure.code, failure.details)
            }
        });
    }
    assert_eq!((decoder.skipped_bytes(), decoder.pending_bytes()), (0, 0));
    lines
}

/// An arena as the firmware has it.
#[repr(align(16))]
pub(crate) struct Arena(pub(crate) [u8; model::ARENA_BYTES]);

/// 100 bytes of stack, of which 60 were in use.
impl Chip for Looks {
    fn timer(&self) -> TimerKind {
        TimerKind::Dwt
    }

    fn calibration_ticks(&mut self) -> u64 {
        7
    }

    fn stack_limit_bytes(&self) -> u32 {
        100
    }

    fn stack_used_bytes(&self) -> u32 {
        60
    }
}

/// Two inputs, two outputs, two operators: the outputs are the inputs, swapped and inverted. The byte 13 is refused.
#[derive(Default)]
pub(crate) struct Swap {
    inputs: ([u8; 2], [u8; 3]),
    outputs: ([u8; 3], [u8; 2]),
}

impl Engine for Swap {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        match index {
            0 => Some(&mut self.inputs.0),
            1 => Some(&mut self.inputs.1),
            _ => None,
        }
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        match index {
            0 => Some(&self.outputs.0),
            1 => Some(&self.outputs.1),
            _ => None,
        }
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        observer.begin(0, 3);
        observer.end(0, 3);
        observer.begin(1, 9);
        if self.inputs.0.contains(&13) {
            return Err(EngineError {
                code: 4,
                operator: 1,
            });
        }
        self.outputs = (
            self.inputs.1.map(|byte| !byte),
            self.inputs.0.map(|byte| !byte),
        );
        // A model may use its inputs' memory for other things.
        self.inputs = Default::default();
        observer.end(1, 9);
        Ok(())
    }
}
