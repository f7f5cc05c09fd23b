//! Plain numbers, slices of them and structs of them seen as bytes and back: the one place with `unsafe` in this crate.
//!
//! A `.tflite` file is little-endian and read in place, so the whole of Ember is for little-endian machines; the
//! assertion below makes any other one a compile error.
#![allow(
    unsafe_code,
    reason = "a slice cannot change its element type without it"
)]

use crate::{Clamp, plain};

const _: () = assert!(
    cfg!(target_endian = "little"),
    "tensors are read in place, in the file's byte order"
);

/// Numbers, and structs of numbers, that can be seen as bytes and back.
///
/// [`plain!`](crate::plain) implements it for a struct, with the checks.
///
/// # Safety
/// There is no padding, every bit pattern is a value, and there is nothing in it that means something elsewhere, such
/// as a reference.
pub unsafe trait Plain: Copy {
    /// Fails to compile where there is padding after all: every view evaluates it.
    #[doc(hidden)]
    const CHECK: () = ();
}

macro_rules! numbers {
    ($($type:ty),*) => {
        $(
            // SAFETY: a number has no padding and takes every bit pattern.
            unsafe impl Plain for $type {}
        )*
    };
}

numbers!(u8, i8, u16, i16, u32, i32, i64, u64, f32);

plain! {
    /// A 64-bit integer in two words: files align 64-bit constants to 4 bytes only.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Int64 {
        low: u32,
        high: u32,
    }
}

impl Int64 {
    /// The words of a number.
    #[must_use]
    pub const fn new(value: i64) -> Self {
        Self {
            low: value as u32,
            high: (value >> 32) as u32,
        }
    }

    /// The number.
    #[inline(always)]
    #[must_use]
    pub const fn get(self) -> i64 {
        (self.high as u64 as i64) << 32 | self.low as i64
    }
}

// SAFETY: nothing at all.
unsafe impl Plain for () {}

// SAFETY: the elements follow each other without padding, and they are plain.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Two plain values one after the other, for what is generic over both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Pair<A, B> {
    /// The first.
    pub first: A,
    /// The second.
    pub second: B,
}

// SAFETY: both fields are plain, and no view compiles where their sizes do not add up, which is where there is padding.
unsafe impl<A: Plain, B: Plain> Plain for Pair<A, B> {
    const CHECK: () = {
        const { A::CHECK };
        const { B::CHECK };
        assert!(
            size_of::<Self>() == size_of::<A>() + size_of::<B>(),
            "a plain pair has no padding"
        );
    };
}

// SAFETY: two fields of one plain type with `repr(C)`, so there is no padding.
unsafe impl<T: Plain> Plain for Clamp<T> {}

/// Defines structs with `repr(C)` and implements [`Plain`](crate::view::Plain) for them: that every field is plain and
/// that there is no padding between them is checked when the program is compiled.
///
/// ```
/// ember_core::plain! {
///     /// A factor per channel.
///     #[derive(Clone, Copy, Debug)]
///     pub struct Gain {
///         factor: f32,
///         channels: [u32; 2],
///     }
/// }
/// let words = [1.5f32.to_bits(), 3, 4];
/// let gain: &Gain = ember_core::view::from_words(&words).unwrap();
/// assert_eq!((gain.factor, gain.channels), (1.5, [3, 4]));
/// ```
#[macro_export]
macro_rules! plain {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[repr(C)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        const _: () = {
            const fn plain<T: $crate::view::Plain>() {}
            $(plain::<$type>();)*
            assert!(
                size_of::<$name>() == 0 $(+ size_of::<$type>())*,
                "a plain struct has no padding"
            );
        };

        #[allow(unsafe_code, reason = "the block above checks what the trait asks for")]
        // SAFETY: `repr(C)`, every field is plain, and their sizes add up to that of the struct.
        unsafe impl $crate::view::Plain for $name {}
    )*};
}

/// One plain struct out of exactly its words; `None` where there are more or fewer.
#[inline]
#[must_use]
pub fn from_words<T: Plain>(words: &[u32]) -> Option<&T> {
    const { T::CHECK };
    const { assert!(align_of::<T>() <= align_of::<u32>() && size_of::<T>().is_multiple_of(4)) };
    if size_of_val(words) != size_of::<T>() {
        return None;
    }
    // SAFETY: the pointer is valid for T's size and aligned for words, which is enough for T by the assertion; T takes
    // every bit pattern, and the borrow is handed on.
    Some(unsafe { &*words.as_ptr().cast::<T>() })
}

/// A plain struct as its words.
#[inline]
#[must_use]
pub fn as_words<T: Plain>(value: &T) -> &[u32] {
    const { T::CHECK };
    const { assert!(align_of::<T>() == align_of::<u32>() || size_of::<T>() == 0) };
    const { assert!(size_of::<T>().is_multiple_of(4)) };
    if size_of::<T>() == 0 {
        return &[];
    }
    // SAFETY: T is initialised throughout because it has no padding, aligned as words are, a whole number of them long,
    // and the borrow is handed on.
    unsafe {
        core::slice::from_raw_parts(core::ptr::from_ref(value).cast::<u32>(), size_of::<T>() / 4)
    }
}

/// The value whose bits are all zero.
#[inline]
#[must_use]
pub fn zeroed<T: Plain>() -> T {
    const { T::CHECK };
    // SAFETY: every bit pattern is a T.
    unsafe { core::mem::zeroed() }
}

/// The bytes as numbers; `None` where the address is not a multiple of the number's alignment or the length not one
/// of its size.
#[inline]
#[must_use]
pub fn from_bytes<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    const { T::CHECK };
    const { assert!(size_of::<T>() > 0) };
    if !bytes.as_ptr().cast::<T>().is_aligned() || !bytes.len().is_multiple_of(size_of::<T>()) {
        return None;
    }
    // SAFETY: the pointer is aligned and valid for the whole length, which is a multiple of T's size; T takes every bit
    // pattern, and the borrow is handed on.
    Some(unsafe {
        core::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), bytes.len() / size_of::<T>())
    })
}

/// [`from_bytes`] for writing.
#[inline]
#[must_use]
pub fn from_bytes_mut<T: Plain>(bytes: &mut [u8]) -> Option<&mut [T]> {
    const { T::CHECK };
    const { assert!(size_of::<T>() > 0) };
    if !bytes.as_ptr().cast::<T>().is_aligned() || !bytes.len().is_multiple_of(size_of::<T>()) {
        return None;
    }
    // SAFETY: as in `from_bytes`; the borrow is exclusive, and any T that is written is also valid as bytes because T
    // has no padding.
    Some(unsafe {
        core::slice::from_raw_parts_mut(
            bytes.as_mut_ptr().cast::<T>(),
            bytes.len() / size_of::<T>(),
        )
    })
}

/// The numbers as bytes.
#[inline]
#[must_use]
pub fn as_bytes<T: Plain>(numbers: &[T]) -> &[u8] {
    const { T::CHECK };
    // SAFETY: every T is `size_of::<T>()` initialised bytes without padding, u8 has alignment 1, and the borrow is
    // handed on.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast::<u8>(), size_of_val(numbers)) }
}

/// [`as_bytes`] for writing.
#[inline]
#[must_use]
pub fn as_bytes_mut<T: Plain>(numbers: &mut [T]) -> &mut [u8] {
    const { T::CHECK };
    let bytes = size_of_val(numbers);
    // SAFETY: as in `as_bytes`; the borrow is exclusive, and any bytes that are written are a valid T.
    unsafe { core::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast::<u8>(), bytes) }
}

#[cfg(test)]
mod tests {
    use super::{as_bytes, as_bytes_mut, as_words, from_bytes, from_bytes_mut, from_words, zeroed};
    use crate::{Clamp, QuantizedMultiplier};

    #[test]
    fn views_are_total() {
        let mut words = [1u32, 0xffff_ff80];
        assert_eq!(from_bytes::<i32>(as_bytes(&words)), Some(&[1i32, -128][..]));
        let bytes = as_bytes_mut(&mut words);
        assert_eq!(bytes.len(), 8);
        assert!(from_bytes::<i32>(&bytes[1..5]).is_none(), "misaligned");
        assert!(from_bytes::<i32>(&bytes[..7]).is_none(), "odd length");
        assert_eq!(from_bytes::<i8>(&bytes[1..4]).map(<[i8]>::len), Some(3));
        assert_eq!(from_bytes::<f32>(&bytes[..0]).map(<[f32]>::len), Some(0));
        from_bytes_mut::<u16>(bytes).unwrap()[0] = 0x1234;
        assert_eq!(words[0], 0x1234);
    }

    #[test]
    fn structs_are_rows_of_words() {
        let words = [7u32, 0xffff_ffff, 5, 6];
        let factor = from_words::<QuantizedMultiplier>(&words[..2]).unwrap();
        assert_eq!((factor.multiplier, factor.shift), (7, -1));
        assert_eq!(as_words(factor), &words[..2]);
        assert_eq!(zeroed::<QuantizedMultiplier>(), QuantizedMultiplier::ZERO);
        let pair = from_words::<[Clamp<i32>; 2]>(&words).unwrap();
        assert_eq!(pair[1], Clamp { min: 5, max: 6 });
        assert!(from_words::<Clamp<i32>>(&words).is_none(), "too many words");
        assert_eq!(from_words::<()>(&words[..0]), Some(&()));
        assert!(as_words(&()).is_empty());
    }
}
