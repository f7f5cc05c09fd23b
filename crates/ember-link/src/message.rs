//! What a device says: the payloads of the frames that come from it.
//!
//! Each is a number of 32-bit words, a 64-bit number as its low and then its high word, and bytes to the end.

use crate::frame::{Frame, Kind, LinkError};
use crate::write::{FrameWriter, Sink, write_frame};

macro_rules! codes {
    ($(#[doc = $enum_doc:literal])* $name:ident: $repr:ty { $($(#[doc = $doc:literal])* $variant:ident = $code:literal;)* }) => {
        $(#[doc = $enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr($repr)]
        pub enum $name {
            $($(#[doc = $doc])* $variant = $code,)*
        }

        impl $name {
            /// Every value, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value with this code, if there is one.
            #[must_use]
            pub const fn from_code(code: $repr) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// What a device counts time with. The ticks on the wire always count upwards, wraps included.
    TimerKind: u32 {
        /// The SysTick timer of a Cortex-M or a QingKe, at the processor's clock.
        SysTick = 1;
        /// The `mcycle` counter of a RISC-V core.
        Mcycle = 2;
        /// The cycle counter of a Cortex-M's DWT unit.
        Dwt = 3;
        /// Nothing: the processor has no counter that moves, and every tick count is zero.
        None = 4;
    }
}

codes! {
    /// Why a device gave up. The two details of [`Failure`] depend on the code.
    ErrorCode: u32 {
        /// The model's bytes are not a model that this runtime reads. No details.
        Model = 1;
        /// The model cannot be prepared. Details: number of the runtime's error; its operator or tensor, or the bytes of
        /// arena that are needed.
        Prepare = 2;
        /// An inference failed. Details: number of the runtime's error, operator index.
        Invoke = 3;
        /// An image has the wrong length. Details: bytes that came, bytes of the model's inputs.
        ImageLength = 4;
        /// A frame from the host failed a check. Details: [`LinkError::code`], number of good images before it.
        Frame = 5;
        /// The carrier failed. Details: carrier's own code, number of good images before it.
        Transport = 6;
        /// The stack grew over all the memory that is watched for it. Details: bytes watched, 0.
        StackExhausted = 7;
        /// The processor took a fault. Details: program counter, cause register (0 where there is none).
        Fault = 8;
        /// No slot holds a model that runs. Details: why, as in [`Slots::refusals`], for the first and for the second slot. The device waits
        /// for a reset.
        NoModel = 9;
    }
}

/// Instructions of the loop that a device times before it says [`Hello`]: a subtraction and a branch, over and over.
///
/// With it, a host checks how many instructions (or, on hardware, cycles of a loop in the cache) one tick is.
pub const CALIBRATION_INSTRUCTIONS: u32 = 1 << 17;

/// Says once, first, what the device is and which model it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello<'a> {
    /// CRC-32 of the model's bytes.
    pub model_crc: u32,
    /// Bytes of the model.
    pub model_bytes: u32,
    /// Bytes of the arena that the firmware was built with.
    pub arena_bytes: u32,
    /// Bytes of the arena that the model takes.
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
    /// Ticks that reading and preparing the model took.
    pub prepare_ticks: u64,
    /// The target triple that the firmware was built for.
    pub target: &'a str,
}

/// What one operator cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpProfile {
    /// The operator's index in the model.
    pub index: u32,
    /// Its builtin code in the schema.
    pub builtin_code: u32,
    /// Ticks that it took.
    pub ticks: u64,
}

/// The outputs for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inference<'a> {
    /// The host's number for the image.
    pub index: u32,
    /// Ticks of the inference alone: inputs in place to outputs in place. Of a profiled inference, the sum over its
    /// operators.
    pub ticks: u64,
    /// Every output of the model, one after the other.
    pub outputs: &'a [u8],
}

/// The run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Inferences done.
    pub inferences: u32,
    /// The most bytes of stack that were ever in use.
    pub stack_bytes: u32,
}

/// The device gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub code: ErrorCode,
    /// What [`ErrorCode`] says for the code.
    pub details: [u32; 2],
}

/// How late it is on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Ticks since some moment before the first [`Hello`], by the same clock as those of an [`Inference`].
    pub ticks: u64,
}

/// Which slot's model runs: said before each [`Hello`] by a firmware that has its model in slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The number of the slot, from 0.
    pub running: u32,
    /// The sequence number in its header.
    pub sequence: u32,
    /// The model's version in its header.
    pub model_version: u32,
    /// What is wrong with the first and with the second slot: [`Refusal::to_word`]; 0 where there is no such slot, or nothing
    /// is wrong as far as the device has looked.
    pub refusals: [u32; 2],
}

codes! {
    /// Why a slot's model does not run.
    Refusal: u32 {
        /// The slot has no room for a header. No detail.
        Short = 1;
        /// Nothing was written, or something else. No detail.
        Empty = 2;
        /// The header is not as it was written. No detail.
        Header = 3;
        /// The slot's format is another. Detail: its version.
        Format = 4;
        /// A field that the format fixes has another value. No detail.
        Field = 5;
        /// The model would end behind the slot's end. Detail: its bytes.
        Length = 6;
        /// The model is not as it was written. No detail.
        Hash = 7;
        /// The firmware wants a signature, and there is none. No detail.
        Unsigned = 8;
        /// The signature is not by the owner of the firmware's key. No detail.
        Signature = 9;
        /// The bytes are as they were written, but no model that the runtime reads. No detail.
        Model = 10;
        /// The model needs more arena than there is. Detail: bytes that it needs.
        Arena = 11;
        /// The model cannot be prepared for another reason. Detail: number of the runtime's error, as of
        /// [`ErrorCode::Prepare`].
        Prepare = 12;
    }
}

impl Refusal {
    /// The largest detail; a larger one is sent as this.
    pub const MAX_DETAIL: u32 = u32::MAX >> 8;

    /// The word on the wire: the code in the lowest byte, the detail above it.
    #[must_use]
    pub const fn to_word(self, detail: u32) -> u32 {
        let detail = if detail < Self::MAX_DETAIL {
            detail
        } else {
            Self::MAX_DETAIL
        };
        detail << 8 | self as u32
    }

    /// The refusal and its detail, if there is one that we know.
    #[must_use]
    pub const fn from_word(word: u32) -> Option<(Self, u32)> {
        match Self::from_code(word & 0xff) {
            Some(refusal) => Some((refusal, word >> 8)),
            None => None,
        }
    }
}

/// What a frame from a device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceMessage<'a> {
    /// See [`Hello`].
    Hello(Hello<'a>),
    /// See [`OpProfile`].
    OpProfile(OpProfile),
    /// See [`Inference`].
    Inference(Inference<'a>),
    /// See [`Done`].
    Done(Done),
    /// See [`Failure`].
    Failure(Failure),
    /// See [`Time`].
    Time(Time),
    /// See [`Slots`].
    Slots(Slots),
}

/// The two words of a 64-bit number.
const fn split(number: u64) -> (u32, u32) {
    (number as u32, (number >> 32) as u32)
}

/// Writes a frame of words and bytes.
fn write_message<S: Sink>(
    sink: &mut S,
    kind: Kind,
    words: &[[u8; 4]],
    bytes: &[u8],
) -> Result<(), S::Error> {
    write_frame(sink, kind, &[words.as_flattened(), bytes])
}

impl Hello<'_> {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let calibration = split(self.calibration_ticks);
        let prepare = split(self.prepare_ticks);
        let words = [
            self.model_crc,
            self.model_bytes,
            self.arena_bytes,
            self.arena_used_bytes,
            self.input_bytes,
            self.output_bytes,
            self.stack_limit_bytes,
            self.timer as u32,
            calibration.0,
            calibration.1,
            prepare.0,
            prepare.1,
        ];
        let words = words.map(u32::to_le_bytes);
        write_message(sink, Kind::Hello, &words, self.target.as_bytes())
    }
}

impl OpProfile {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let (low, high) = split(self.ticks);
        let words = [self.index, self.builtin_code, low, high].map(u32::to_le_bytes);
        write_message(sink, Kind::OpProfile, &words, &[])
    }
}

/// Bytes before the outputs of an [`Inference`].
const INFERENCE_HEAD: u32 = 12;

impl Inference<'_> {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let output_bytes = self.outputs.len() as u32;
        let mut frame = Self::begin(sink, self.index, self.ticks, output_bytes)?;
        frame.write(self.outputs)?;
        frame.end()
    }

    /// Writes the beginning of the frame, for outputs that lie in several places; all `output_bytes` of them are to be
    /// written next.
    ///
    /// # Errors
    /// What the sink says.
    pub fn begin<S: Sink>(
        sink: &mut S,
        index: u32,
        ticks: u64,
        output_bytes: u32,
    ) -> Result<FrameWriter<'_, S>, S::Error> {
        let (low, high) = split(ticks);
        let words = [index, low, high].map(u32::to_le_bytes);
        let payload_bytes = INFERENCE_HEAD.wrapping_add(output_bytes);
        let mut frame = FrameWriter::begin(sink, Kind::Inference, payload_bytes)?;
        frame.write(words.as_flattened())?;
        Ok(frame)
    }
}

impl Done {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let words = [self.inferences, self.stack_bytes].map(u32::to_le_bytes);
        write_message(sink, Kind::Done, &words, &[])
    }
}

impl Failure {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let [first, second] = self.details;
        let words = [self.code as u32, first, second].map(u32::to_le_bytes);
        write_message(sink, Kind::Failure, &words, &[])
    }
}

impl Time {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let (low, high) = split(self.ticks);
        let words = [low, high].map(u32::to_le_bytes);
        write_message(sink, Kind::Time, &words, &[])
    }
}

impl Slots {
    /// Writes the frame.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        let [first, second] = self.refusals;
        let words = [
            self.running,
            self.sequence,
            self.model_version,
            first,
            second,
        ];
        let words = words.map(u32::to_le_bytes);
        write_message(sink, Kind::Slots, &words, &[])
    }
}

/// The fields of a payload, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    const fn rest(self) -> &'a [u8] {
        self.0
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

impl<'a> DeviceMessage<'a> {
    /// The message in a frame.
    ///
    /// # Errors
    /// [`LinkError::UnknownKind`] when the frame is one that goes to a device, [`LinkError::Malformed`] when the
    /// payload has another length or a code that we do not know.
    pub fn parse(frame: Frame<'a>) -> Result<Self, LinkError> {
        let fields = Fields(frame.payload);
        let message = match frame.kind {
            Kind::Hello => hello(fields).map(Self::Hello),
            Kind::OpProfile => op_profile(fields).map(Self::OpProfile),
            Kind::Inference => inference(fields).map(Self::Inference),
            Kind::Done => done(fields).map(Self::Done),
            Kind::Failure => failure(fields).map(Self::Failure),
            Kind::Time => time(fields).map(Self::Time),
            Kind::Slots => slots(fields).map(Self::Slots),
            Kind::Image | Kind::ProfiledImage | Kind::End | Kind::Clock => {
                return Err(LinkError::UnknownKind {
                    code: frame.kind as u8,
                });
            }
        };
        message.ok_or(LinkError::Malformed {
            kind: frame.kind,
            bytes: frame.payload.len() as u32,
        })
    }
}

fn hello(mut fields: Fields<'_>) -> Option<Hello<'_>> {
    Some(Hello {
        model_crc: fields.u32()?,
        model_bytes: fields.u32()?,
        arena_bytes: fields.u32()?,
        arena_used_bytes: fields.u32()?,
        input_bytes: fields.u32()?,
        output_bytes: fields.u32()?,
        stack_limit_bytes: fields.u32()?,
        timer: TimerKind::from_code(fields.u32()?)?,
        calibration_ticks: fields.u64()?,
        prepare_ticks: fields.u64()?,
        target: core::str::from_utf8(fields.rest()).ok()?,
    })
}

fn op_profile(mut fields: Fields<'_>) -> Option<OpProfile> {
    let profile = OpProfile {
        index: fields.u32()?,
        builtin_code: fields.u32()?,
        ticks: fields.u64()?,
    };
    fields.end()?;
    Some(profile)
}

fn inference(mut fields: Fields<'_>) -> Option<Inference<'_>> {
    Some(Inference {
        index: fields.u32()?,
        ticks: fields.u64()?,
        outputs: fields.rest(),
    })
}

fn done(mut fields: Fields<'_>) -> Option<Done> {
    let done = Done {
        inferences: fields.u32()?,
        stack_bytes: fields.u32()?,
    };
    fields.end()?;
    Some(done)
}

fn failure(mut fields: Fields<'_>) -> Option<Failure> {
    let failure = Failure {
        code: ErrorCode::from_code(fields.u32()?)?,
        details: [fields.u32()?, fields.u32()?],
    };
    fields.end()?;
    Some(failure)
}

fn time(mut fields: Fields<'_>) -> Option<Time> {
    let time = Time {
        ticks: fields.u64()?,
    };
    fields.end()?;
    Some(time)
}

fn slots(mut fields: Fields<'_>) -> Option<Slots> {
    let slots = Slots {
        running: fields.u32()?,
        sequence: fields.u32()?,
        model_version: fields.u32()?,
        refusals: [fields.u32()?, fields.u32()?],
    };
    fields.end()?;
    Some(slots)
}
