//! The device's receiver: a blocking source, and payloads that go straight where they are needed.

use crate::crc::Crc32;
use crate::frame::{CRC_BYTES, HEADER_BYTES, Header, Kind, LinkError};
use crate::write::INDEX_BYTES;

/// Where the bytes of frames come from.
pub trait Source {
    /// What can go wrong.
    type Error;

    /// Whether a host is at the other end while the device runs, and may ask how late it is. Where all frames were written
    /// beforehand, the question makes no sense, and the code for it is left out.
    const LIVE: bool = false;

    /// Fills `buffer`, waiting as long as it takes. `false`: the stream ended before the first byte of it.
    ///
    /// # Errors
    /// When the carrier is gone, or the stream ended in the middle of `buffer`.
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, Self::Error>;
}

/// What the host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// An inference; `input_bytes` follow and are read with [`Receiver::read_input`].
    Image {
        /// The host's number for this image.
        index: u32,
        /// Whether each operator is to be timed.
        profiled: bool,
        /// Bytes of the inputs that follow.
        input_bytes: u32,
    },
    /// How late it is.
    Clock,
    /// The end of the run: said, or the stream is over.
    End,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError<E> {
    /// The carrier failed, or the stream ended inside a frame.
    Source(E),
    /// The frame is not right.
    Link(LinkError),
}

/// Reads one frame after the other, its payload piece by piece.
#[derive(Debug, Default)]
pub struct Receiver {
    crc: Crc32,
}

impl Receiver {
    /// A receiver before its first frame.
    #[must_use]
    pub const fn new() -> Self {
        Self { crc: Crc32::new() }
    }

    /// Waits for the next frame that is for a device; garbage before it is skipped.
    ///
    /// # Errors
    /// See [`ReceiveError`]; a frame that is for a host is [`LinkError::UnknownKind`].
    pub fn next<S: Source>(&mut self, source: &mut S) -> Result<Received, ReceiveError<S::Error>> {
        let mut bytes = [0; HEADER_BYTES];
        if !source.read(&mut bytes).map_err(ReceiveError::Source)? {
            return Ok(Received::End);
        }
        let header = loop {
            if let Some(header) = Header::from_bytes(&bytes) {
                break header;
            }
            // By hand: `rotate_left` brings in a general `memmove`, 1.6 KB of code on a Cortex-M.
            let [_, b1, b2, b3, b4, b5, b6, b7, b8, b9] = bytes;
            bytes = [b1, b2, b3, b4, b5, b6, b7, b8, b9, 0];
            let [.., last] = &mut bytes;
            if !source
                .read(core::slice::from_mut(last))
                .map_err(ReceiveError::Source)?
            {
                return Ok(Received::End);
            }
        };
        self.crc = Crc32::new();
        self.crc.add(&bytes);
        let kind = header.kind().map_err(ReceiveError::Link)?;
        let malformed = ReceiveError::Link(LinkError::Malformed {
            kind,
            bytes: header.payload_bytes,
        });
        match kind {
            Kind::Image | Kind::ProfiledImage => {
                let input_bytes = header
                    .payload_bytes
                    .checked_sub(INDEX_BYTES as u32)
                    .ok_or(malformed)?;
                let mut index = [0; INDEX_BYTES];
                self.read(source, &mut index)?;
                Ok(Received::Image {
                    index: u32::from_le_bytes(index),
                    profiled: matches!(kind, Kind::ProfiledImage),
                    input_bytes,
                })
            }
            Kind::Clock if S::LIVE && header.payload_bytes == 0 => {
                self.finish(source)?;
                Ok(Received::Clock)
            }
            Kind::End if header.payload_bytes == 0 => {
                self.finish(source)?;
                Ok(Received::End)
            }
            Kind::End => Err(malformed),
            Kind::Clock if S::LIVE => Err(malformed),
            Kind::Clock
            | Kind::Hello
            | Kind::OpProfile
            | Kind::Inference
            | Kind::Done
            | Kind::Failure
            | Kind::Time
            | Kind::Slots => Err(ReceiveError::Link(LinkError::UnknownKind {
                code: header.kind_code,
            })),
        }
    }

    /// Reads the next part of an image's inputs into `into`. The parts must add up to the `input_bytes` of
    /// [`Received::Image`]; [`Receiver::finish`] must follow.
    ///
    /// # Errors
    /// When the carrier fails or ends.
    pub fn read_input<S: Source>(
        &mut self,
        source: &mut S,
        into: &mut [u8],
    ) -> Result<(), ReceiveError<S::Error>> {
        self.read(source, into)
    }

    /// Reads and checks the end of the frame.
    ///
    /// # Errors
    /// [`LinkError::Crc`], or when the carrier fails or ends.
    pub fn finish<S: Source>(&mut self, source: &mut S) -> Result<(), ReceiveError<S::Error>> {
        let computed = self.crc.value();
        let mut stated = [0; CRC_BYTES];
        self.read(source, &mut stated)?;
        let stated = u32::from_le_bytes(stated);
        if stated == computed {
            Ok(())
        } else {
            Err(ReceiveError::Link(LinkError::Crc { computed, stated }))
        }
    }

    fn read<S: Source>(
        &mut self,
        source: &mut S,
        into: &mut [u8],
    ) -> Result<(), ReceiveError<S::Error>> {
        // The stream may end between frames, where `next` reads; here its end is a frame that was cut short.
        if !into.is_empty() && !source.read(into).map_err(ReceiveError::Source)? {
            return Err(ReceiveError::Link(LinkError::Truncated));
        }
        self.crc.add(into);
        Ok(())
    }
}
