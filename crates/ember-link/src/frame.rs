//! The header of a frame, and what can be wrong with a frame.

use crate::crc::Crc32;

/// What every frame begins with.
pub const MAGIC: [u8; 2] = [0xEB, 0x17];

/// The version of the frames and of the messages in them; a receiver refuses every other.
pub const PROTOCOL_VERSION: u8 = 1;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 10;

/// Bytes that a frame has besides its payload.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + CRC_BYTES;

pub(crate) const CRC_BYTES: usize = 4;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal;)*) => {
        /// What a frame's payload is. Codes below 128 go to the device, the others come from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[doc = $doc])* $variant = $code,)*
        }

        impl Kind {
            /// Every kind, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The kind with this code, if there is one.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// Infer this image: index (4 bytes), then every input of the model, one after the other.
    Image = 1;
    /// As [`Kind::Image`], and report what each operator cost before the result.
    ProfiledImage = 2;
    /// No more images: report and stop.
    End = 3;
    /// Say how late it is by the clock that times inferences. Only where [`crate::Source::LIVE`] says so.
    Clock = 4;
    /// What the device is and which model it carries: [`crate::Hello`].
    Hello = 128;
    /// What one operator cost: [`crate::OpProfile`].
    OpProfile = 129;
    /// The outputs for one image: [`crate::Inference`].
    Inference = 130;
    /// The run is over: [`crate::Done`].
    Done = 131;
    /// The device gives up: [`crate::Failure`].
    Failure = 132;
    /// How late it is: [`crate::Time`].
    Time = 133;
    /// Which slot's model runs, and what is wrong with the others: [`crate::Slots`].
    Slots = 134;
}

/// A header that has passed its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The sender's protocol version.
    pub version: u8,
    /// The code of the kind; [`Header::kind`] knows whether we know it.
    pub kind_code: u8,
    /// Bytes of payload that follow.
    pub payload_bytes: u32,
}

impl Header {
    /// The header of a frame of this kind with this many bytes of payload.
    #[must_use]
    pub const fn new(kind: Kind, payload_bytes: u32) -> Self {
        Self {
            version: PROTOCOL_VERSION,
            kind_code: kind as u8,
            payload_bytes,
        }
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let [m0, m1] = MAGIC;
        let [l0, l1, l2, l3] = self.payload_bytes.to_le_bytes();
        let checked = [m0, m1, self.version, self.kind_code, l0, l1, l2, l3];
        let [c0, c1, _, _] = Crc32::of(&checked).to_le_bytes();
        [m0, m1, self.version, self.kind_code, l0, l1, l2, l3, c0, c1]
    }

    /// The header that these bytes are, unless the magic or the check says that they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let [_, _, version, kind_code, l0, l1, l2, l3, _, _] = *bytes;
        let header = Self {
            version,
            kind_code,
            payload_bytes: u32::from_le_bytes([l0, l1, l2, l3]),
        };
        (header.to_bytes() == *bytes).then_some(header)
    }

    /// The kind, if it and the version are ones that we know.
    ///
    /// # Errors
    /// [`LinkError::Version`] and [`LinkError::UnknownKind`].
    pub const fn kind(self) -> Result<Kind, LinkError> {
        if self.version != PROTOCOL_VERSION {
            return Err(LinkError::Version {
                found: self.version,
            });
        }
        match Kind::from_code(self.kind_code) {
            Some(kind) => Ok(kind),
            None => Err(LinkError::UnknownKind {
                code: self.kind_code,
            }),
        }
    }
}

/// A frame that has passed all its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the payload is.
    pub kind: Kind,
    /// The payload.
    pub payload: &'a [u8],
}

/// What is wrong with a frame or with the message in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The other side was built from another version of Ember.
    #[error(
        "the other side speaks version {found} of the link protocol, this side {PROTOCOL_VERSION}; build both from the same sources"
    )]
    Version {
        /// The version in its header.
        found: u8,
    },
    /// A kind of frame that this version does not have.
    #[error("a frame of unknown kind {code}")]
    UnknownKind {
        /// The code of the kind.
        code: u8,
    },
    /// The payload did not arrive as it was sent.
    #[error(
        "a frame's CRC-32 is {computed:08x}, its sender says {stated:08x}; bytes were lost or changed on the way"
    )]
    Crc {
        /// The check of the bytes that arrived.
        computed: u32,
        /// The check at the end of the frame.
        stated: u32,
    },
    /// The frame is longer than the receiver's buffer.
    #[error("a frame of {bytes} bytes does not fit the buffer of {capacity}")]
    TooLong {
        /// Bytes of the whole frame.
        bytes: u64,
        /// Bytes of the buffer.
        capacity: u64,
    },
    /// The stream ended inside a frame.
    #[error("the stream ends in the middle of a frame")]
    Truncated,
    /// The payload is not the message that the kind promises.
    #[error("the payload of a {kind:?} frame is {bytes} bytes long or has a field out of range")]
    Malformed {
        /// The frame's kind.
        kind: Kind,
        /// Bytes of its payload.
        bytes: u32,
    },
}

impl LinkError {
    /// The number that stands for the error in a [`crate::Failure`].
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Version { .. } => 1,
            Self::UnknownKind { .. } => 2,
            Self::Crc { .. } => 3,
            Self::TooLong { .. } => 4,
            Self::Truncated => 5,
            Self::Malformed { .. } => 6,
        }
    }

    /// What a [`LinkError::code`] means.
    #[must_use]
    pub const fn describe(code: u32) -> &'static str {
        match code {
            1 => "another protocol version",
            2 => "an unknown kind of frame",
            3 => "a wrong CRC-32",
            4 => "a frame that is too long",
            5 => "the stream ended inside a frame",
            6 => "a payload of the wrong length",
            _ => "an unknown error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, Kind, LinkError};

    #[test]
    fn codes_and_kinds_are_one_to_one() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_code(*kind as u8), Some(*kind));
        }
        assert_eq!(Kind::from_code(0), None);
    }

    #[test]
    fn a_header_with_any_bit_flipped_is_none() {
        let bytes = Header::new(Kind::Inference, 26).to_bytes();
        assert_eq!(
            Header::from_bytes(&bytes),
            Some(Header::new(Kind::Inference, 26))
        );
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::from_bytes(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let header = Header {
            version: 7,
            ..Header::new(Kind::End, 0)
        };
        let read = Header::from_bytes(&header.to_bytes()).expect("the check is right");
        assert_eq!(read.kind(), Err(LinkError::Version { found: 7 }));
    }
}
