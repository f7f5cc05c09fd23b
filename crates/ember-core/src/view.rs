//! Slices of plain numbers seen as bytes and back: the one place with `unsafe` in this crate.
//!
//! A `.tflite` file is little-endian and read in place, so the whole of Ember is for little-endian machines; the
//! assertion below makes any other one a compile error.
#![allow(
    unsafe_code,
    reason = "a slice cannot change its element type without it"
)]

use crate::QuantizedMultiplier;

const _: () = assert!(
    cfg!(target_endian = "little"),
    "tensors are read in place, in the file's byte order"
);

mod sealed {
    /// Types without padding for which every bit pattern is a value.
    pub trait Sealed: Copy {}
}

/// A plain number: no padding, and every bit pattern is a value. Sealed, because [`from_bytes`] relies on it.
pub trait Plain: sealed::Sealed {}

macro_rules! plain {
    ($($type:ty),*) => {
        $(
            impl sealed::Sealed for $type {}
            impl Plain for $type {}
        )*
    };
}

// QuantizedMultiplier is two i32 with `repr(C)`.
plain!(
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    i64,
    u64,
    f32,
    QuantizedMultiplier
);

/// The bytes as numbers; `None` where the address is not a multiple of the number's alignment or the length not one
/// of its size.
#[inline]
#[must_use]
pub fn from_bytes<T: Plain>(bytes: &[u8]) -> Option<&[T]> {
    if !bytes.as_ptr().cast::<T>().is_aligned() || !bytes.len().is_multiple_of(size_of::<T>()) {
        return None;
    }
    // SAFETY: the pointer is aligned and valid for the whole length, which is a multiple of T's size; T has no padding
    // and no invalid bit pattern (`Plain` is sealed), and the borrow is handed on.
    Some(unsafe {
        core::slice::from_raw_parts(bytes.as_ptr().cast::<T>(), bytes.len() / size_of::<T>())
    })
}

/// [`from_bytes`] for writing.
#[inline]
#[must_use]
pub fn from_bytes_mut<T: Plain>(bytes: &mut [u8]) -> Option<&mut [T]> {
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
    // SAFETY: every T is `size_of::<T>()` initialised bytes without padding, u8 has alignment 1, and the borrow is
    // handed on.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast::<u8>(), size_of_val(numbers)) }
}

/// [`as_bytes`] for writing.
#[inline]
#[must_use]
pub fn as_bytes_mut<T: Plain>(numbers: &mut [T]) -> &mut [u8] {
    let bytes = size_of_val(numbers);
    // SAFETY: as in `as_bytes`; the borrow is exclusive, and any bytes that are written are a valid T.
    unsafe { core::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast::<u8>(), bytes) }
}

#[cfg(test)]
mod tests {
    use super::{as_bytes, as_bytes_mut, from_bytes, from_bytes_mut};

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
}
