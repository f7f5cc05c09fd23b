//! What a compiled model is built on: `ember-codegen` turns a `.tflite` file into Rust source that calls the kernels of this
//! crate with constant parameters, and needs nothing else than what is here.
//!
//! The source has a struct `Model` with an [`Arena`], which is all its memory, and constants in [`Aligned`]. Every tensor has
//! its place in the arena from the start; [`Arena::split`] hands out those of one operator.

use core::ops::Range;

pub use ember_core::view::Int64;
pub use ember_core::{Activation, BuiltinOp, Clamp, QuantizedMultiplier};

use ember_core::view::{self, Plain};

use crate::error::KernelError;
use crate::reshape;

/// A constant at a multiple of 4: kernels may read it in whole words.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Aligned<T>(pub T);

/// The memory of a model's tensors. All its bits are zero at first, so that a `static` of it takes no flash.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize> Arena<BYTES> {
    /// An arena of zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; BYTES])
    }

    /// The bytes in this range; `None` where it goes beyond the arena.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        self.0.get(range)
    }

    /// [`Arena::get`] for writing.
    #[inline(always)]
    #[must_use]
    pub fn get_mut(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        self.0.get_mut(range)
    }

    /// Several tensors at once.
    ///
    /// # Errors
    /// [`KernelError::Parameters`] where ranges overlap or go beyond the arena.
    #[inline(always)]
    pub fn split<const TENSORS: usize>(
        &mut self,
        ranges: [Range<usize>; TENSORS],
    ) -> Result<[&mut [u8]; TENSORS], KernelError> {
        let tensors = self.0.get_disjoint_mut(ranges);
        tensors.map_err(|_| KernelError::Parameters)
    }

    /// Copies one tensor to another of the same length.
    ///
    /// # Errors
    /// As [`Arena::split`], and [`KernelError::Length`] where the lengths differ.
    #[inline(always)]
    pub fn copy(&mut self, from: Range<usize>, to: Range<usize>) -> Result<(), KernelError> {
        let [from, to] = self.split([from, to])?;
        reshape::bytes(from, to)
    }

    /// Copies a constant to a tensor of the same length.
    ///
    /// # Errors
    /// [`KernelError::Parameters`] where the range goes beyond the arena, [`KernelError::Length`] where the lengths differ.
    #[inline(always)]
    pub fn write(&mut self, from: &[u8], to: Range<usize>) -> Result<(), KernelError> {
        reshape::bytes(from, self.get_mut(to).ok_or(KernelError::Parameters)?)
    }

    /// The truth value at this place: every byte but 0 is true.
    ///
    /// # Errors
    /// [`KernelError::Parameters`] where it is beyond the arena.
    #[inline(always)]
    pub fn holds(&self, at: usize) -> Result<bool, KernelError> {
        let byte = self.0.get(at).ok_or(KernelError::Parameters)?;
        Ok(*byte != 0)
    }

    /// The handle of a variable at this place.
    ///
    /// # Errors
    /// [`KernelError::Parameters`] where it goes beyond the arena.
    #[inline(always)]
    pub fn handle(&self, at: usize) -> Result<u32, KernelError> {
        let bytes = self.0.get(at..).and_then(<[u8]>::first_chunk);
        Ok(u32::from_le_bytes(*bytes.ok_or(KernelError::Parameters)?))
    }
}

/// A tensor's bytes as its elements.
///
/// # Errors
/// [`KernelError::Parameters`] where they are not a whole number of elements, or do not begin where elements can.
#[inline(always)]
pub fn elements<T: Plain>(bytes: &[u8]) -> Result<&[T], KernelError> {
    view::from_bytes(bytes).ok_or(KernelError::Parameters)
}

/// [`elements`] for writing.
///
/// # Errors
/// As there.
#[inline(always)]
pub fn elements_mut<T: Plain>(bytes: &mut [u8]) -> Result<&mut [T], KernelError> {
    view::from_bytes_mut(bytes).ok_or(KernelError::Parameters)
}

/// Multipliers out of their two numbers: multiplier and shift.
#[must_use]
pub const fn multipliers<const COUNT: usize>(
    numbers: [(i32, i32); COUNT],
) -> [QuantizedMultiplier; COUNT] {
    let mut multipliers = [QuantizedMultiplier::ZERO; COUNT];
    let mut index = 0;
    while index < COUNT {
        let (multiplier, shift) = numbers[index];
        multipliers[index] = QuantizedMultiplier { multiplier, shift };
        index += 1;
    }
    multipliers
}

/// 64-bit integers as the kernels read them.
#[must_use]
pub const fn int64s<const COUNT: usize>(numbers: [i64; COUNT]) -> [Int64; COUNT] {
    let mut integers = [Int64::new(0); COUNT];
    let mut index = 0;
    while index < COUNT {
        integers[index] = Int64::new(numbers[index]);
        index += 1;
    }
    integers
}

/// Is told when operators begin and end. `()` is the one that does nothing.
pub trait Profiler {
    /// The operator at `index` of the model is about to run.
    fn begin(&mut self, index: u32, op: BuiltinOp);

    /// It has run. One that was joined with another, or only renames, has nothing to do.
    fn end(&mut self, index: u32, op: BuiltinOp);
}

impl Profiler for () {
    #[inline(always)]
    fn begin(&mut self, _index: u32, _op: BuiltinOp) {}

    #[inline(always)]
    fn end(&mut self, _index: u32, _op: BuiltinOp) {}
}

/// Why a compiled model did not run. The generated source leaves inputs for which an operator is not
/// defined: an average over padding only, a division by zero, an index outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operator {operator}: {error}")]
pub struct InvokeError {
    /// Which operator, in the order of execution.
    pub operator: u32,
    /// What its kernel says.
    pub error: KernelError,
}

impl InvokeError {
    /// Whether nothing failed: a CIRCULAR_BUFFER has kept its input and waits for the next one. The outputs behind it are those
    /// of an earlier run.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.error == KernelError::Waiting
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, elements, int64s, multipliers};
    use crate::error::KernelError;

    #[test]
    fn tensors_that_overlap_are_refused() {
        let mut arena = Arena::<32>::new();
        let [a, b] = arena.split([16..32, 0..16]).unwrap();
        assert_eq!((a.len(), b.len()), (16, 16));
        assert_eq!(a.as_ptr().align_offset(16), 0);
        assert_eq!(arena.split([0..17, 16..32]), Err(KernelError::Parameters));
        assert_eq!(arena.split([0..16, 16..33]), Err(KernelError::Parameters));
        assert_eq!(arena.get(0..33), None);
        assert_eq!(elements::<i32>(&[0; 6]), Err(KernelError::Parameters));
    }

    #[test]
    fn copies_are_between_tensors_of_one_length() {
        let mut arena = Arena::<32>::new();
        arena.write(&[7, 0, 1, 0], 4..8).unwrap();
        arena.copy(4..8, 16..20).unwrap();
        assert_eq!(arena.handle(16), Ok(0x1_0007));
        assert_eq!((arena.holds(16), arena.holds(17)), (Ok(true), Ok(false)));
        let length = KernelError::Length {
            operand: crate::Operand::Input,
            expected: 3,
            actual: 4,
        };
        assert_eq!(arena.copy(4..8, 16..19), Err(length));
        assert_eq!(arena.write(&[1; 4], 0..3), Err(length));
        let outside = KernelError::Parameters;
        assert_eq!(arena.copy(4..8, 6..10), Err(outside));
        assert_eq!(arena.write(&[1; 4], 29..33), Err(outside));
        assert_eq!(
            (arena.holds(32), arena.handle(29)),
            (Err(outside), Err(outside))
        );
    }

    #[test]
    fn tables_hold_their_numbers() {
        let [one] = multipliers([(1 << 30, 1)]);
        assert_eq!(one.apply(77), 77);
        let numbers = [i64::MIN, -1, 1 << 40];
        assert_eq!(int64s(numbers).map(|number| number.get()), numbers);
    }
}
