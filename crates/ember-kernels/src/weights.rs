//! Weights that are stored in fewer bits than they are computed with: decoders that give them out in order, and how much
//! room the kernels want to decode them into.
//!
//! A kernel decodes every weight once per run: [`fully_connected::connect_stored`](crate::fully_connected::connect_stored)
//! a row at a time, [`conv_2d::convolve_stored`](crate::conv_2d::convolve_stored) as many filters as its scratch holds,
//! [`depthwise_conv_2d::convolve_stored`](crate::depthwise_conv_2d::convolve_stored) all of them. What comes after is the
//! kernel for plain weights, so that the results are the same.
//!
//! Bits that are missing read as zero: a decoder of too few bytes gives wrong weights and nothing worse. Whoever prepares
//! one checks the lengths.

/// Gives out weights in their order.
pub trait Decode {
    /// The next `out.len()` weights.
    fn decode(&mut self, out: &mut [i8]);
}

/// Signed integers of 4 or 2 bits, the first in the lowest bits of a byte: `UnpackDenseInt4IntoInt8`
/// (`kernels/internal/portable_tensor_utils.h`).
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, const BITS: u32> {
    bytes: &'a [u8],
    /// What rests of the byte that was begun, and how many bits.
    begun: u8,
    rest: u32,
}

impl<'a, const BITS: u32> Packed<'a, BITS> {
    /// The weights in these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        const { assert!(BITS == 2 || BITS == 4) };
        Self {
            bytes,
            begun: 0,
            rest: 0,
        }
    }
}

impl<const BITS: u32> Decode for Packed<'_, BITS> {
    #[inline(never)]
    fn decode(&mut self, out: &mut [i8]) {
        for out in out {
            if self.rest == 0 {
                let (byte, bytes) = self.bytes.split_first().unwrap_or((&0, &[]));
                (self.begun, self.bytes, self.rest) = (*byte, bytes, 8);
            }
            *out = (self.begun << (8 - BITS)).cast_signed() >> (8 - BITS);
            self.begun >>= BITS;
            self.rest -= BITS;
        }
    }
}

/// Bits from the highest of each byte on.
#[derive(Clone, Copy, Debug)]
struct Bits<'a> {
    bytes: &'a [u8],
    /// The last bits that were read from `bytes`, the newest lowest.
    window: u32,
    /// How many of them are not given out yet.
    rest: u32,
}

impl<'a> Bits<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            window: 0,
            rest: 0,
        }
    }

    /// The next `count` bits, at most 8, as a number.
    #[inline(always)]
    fn take(&mut self, count: u32) -> u32 {
        if self.rest < count {
            let (byte, bytes) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = bytes;
            self.window = self.window << 8 | u32::from(*byte);
            self.rest = self.rest.wrapping_add(8);
        }
        self.rest = self.rest.wrapping_sub(count);
        self.window.wrapping_shr(self.rest) & 1u32.wrapping_shl(count).wrapping_sub(1)
    }
}

ember_core::plain! {
    /// Which of several tables of values a weight looks into.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Tables {
        /// Bits of an index, 1 to 7.
        pub bits: u32,
        /// Values of a table.
        pub stride: u32,
        /// Neighbouring weights that share a table: all of a channel where channels are outermost, one where they are
        /// innermost, every one where there is one table.
        pub run: u32,
        /// Tables; after the last comes the first again.
        pub count: u32,
    }
}

impl Tables {
    /// Bytes of the indices of so many weights, and of the values.
    #[must_use]
    pub const fn bytes(&self, weights: u32) -> (u64, u64) {
        let indices = (weights as u64 * self.bits as u64).div_ceil(8);
        (indices, self.stride as u64 * self.count as u64)
    }
}

/// Walks through the tables as the weights go by.
#[derive(Clone, Copy, Debug)]
struct Cursor<'a> {
    tables: Tables,
    values: &'a [i8],
    /// What lies from the table in use on.
    table: &'a [i8],
    /// Weights left of the run.
    run: u32,
    /// Tables left before the first comes again.
    left: u32,
}

impl<'a> Cursor<'a> {
    fn new(tables: &Tables, values: &'a [i8]) -> Self {
        Self {
            tables: *tables,
            values,
            table: values,
            run: tables.run,
            left: tables.count,
        }
    }

    /// The next weight, of which this is the index.
    #[inline(always)]
    fn value(&self, index: u32) -> i8 {
        self.table.get(index as usize).copied().unwrap_or(0)
    }

    /// Passes a weight.
    #[inline(always)]
    fn step(&mut self) {
        self.run = self.run.wrapping_sub(1);
        if self.run == 0 {
            self.run = self.tables.run;
            self.left = self.left.wrapping_sub(1);
            self.table = if self.left == 0 {
                self.left = self.tables.count;
                self.values
            } else {
                self.table.get(self.tables.stride as usize..).unwrap_or(&[])
            };
        }
    }
}

/// Indices into tables of values, as TFLM's decoder of look-up tables reads them
/// (`micro/kernels/decode_state_lut.cc`): packed from the highest bit of a byte on.
#[derive(Clone, Copy, Debug)]
pub struct LookUp<'a> {
    indices: Bits<'a>,
    cursor: Cursor<'a>,
}

impl<'a> LookUp<'a> {
    /// The weights with these indices.
    #[must_use]
    pub fn new(tables: &Tables, indices: &'a [u8], values: &'a [i8]) -> Self {
        Self {
            indices: Bits::new(indices),
            cursor: Cursor::new(tables, values),
        }
    }
}

impl Decode for LookUp<'_> {
    #[inline(never)]
    fn decode(&mut self, out: &mut [i8]) {
        let (mut indices, mut cursor) = (self.indices, self.cursor);
        for out in out {
            *out = cursor.value(indices.take(cursor.tables.bits));
            cursor.step();
        }
        (self.indices, self.cursor) = (indices, cursor);
    }
}

/// A bit for each weight, from the highest of a byte on, that says whether it is other than zero, and those that are in
/// their order: TFLM's decoder of pruned weights (`micro/kernels/decode_state_prune.cc`).
#[derive(Clone, Copy, Debug)]
pub struct Sparse<'a> {
    map: Bits<'a>,
    values: &'a [i8],
}

impl<'a> Sparse<'a> {
    /// The weights of this map.
    #[must_use]
    pub const fn new(map: &'a [u8], values: &'a [i8]) -> Self {
        Self {
            map: Bits::new(map),
            values,
        }
    }
}

impl Decode for Sparse<'_> {
    #[inline(never)]
    fn decode(&mut self, out: &mut [i8]) {
        let (mut map, mut values) = (self.map, self.values);
        for out in out {
            *out = 0;
            if map.take(1) != 0
                && let Some((value, rest)) = values.split_first()
            {
                *out = *value;
                values = rest;
            }
        }
        (self.map, self.values) = (map, values);
    }
}

/// Both: a map of what is other than zero, and for those the index into a table of values.
#[derive(Clone, Copy, Debug)]
pub struct SparseLookUp<'a> {
    map: Bits<'a>,
    indices: Bits<'a>,
    cursor: Cursor<'a>,
}

impl<'a> SparseLookUp<'a> {
    /// The weights of this map and these indices.
    #[must_use]
    pub fn new(tables: &Tables, map: &'a [u8], indices: &'a [u8], values: &'a [i8]) -> Self {
        Self {
            map: Bits::new(map),
            indices: Bits::new(indices),
            cursor: Cursor::new(tables, values),
        }
    }
}

impl Decode for SparseLookUp<'_> {
    #[inline(never)]
    fn decode(&mut self, out: &mut [i8]) {
        let (mut map, mut indices, mut cursor) = (self.map, self.indices, self.cursor);
        for out in out {
            *out = if map.take(1) != 0 {
                cursor.value(indices.take(cursor.tables.bits))
            } else {
                0
            };
            cursor.step();
        }
        (self.map, self.indices, self.cursor) = (map, indices, cursor);
    }
}
