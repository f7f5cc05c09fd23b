//! Bytes at an address that the runtimes can read numbers from in place.

/// Where a model and an arena start: the largest alignment that the file format asks for.
pub const ALIGNMENT: usize = 16;

/// Owned bytes whose first byte is at a multiple of [`ALIGNMENT`].
///
/// A `Vec<u8>` promises no alignment, and a test that passes only because the allocator was generous shows nothing.
#[derive(Debug)]
pub struct AlignedBytes {
    storage: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    /// `len` zeros.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let storage = vec![0; len + ALIGNMENT];
        let start = storage.as_ptr().align_offset(ALIGNMENT);
        Self {
            storage,
            start,
            len,
        }
    }

    /// A copy of `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut copy = Self::zeroed(bytes.len());
        copy.as_mut_slice().copy_from_slice(bytes);
        copy
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.storage[self.start..self.start + self.len]
    }

    /// The bytes, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

impl Clone for AlignedBytes {
    fn clone(&self) -> Self {
        Self::copy_of(self.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::{ALIGNMENT, AlignedBytes};

    #[test]
    fn copies_are_aligned_again() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let copy = AlignedBytes::copy_of(&bytes).clone();
            assert_eq!(copy.as_slice(), bytes);
            assert!((copy.as_slice().as_ptr() as usize).is_multiple_of(ALIGNMENT));
        }
    }
}
