//! Writing frames.

use crate::crc::Crc32;
use crate::frame::{Header, Kind, OVERHEAD_BYTES};

/// Where the bytes of a frame go.
pub trait Sink {
    /// What can go wrong.
    type Error;

    /// Takes all of `bytes`.
    ///
    /// # Errors
    /// When the carrier is gone or full.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Writes one frame whose payload is the `parts`, one after the other; no buffer is needed.
///
/// A payload of 4 GiB or more does not fit the length field; no device has that much memory.
///
/// # Errors
/// What the sink says.
pub fn write_frame<S: Sink>(sink: &mut S, kind: Kind, parts: &[&[u8]]) -> Result<(), S::Error> {
    let payload_bytes = parts
        .iter()
        .fold(0_u32, |sum, part| sum.wrapping_add(part.len() as u32));
    let mut frame = FrameWriter::begin(sink, kind, payload_bytes)?;
    for part in parts {
        frame.write(part)?;
    }
    frame.end()
}

/// A frame that is being written piece by piece.
#[derive(Debug)]
#[must_use = "a frame needs its end"]
pub struct FrameWriter<'s, S> {
    sink: &'s mut S,
    crc: Crc32,
}

impl<'s, S: Sink> FrameWriter<'s, S> {
    /// Writes the header of a frame with `payload_bytes` of payload: as many as will be written before the end.
    ///
    /// # Errors
    /// What the sink says.
    pub fn begin(sink: &'s mut S, kind: Kind, payload_bytes: u32) -> Result<Self, S::Error> {
        let mut frame = Self {
            sink,
            crc: Crc32::new(),
        };
        frame.write(&Header::new(kind, payload_bytes).to_bytes())?;
        Ok(frame)
    }

    /// Writes the next part of the payload.
    ///
    /// # Errors
    /// What the sink says.
    pub fn write(&mut self, part: &[u8]) -> Result<(), S::Error> {
        self.crc.add(part);
        self.sink.write(part)
    }

    /// Writes the check at the end.
    ///
    /// # Errors
    /// What the sink says.
    pub fn end(self) -> Result<(), S::Error> {
        self.sink.write(&self.crc.value().to_le_bytes())
    }
}

/// Writes the frame that asks for one inference. `inputs` is every input of the model, one after the other.
///
/// # Errors
/// What the sink says.
pub fn write_image<S: Sink>(
    sink: &mut S,
    index: u32,
    profiled: bool,
    inputs: &[u8],
) -> Result<(), S::Error> {
    let kind = if profiled {
        Kind::ProfiledImage
    } else {
        Kind::Image
    };
    write_frame(sink, kind, &[&index.to_le_bytes(), inputs])
}

/// Bytes that [`write_image`] writes for inputs of this many bytes.
#[must_use]
pub const fn image_frame_bytes(input_bytes: usize) -> usize {
    OVERHEAD_BYTES + INDEX_BYTES + input_bytes
}

pub(crate) const INDEX_BYTES: usize = 4;

/// Writes the frame that ends a run.
///
/// # Errors
/// What the sink says.
pub fn write_end<S: Sink>(sink: &mut S) -> Result<(), S::Error> {
    write_frame(sink, Kind::End, &[])
}

/// Writes the frame that asks how late it is.
///
/// # Errors
/// What the sink says.
pub fn write_clock<S: Sink>(sink: &mut S) -> Result<(), S::Error> {
    write_frame(sink, Kind::Clock, &[])
}
