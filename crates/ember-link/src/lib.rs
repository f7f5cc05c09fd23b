//! The frames that a host and a device running Ember's firmware exchange, over whatever carries bytes.
//!
//! | bytes | what |
//! |---|---|
//! | 2 | magic `EB 17` |
//! | 1 | protocol version |
//! | 1 | kind: what the payload is ([`Kind`]) |
//! | 4 | payload length `n` |
//! | 2 | header check: the low half of the CRC-32 of the 8 bytes before |
//! | n | payload |
//! | 4 | CRC-32 of everything before |
//!
//! Numbers are little-endian. The header has a check of its own, so that a receiver that lands in the middle of
//! something else does not wait for as many bytes as four random ones happen to say.
//!
//! The device writes with [`write_frame`] into a [`Sink`] and reads with [`Receiver`] straight into the model's input:
//! it needs no buffer of its own. The host reads with [`Decoder`], which finds the next frame after any garbage.
//!
//! Where a host is at the other end of the carrier while the device runs ([`Source::LIVE`]) it may also ask how late it is,
//! so that it can measure the device's clock; and a device that has its models in slots says which one runs ([`Slots`]).
//!
//! **Invariants:** no standard library, no allocation; nothing here panics, whatever bytes arrive.

#![no_std]

mod crc;
mod decoder;
mod frame;
mod message;
mod receive;
mod write;

pub use crc::Crc32;
pub use decoder::Decoder;
pub use frame::{
    Frame, HEADER_BYTES, Header, Kind, LinkError, MAGIC, OVERHEAD_BYTES, PROTOCOL_VERSION,
};
pub use message::{
    CALIBRATION_INSTRUCTIONS, DeviceMessage, Done, ErrorCode, Failure, Hello, Inference, OpProfile,
    Refusal, Slots, Time, TimerKind,
};
pub use receive::{ReceiveError, Received, Receiver, Source};
pub use write::{
    FrameWriter, Sink, image_frame_bytes, write_clock, write_end, write_frame, write_image,
};
