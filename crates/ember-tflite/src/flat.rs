//! Flatbuffers as bytes: tables, vectors and strings at offsets. Every function is total: what does not lie within
//! the file reads as absent, so that nothing here can panic, checked file or not.

use core::marker::PhantomData;

use ember_core::Dtype;

use crate::schema::{
    DtypeCode, Field, OptionsUnion, ScalarKind, TableOf, TablesOf, TensorIndices, Text, Vector,
};

/// The `N` bytes at `at`.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

// Where a core cannot read unaligned words, a copy of this at every place of use would be a tenth of the reader.
#[inline(never)]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

#[inline(never)]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Where the vtable of the table at `at` begins: its signed offset is subtracted.
pub(crate) fn vtable_at(bytes: &[u8], at: usize) -> Option<usize> {
    let offset = u32_at(bytes, at)?;
    // Two's complement: subtracting the unsigned value modulo 2^32 is subtracting the signed one, and a result outside
    // the file is caught by the next read.
    Some((at as u32).wrapping_sub(offset) as usize)
}

/// Where the field in `slot` of the table at `at` lies, if the table has it. The vtable's length is in bytes.
pub(crate) fn field_at(
    bytes: &[u8],
    at: usize,
    vtable: usize,
    vtable_len: u16,
    slot: u8,
) -> Option<usize> {
    let entry = u16::from(slot).wrapping_mul(2).wrapping_add(4);
    if entry >= vtable_len {
        return None;
    }
    match u16_at(bytes, vtable.wrapping_add(usize::from(entry)))? {
        0 => None,
        offset => Some(at.wrapping_add(usize::from(offset))),
    }
}

/// Where the offset stored at `at` points.
#[inline(never)]
pub(crate) fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32_at(bytes, at)? as usize)
}

/// The bytes of the vector at `at`, whose elements have `size` bytes.
pub(crate) fn vector_bytes(bytes: &[u8], at: usize, size: usize) -> Option<&[u8]> {
    let len = (u32_at(bytes, at)? as usize).checked_mul(size)?;
    bytes.get(at.wrapping_add(4)..)?.get(..len)
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

/// A table in the file.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Table<'a> {
    /// A table in which every field is absent.
    pub(crate) const EMPTY: Self = Self { bytes: &[], at: 0 };

    /// Where the field in `slot` lies.
    pub(crate) fn slot(&self, slot: u8) -> Option<usize> {
        let vtable = vtable_at(self.bytes, self.at)?;
        let len = u16_at(self.bytes, vtable)?;
        field_at(self.bytes, self.at, vtable, len, slot)
    }

    pub(crate) fn scalar<K: ScalarKind>(&self, field: Field<K>) -> K::Value {
        self.scalar_at(field.slot, field.default)
    }

    pub(crate) fn scalar_at<T: Scalar>(&self, slot: u8, default: u32) -> T {
        self.slot(slot)
            .and_then(|at| T::read(self.bytes, at))
            .unwrap_or_else(|| T::from_default(default))
    }

    pub(crate) fn dtype(&self, field: Field<DtypeCode>) -> Dtype {
        Dtype::from_code(self.scalar_at(field.slot, field.default)).unwrap_or(Dtype::Float32)
    }

    pub(crate) fn flag(&self, field: Field<bool>) -> bool {
        self.scalar_at::<u8>(field.slot, field.default) != 0
    }

    pub(crate) fn list<T: Scalar>(&self, field: Field<Vector<T>>) -> List<'a, T> {
        self.list_at(field.slot)
    }

    pub(crate) fn list_at<T: Scalar>(&self, slot: u8) -> List<'a, T> {
        List::over(self.vector_at(slot, T::SIZE))
    }

    /// The bytes of the vector whose elements have `size` bytes; empty where there is none.
    fn vector_at(&self, slot: u8, size: usize) -> &'a [u8] {
        let at = self.slot(slot).and_then(|at| follow(self.bytes, at));
        at.and_then(|at| vector_bytes(self.bytes, at, size))
            .unwrap_or_default()
    }

    pub(crate) fn tensor_ids(&self, field: Field<TensorIndices>) -> List<'a, i32> {
        self.list_at(field.slot)
    }

    /// The bytes of a byte vector; empty where there is none.
    pub(crate) fn data(&self, field: Field<Vector<u8>>) -> &'a [u8] {
        self.list(field).bytes
    }

    /// The bytes of a string without the terminating zero; empty where there is none.
    pub(crate) fn text_bytes(&self, field: Field<Text>) -> &'a [u8] {
        self.list_at::<u8>(field.slot).bytes
    }

    pub(crate) fn text(&self, field: Field<Text>) -> &'a str {
        core::str::from_utf8(self.text_bytes(field)).unwrap_or_default()
    }

    pub(crate) fn table<T>(&self, field: Field<TableOf<T>>) -> Option<Table<'a>> {
        self.table_at(field.slot)
    }

    pub(crate) fn options(&self, field: Field<OptionsUnion>) -> Option<Table<'a>> {
        self.table_at(field.slot)
    }

    fn table_at(&self, slot: u8) -> Option<Table<'a>> {
        Some(Table {
            bytes: self.bytes,
            at: follow(self.bytes, self.slot(slot)?)?,
        })
    }

    pub(crate) fn tables<T>(&self, field: Field<TablesOf<T>>) -> Tables<'a> {
        self.tables_at(field.slot)
    }

    fn tables_at(&self, slot: u8) -> Tables<'a> {
        let first = self
            .slot(slot)
            .and_then(|at| follow(self.bytes, at))
            .and_then(|at| Some((at.wrapping_add(4), u32_at(self.bytes, at)?)));
        let (first, len) = first.unwrap_or_default();
        Tables {
            bytes: self.bytes,
            first,
            len,
        }
    }
}

/// A vector of tables in the file.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    bytes: &'a [u8],
    /// Where the first element's offset lies.
    first: usize,
    len: u32,
}

impl<'a> Tables<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn get(&self, index: usize) -> Option<Table<'a>> {
        if index >= self.len() {
            return None;
        }
        let at = self.first.wrapping_add(index.wrapping_mul(4));
        Some(Table {
            bytes: self.bytes,
            at: follow(self.bytes, at)?,
        })
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Table<'a>> + Clone + 'a {
        (0..self.len()).map_while(move |index| self.get(index))
    }
}
