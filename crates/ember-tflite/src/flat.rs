//! Flatbuffers as bytes: tables, vectors and strings at offsets. Every function is total: what does not lie within
//! the file reads as absent, so that nothing here can panic, checked file or not.

use core::marker::PhantomData;

use ember_core::Dtype;

use crate::schema::{
    DtypeCode, Field, OptionsUnion, ScalarKind, TableOf, TablesOf, TensorIndices, Text, Vector,
};

/// `?` for a `const fn`, which does not have it.
macro_rules! attempt {
    ($option:expr) => {
        match $option {
            Some(value) => value,
            None => return None,
        }
    };
}

pub(crate) use attempt;

/// The bytes from `at` on.
pub(crate) const fn tail(bytes: &[u8], at: usize) -> Option<&[u8]> {
    match bytes.split_at_checked(at) {
        Some((_, tail)) => Some(tail),
        None => None,
    }
}

/// The `len` bytes at `at`.
pub(crate) const fn piece(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    match attempt!(tail(bytes, at)).split_at_checked(len) {
        Some((piece, _)) => Some(piece),
        None => None,
    }
}

/// The `N` bytes at `at`.
pub(crate) const fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    match attempt!(tail(bytes, at)).first_chunk() {
        Some(array) => Some(*array),
        None => None,
    }
}

/// Whether the bytes are the same.
pub(crate) const fn equal(mut one: &[u8], mut other: &[u8]) -> bool {
    loop {
        match (one.split_first(), other.split_first()) {
            (Some((a, rest)), Some((b, other_rest))) if *a == *b => {
                (one, other) = (rest, other_rest);
            }
            (None, None) => return true,
            _ => return false,
        }
    }
}

pub(crate) const fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(attempt!(array(bytes, at))))
}

// Where a core cannot read unaligned words, a copy of this at every place of use would be a tenth of the reader.
#[inline(never)]
pub(crate) const fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(attempt!(array(bytes, at))))
}

/// Where the offset stored at `at` points.
pub(crate) const fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(attempt!(u32_at(bytes, at)) as usize)
}

/// A scalar as the file stores it: little-endian.
pub trait Scalar: Copy + sealed::Sealed {
    #[doc(hidden)]
    const SIZE: usize;
    #[doc(hidden)]
    fn read(bytes: &[u8], at: usize) -> Option<Self>;
    #[doc(hidden)]
    fn from_default(default: u32) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! scalars {
    ($($ty:ty: $default:ident => $from_default:expr;)*) => {
        $(
            impl sealed::Sealed for $ty {}

            impl Scalar for $ty {
                const SIZE: usize = size_of::<$ty>();

                fn read(bytes: &[u8], at: usize) -> Option<Self> {
                    array(bytes, at).map(<$ty>::from_le_bytes)
                }

                fn from_default($default: u32) -> Self {
                    $from_default
                }
            }
        )*
    };
}

scalars! {
    i8: default => default as i8;
    u8: default => default as u8;
    i32: default => default as i32;
    u32: default => default;
    i64: default => i64::from(default);
    u64: default => u64::from(default);
    f32: default => f32::from_bits(default);
}

/// A vector of scalars in the file.
#[derive(Clone, Copy)]
pub struct List<'a, T> {
    bytes: &'a [u8],
    elements: PhantomData<T>,
}

impl<'a, T: Scalar> List<'a, T> {
    /// The elements that `bytes` holds; bytes after the last whole element are not seen.
    pub(crate) const fn over(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            elements: PhantomData,
        }
    }

    /// The number of elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.bytes.len().checked_div(size_of::<T>()) {
            Some(len) => len,
            None => 0,
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bits of the four-byte element at `index`; for a `const fn`, which cannot call [`List::get`].
    pub(crate) const fn word(&self, index: usize) -> Option<u32> {
        u32_at(self.bytes, attempt!(index.checked_mul(4)))
    }

    /// The element at `index`, if there is one.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<T> {
        T::read(self.bytes, index.checked_mul(T::SIZE)?)
    }

    /// The last element.
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The elements after the first `skipped`.
    pub(crate) fn from(&self, skipped: usize) -> Self {
        let start = skipped.saturating_mul(T::SIZE);
        Self::over(self.bytes.get(start..).unwrap_or_default())
    }

    /// The elements in order.
    #[must_use]
    pub const fn iter(&self) -> ListIter<'a, T> {
        ListIter { rest: *self }
    }
}

impl<'a, T: Scalar> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = ListIter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: Scalar + core::fmt::Debug> core::fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Scalar + PartialEq> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// The elements of a [`List`] in order.
#[derive(Clone)]
pub struct ListIter<'a, T> {
    rest: List<'a, T>,
}

impl<T: Scalar> Iterator for ListIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let element = T::read(self.rest.bytes, 0)?;
        self.rest = List::over(self.rest.bytes.get(T::SIZE..)?);
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rest.len(), Some(self.rest.len()))
    }
}

impl<T: Scalar> ExactSizeIterator for ListIter<'_, T> {}

impl List<'_, i64> {
    /// [`List::get`] for a `const fn`.
    pub(crate) const fn long(&self, index: usize) -> Option<i64> {
        let at = attempt!(index.checked_mul(8));
        Some(i64::from_le_bytes(attempt!(array(self.bytes, at))))
    }
}

/// A table in the file.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    /// Of the vtable: for each slot, in two bytes, where in the table it lies, or 0.
    entries: &'a [u8],
}

impl<'a> Table<'a> {
    /// A table in which every field is absent.
    pub(crate) const EMPTY: Self = Self::over(&[], 0, &[]);

    /// The table at `at` with these entries of its vtable.
    pub(crate) const fn over(bytes: &'a [u8], at: usize, entries: &'a [u8]) -> Self {
        Self { bytes, at, entries }
    }

    /// The table at `at`.
    #[inline(never)]
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        let entries = match u32_at(bytes, at) {
            // Two's complement: subtracting the unsigned value modulo 2^32 is subtracting the signed one, and a result
            // outside the file is caught by the next read.
            Some(offset) => entries(bytes, (at as u32).wrapping_sub(offset) as usize),
            None => None,
        };
        match entries {
            Some(entries) => Self::over(bytes, at, entries),
            None => Self::over(bytes, at, &[]),
        }
    }

    /// Where the field in `slot` lies.
    #[inline]
    pub(crate) const fn slot(&self, slot: u8) -> Option<usize> {
        match u16_at(self.entries, (slot as usize).wrapping_mul(2)) {
            None | Some(0) => None,
            Some(offset) => Some(self.at.wrapping_add(offset as usize)),
        }
    }

    /// The one-byte field in `slot`, or the default.
    pub(crate) const fn byte(&self, slot: u8, default: u8) -> u8 {
        match self.slot(slot) {
            Some(at) => match array(self.bytes, at) {
                Some([byte]) => byte,
                None => default,
            },
            None => default,
        }
    }

    /// The bits of the four-byte field in `slot`, or the default.
    pub(crate) const fn word(&self, slot: u8, default: u32) -> u32 {
        match self.slot(slot) {
            Some(at) => match u32_at(self.bytes, at) {
                Some(word) => word,
                None => default,
            },
            None => default,
        }
    }

    pub(crate) fn scalar<K: ScalarKind>(&self, field: Field<K>) -> K::Value {
        self.scalar_at(field.slot, field.default)
    }

    pub(crate) fn scalar_at<T: Scalar>(&self, slot: u8, default: u32) -> T {
        self.slot(slot)
            .and_then(|at| T::read(self.bytes, at))
            .unwrap_or_else(|| T::from_default(default))
    }

    pub(crate) const fn dtype(&self, field: Field<DtypeCode>) -> Dtype {
        match Dtype::from_code(self.byte(field.slot, field.default as u8) as i8) {
            Some(dtype) => dtype,
            None => Dtype::Float32,
        }
    }

    pub(crate) const fn flag(&self, field: Field<bool>) -> bool {
        self.byte(field.slot, field.default as u8) != 0
    }

    pub(crate) const fn list<T: Scalar>(&self, field: Field<Vector<T>>) -> List<'a, T> {
        self.list_at(field.slot)
    }

    pub(crate) const fn list_at<T: Scalar>(&self, slot: u8) -> List<'a, T> {
        let (start, len) = self.vector_at(slot, T::SIZE);
        match piece(self.bytes, start, len) {
            Some(bytes) => List::over(bytes),
            None => List::over(&[]),
        }
    }

    /// Where the elements of the vector lie, and their bytes if each has `size`; zeros where there is none.
    #[inline(never)]
    pub(crate) const fn vector_at(&self, slot: u8, size: usize) -> (usize, usize) {
        if let Some(at) = self.slot(slot)
            && let Some(at) = follow(self.bytes, at)
            && let Some(len) = u32_at(self.bytes, at)
            && let Some(len) = (len as usize).checked_mul(size)
        {
            return (at.wrapping_add(4), len);
        }
        (0, 0)
    }

    pub(crate) const fn tensor_ids(&self, field: Field<TensorIndices>) -> List<'a, i32> {
        self.list_at(field.slot)
    }

    /// The bytes of a byte vector; empty where there is none.
    pub(crate) const fn data(&self, field: Field<Vector<u8>>) -> &'a [u8] {
        self.list(field).bytes
    }

    /// The bytes of a string without the terminating zero; empty where there is none.
    pub(crate) const fn text_bytes(&self, field: Field<Text>) -> &'a [u8] {
        self.list_at::<u8>(field.slot).bytes
    }

    pub(crate) fn text(&self, field: Field<Text>) -> &'a str {
        core::str::from_utf8(self.text_bytes(field)).unwrap_or_default()
    }

    pub(crate) const fn table<T>(&self, field: Field<TableOf<T>>) -> Option<Table<'a>> {
        self.table_at(field.slot)
    }

    pub(crate) const fn options(&self, field: Field<OptionsUnion>) -> Option<Table<'a>> {
        self.table_at(field.slot)
    }

    const fn table_at(&self, slot: u8) -> Option<Table<'a>> {
        let at = attempt!(follow(self.bytes, attempt!(self.slot(slot))));
        Some(Table::new(self.bytes, at))
    }

    pub(crate) const fn tables<T>(&self, field: Field<TablesOf<T>>) -> Tables<'a> {
        self.rows(field).of(self.bytes)
    }

    /// Where a vector of tables lies.
    pub(crate) const fn rows<T>(&self, field: Field<TablesOf<T>>) -> Rows {
        let (first, len) = self.vector_at(field.slot, 1);
        Rows { first, len }
    }
}

/// The entries of the vtable at `at`, whose length in bytes is its first number and counts two numbers too many.
const fn entries(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let len = attempt!(u16_at(bytes, at)) as usize;
    piece(bytes, at.wrapping_add(4), attempt!(len.checked_sub(4)))
}

/// Where a vector of tables lies in its file.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    /// Where the first element's offset lies.
    first: usize,
    len: usize,
}

impl Rows {
    /// The tables themselves, of this file.
    pub(crate) const fn of(self, bytes: &[u8]) -> Tables<'_> {
        Tables { bytes, rows: self }
    }

    pub(crate) const fn len(self) -> usize {
        self.len
    }
}

/// A vector of tables in the file.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    bytes: &'a [u8],
    rows: Rows,
}

impl<'a> Tables<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.rows.len
    }

    pub(crate) const fn get(&self, index: usize) -> Option<Table<'a>> {
        if index >= self.len() {
            return None;
        }
        let at = self.rows.first.wrapping_add(index.wrapping_mul(4));
        let at = attempt!(follow(self.bytes, at));
        Some(Table::new(self.bytes, at))
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Table<'a>> + Clone + 'a {
        (0..self.len()).map_while(move |index| self.get(index))
    }
}
