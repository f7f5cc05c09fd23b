//! The images of a run, and the frames that ask for them.

use crate::error::DeployError;
use ember_link::{Sink, write_end, write_image};
use std::convert::Infallible;

/// Images as a model takes them (quantized), one after the other: `[count, input_bytes]`.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    bytes: &'a [u8],
    each: usize,
}

impl<'a> Images<'a> {
    /// Images of `input_bytes` each.
    ///
    /// # Errors
    /// [`DeployError::Images`] when `bytes` are not a whole number of them.
    pub const fn new(bytes: &'a [u8], input_bytes: usize) -> Result<Self, DeployError> {
        match bytes.len().checked_rem(input_bytes) {
            Some(0) => Ok(Self {
                bytes,
                each: input_bytes,
            }),
            _ => Err(DeployError::Images {
                given: bytes.len(),
                each: input_bytes,
            }),
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> usize {
        self.bytes.len() / self.each
    }

    /// Bytes of one.
    #[must_use]
    pub const fn input_bytes(self) -> usize {
        self.each
    }

    /// The bytes of one.
    #[must_use]
    pub fn get(self, index: usize) -> Option<&'a [u8]> {
        let start = index.checked_mul(self.each)?;
        self.bytes.get(start..)?.get(..self.each)
    }

    /// Requests of a whole run, the end included: the first image is asked for twice, once with profile.
    pub(crate) const fn requests(self) -> usize {
        match self.count() {
            0 => 1,
            count => count + 2,
        }
    }

    /// Adds the frame of request `number` of a run: first the first image with profile, then every image, then the end.
    pub(crate) fn request(self, number: usize, into: &mut Vec<u8>) {
        let mut into = Bytes(into);
        let plain = number.checked_sub(1).and_then(|index| self.get(index));
        let Ok(()) = match (number, self.get(0), plain) {
            (0, Some(first), _) => write_image(&mut into, 0, true, first),
            (_, _, Some(image)) => write_image(&mut into, number as u32 - 1, false, image),
            _ => write_end(&mut into),
        };
    }
}

/// Bytes in memory as a sink for frames.
pub(super) struct Bytes<'a>(pub(super) &'a mut Vec<u8>);

impl Sink for Bytes<'_> {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
