//! Memory that begins where the runtime wants it to: the arena, and a model's file that is part of the program.

use core::ops::{Deref, DerefMut};

/// An arena of so many bytes, which begins at a multiple of [`ARENA_ALIGNMENT`](crate::ARENA_ALIGNMENT).
///
/// It may lie in a `static`, in a task or on the stack:
///
/// ```
/// use ember_micro::{ARENA_ALIGNMENT, Arena};
///
/// let mut arena = Arena::<3104>::new();
/// assert_eq!(arena.as_ptr() as usize % ARENA_ALIGNMENT, 0);
/// let bytes: &mut [u8] = &mut arena;
/// assert_eq!(bytes.len(), 3104);
/// ```
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Arena<BYTES> {
    /// An arena of zeros: one in a `static` takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; BYTES])
    }
}

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize> Deref for Arena<BYTES> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const BYTES: usize> DerefMut for Arena<BYTES> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// What [`include_model!`](crate::include_model) makes of a file's bytes: they begin at a multiple of 16, as the file's
/// constants, which are read in place, count on.
#[derive(Debug)]
#[doc(hidden)]
#[repr(C, align(16))]
pub struct Aligned<T: ?Sized>(pub T);

/// The bytes of a model's file, as `include_bytes!` gives them, but at an address that suits the constants in it:
/// `&'static [u8]`. A relative path begins at the source file that says it.
///
/// ```
/// use ember_micro::{Model, include_model};
///
/// static MODEL: &[u8] = include_model!("../../../artifacts/zoo/nano-cnn/model.int8.tflite");
///
/// assert_eq!(MODEL.as_ptr() as usize % 16, 0);
/// assert_eq!(Model::parse(MODEL)?.main().inputs().len(), 1);
/// # Ok::<(), ember_micro::ReadError>(())
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        const MODEL: &$crate::Aligned<[u8]> = &$crate::Aligned(*::core::include_bytes!($path));
        &MODEL.0 as &'static [u8]
    }};
}
