//! Bytes from the heap that begin at a multiple of 16, which is what arenas and models need.

use ember_micro::ARENA_ALIGNMENT;

/// Bytes on the heap, zero at first, that begin at a multiple of 16.
#[derive(Debug)]
pub(crate) struct AlignedBytes {
    storage: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    pub(crate) fn zeroed(len: usize) -> AlignedBytes {
        let storage = vec![0; len + ARENA_ALIGNMENT - 1];
        // The storage is never reallocated, so this stays right when the struct moves.
        let address = storage.as_ptr() as usize;
        AlignedBytes {
            start: address.next_multiple_of(ARENA_ALIGNMENT) - address,
            storage,
            len,
        }
    }

    pub(crate) fn copy_of(bytes: &[u8]) -> AlignedBytes {
        let mut copy = AlignedBytes::zeroed(bytes.len());
        copy.as_mut_slice().copy_from_slice(bytes);
        copy
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.storage[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.storage[self.start..self.start + self.len]
    }
}

/// The working memory of a [`Session`](crate::Session): as many bytes as the model needs, not one more.
///
/// [`MappedModel::arena`](crate::MappedModel::arena) makes it. It can serve one session after another of the same model.
#[derive(Debug)]
pub struct Arena(AlignedBytes);

impl Arena {
    /// An arena of `bytes` bytes, for whoever knows how many; [`MappedModel::arena`](crate::MappedModel::arena) asks the
    /// model.
    ///
    /// # Panics
    ///
    /// When the machine has not so much memory, as `Vec` does.
    #[must_use]
    pub fn with_bytes(bytes: usize) -> Arena {
        Arena(AlignedBytes::zeroed(bytes))
    }

    /// Its size, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether it has no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.as_mut_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_begin_at_a_multiple_of_16_wherever_the_struct_moves() {
        for len in [0, 1, 15, 16, 17, 8_192] {
            let boxed = Box::new(AlignedBytes::zeroed(len));
            let moved = *boxed;
            assert_eq!(moved.as_slice().as_ptr() as usize % 16, 0, "{len} bytes");
            assert_eq!(moved.as_slice().len(), len);
        }
    }

    #[test]
    fn a_copy_holds_the_same_bytes() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(AlignedBytes::copy_of(&bytes).as_slice(), bytes);
    }
}
