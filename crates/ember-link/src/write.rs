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
    write_frame_of(sink, kind, parts.iter().copied())
}

/// As [`write_frame`], for parts whose number is known only when the program runs. They are gone through twice.
///
/// # Errors
/// What the sink says.
pub fn write_frame_of<'a, S: Sink>(
    sink: &mut S,
    kind: Kind,
    parts: impl Iterator<Item = &'a [u8]> + Clone,
) -> Result<(), S::Error> {
    let payload_bytes = parts
        .clone()
        .fold(0_u32, |sum, part| sum.wrapping_add(part.len() as u32));
    let header = Header::new(kind, payload_bytes).to_bytes();
    let mut crc = Crc32::new();
    crc.add(&header);
    sink.write(&header)?;
    for part in parts {
        crc.add(part);
        sink.write(part)?;
    }
    sink.write(&crc.value().to_le_bytes())
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
