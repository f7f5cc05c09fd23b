//! The host's receiver: bytes in, in pieces of any size; checked frames out.

use crate::crc::Crc32;
use crate::frame::{CRC_BYTES, Frame, HEADER_BYTES, Header, LinkError, MAGIC, OVERHEAD_BYTES};

/// Finds frames in a stream of bytes, kept in the caller's buffer (a slice, an array, a vector).
///
/// After garbage, or a frame that fails a check, it goes on at the very next byte that may begin a frame: no good
/// frame is lost behind a bad one.
///
/// ```
/// # use ember_link::{Decoder, Frame, Kind, Sink, write_frame};
/// # struct Bytes(Vec<u8>);
/// # impl Sink for Bytes {
/// #     type Error = core::convert::Infallible;
/// #     fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> { self.0.extend(bytes); Ok(()) }
/// # }
/// # let mut wire = Bytes(b"garbage".to_vec());
/// # write_frame(&mut wire, Kind::End, &[]).unwrap();
/// # let wire = wire.0;
/// let mut buffer = [0; 64];
/// let mut decoder = Decoder::new(&mut buffer[..]);
/// let taken = decoder.feed(&wire);
/// assert_eq!(taken, wire.len());
/// assert_eq!(decoder.next_frame(), Some(Ok(Frame { kind: Kind::End, payload: &[] })));
/// assert_eq!(decoder.next_frame(), None);
/// assert_eq!(decoder.skipped_bytes(), 7);
/// ```
#[derive(Debug)]
pub struct Decoder<B> {
    buffer: B,
    start: usize,
    end: usize,
    skipped: u64,
}

/// What the bytes at hand begin with.
enum Step {
    NeedMore,
    Skip(usize),
    Frame {
        payload_bytes: usize,
        header: Header,
    },
    Bad(LinkError),
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// A decoder for frames as long as the buffer, header and CRC included.
    pub const fn new(buffer: B) -> Self {
        Self {
            buffer,
            start: 0,
            end: 0,
            skipped: 0,
        }
    }

    /// Takes as many of `bytes` as there is room for, and says how many. Call [`Decoder::next_frame`] until it gives
    /// `None` before feeding again: then there is room for at least one byte (unless the buffer is shorter than a header).
    pub fn feed(&mut self, bytes: &[u8]) -> usize {
        let buffer = self.buffer.as_mut();
        buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let free = buffer.get_mut(self.end..).unwrap_or_default();
        let count = free.len().min(bytes.len());
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.end += count;
        count
    }

    /// The next frame in what was fed so far; `None` when more bytes are needed.
    ///
    /// # Errors
    /// A frame that fails a check is reported once and then skipped.
    pub fn next_frame(&mut self) -> Option<Result<Frame<'_>, LinkError>> {
        loop {
            match self.look() {
                Step::NeedMore => return None,
                Step::Skip(count) => self.skip(count),
                Step::Bad(error) => {
                    self.skip(MAGIC.len());
                    return Some(Err(error));
                }
                Step::Frame {
                    payload_bytes,
                    header,
                } => {
                    let payload_start = self.start + HEADER_BYTES;
                    self.start += OVERHEAD_BYTES + payload_bytes;
                    let kind = match header.kind() {
                        Ok(kind) => kind,
                        Err(error) => return Some(Err(error)),
                    };
                    let payload = self
                        .buffer
                        .as_ref()
                        .get(payload_start..payload_start + payload_bytes)
                        .unwrap_or_default();
                    return Some(Ok(Frame { kind, payload }));
                }
            }
        }
    }

    /// How many bytes so far were in no frame.
    #[must_use]
    pub const fn skipped_bytes(&self) -> u64 {
        self.skipped
    }

    /// Bytes that wait for the rest of their frame: other than zero at the end of a stream, it was cut short.
    #[must_use]
    pub const fn pending_bytes(&self) -> usize {
        self.end - self.start
    }

    fn skip(&mut self, count: usize) {
        self.start += count;
        self.skipped += count as u64;
    }

    fn look(&self) -> Step {
        let buffer = self.buffer.as_ref();
        let bytes = buffer.get(self.start..self.end).unwrap_or_default();
        let [magic, _] = MAGIC;
        match bytes.iter().position(|byte| *byte == magic) {
            None if bytes.is_empty() => return Step::NeedMore,
            None => return Step::Skip(bytes.len()),
            Some(0) => {}
            Some(garbage) => return Step::Skip(garbage),
        }
        if bytes.iter().zip(MAGIC).any(|(byte, magic)| *byte != magic) {
            return Step::Skip(1);
        }
        let Some((header_bytes, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Step::NeedMore;
        };
        let Some(header) = Header::from_bytes(header_bytes) else {
            return Step::Skip(1);
        };
        let frame_bytes = OVERHEAD_BYTES as u64 + u64::from(header.payload_bytes);
        if frame_bytes > buffer.len() as u64 {
            return Step::Bad(LinkError::TooLong {
                bytes: frame_bytes,
                capacity: buffer.len() as u64,
            });
        }
        let payload_bytes = header.payload_bytes as usize;
        let Some((payload, rest)) = rest.split_at_checked(payload_bytes) else {
            return Step::NeedMore;
        };
        let Some((stated, _)) = rest.split_first_chunk::<CRC_BYTES>() else {
            return Step::NeedMore;
        };
        let stated = u32::from_le_bytes(*stated);
        let mut crc = Crc32::new();
        crc.add(header_bytes);
        crc.add(payload);
        let computed = crc.value();
        if computed != stated {
            return Step::Bad(LinkError::Crc { computed, stated });
        }
        Step::Frame {
            payload_bytes,
            header,
        }
    }
}
