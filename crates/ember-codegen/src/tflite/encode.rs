//! Weights in fewer bytes than their type has, in the forms of TensorFlow Lite Micro's DECODE operator
//! (`micro/compression/decode.py`, `micro/kernels/decode_state_lut.cc`, `decode_state_prune.cc`).
//!
//! The encoded bytes stand in place of the weights; what is needed to read them stands in 16 bytes of header and what
//! follows. Bits are packed from the highest of a byte on.
//!
//! | form | encoded | header, and what follows |
//! |---|---|---|
//! | look-up table | an index of 1 to 7 bits for each weight | type 0, version 1; at 4: version 1, bits, stride; then for each channel a table of `stride` values |
//! | sparse | a bit for each weight that says whether it is other than 0 | type 2, version 1; at 4: version 1; then the weights that are |
//! | sparse look-up | that map, then an index for each weight that is other than 0 | type 128, then as for the look-up table |
//!
//! The last one is Ember's own (`ember-micro`), in the range of types that TensorFlow Lite Micro leaves to applications.

use std::collections::BTreeSet;

/// Bytes of the header.
const HEADER: usize = 16;

/// The greatest number of bits of an index.
const MOST_BITS: u32 = 7;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As they are.
    Plain,
    /// Indices into a table of values, one table for each channel or one for all.
    LookUp {
        /// Bits of an index.
        bits: u32,
    },
    /// A map of the weights that are other than 0, and those.
    Sparse,
    /// That map, and for those the index into a table of values.
    SparseLookUp {
        /// Bits of an index.
        bits: u32,
    },
}

/// Who is to decode the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// TensorFlow Lite Micro, and Ember.
    Tflm,
    /// Ember alone, which has more forms.
    Ember,
}

impl Encoding {
    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::LookUp { .. } => "look-up",
            Self::Sparse => "sparse",
            Self::SparseLookUp { .. } => "sparse look-up",
        }
    }
}

/// Encoded weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) encoding: Encoding,
    /// What stands in place of the weights.
    pub(super) bytes: Vec<u8>,
    /// The header and what follows.
    pub(super) ancillary: Vec<u8>,
}

impl Encoded {
    /// Bytes of both.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len() + self.ancillary.len()
    }
}

/// Where the channels of a tensor are that have tables of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    /// One table for all.
    One,
    /// So many, outermost.
    First(usize),
    /// So many, innermost.
    Last(usize),
}

impl Channels {
    const fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::First(count) | Self::Last(count) => count,
        }
    }

    /// The channel of a row-major position among `len` weights.
    const fn of(self, position: usize, len: usize) -> usize {
        match self {
            Self::One => 0,
            Self::First(count) => position / (len / count),
            Self::Last(count) => position % count,
        }
    }
}

/// The weights in the form of fewest bytes; none when that is the plain one.
pub(super) fn smallest(weights: &[i8], channels: Channels, decoder: Decoder) -> Option<Encoded> {
    let both = match decoder {
        Decoder::Tflm => None,
        Decoder::Ember => sparse_look_up(weights, channels),
    };
    let forms = [look_up(weights, channels), Some(sparse(weights)), both];
    let best = forms.into_iter().flatten().min_by_key(Encoded::len)?;
    (best.len() < weights.len()).then_some(best)
}

/// Indices into tables; none when a channel has more than 128 different weights.
pub(super) fn look_up(weights: &[i8], channels: Channels) -> Option<Encoded> {
    let tables = Tables::new(weights, channels, |_| true)?;
    let mut packed = Bits::default();
    for (position, weight) in weights.iter().enumerate() {
        packed.push(tables.index(position, *weight), tables.bits);
    }
    Some(Encoded {
        encoding: Encoding::LookUp { bits: tables.bits },
        bytes: packed.bytes,
        ancillary: tables.describe(0),
    })
}

/// A map of what is other than 0, and indices into tables for that; none when a channel has more than 128 different weights.
pub(super) fn sparse_look_up(weights: &[i8], channels: Channels) -> Option<Encoded> {
    let tables = Tables::new(weights, channels, |weight| weight != 0)?;
    let (mut map, mut packed) = (Bits::default(), Bits::default());
    for (position, weight) in weights.iter().enumerate() {
        map.push(u32::from(*weight != 0), 1);
        if *weight != 0 {
            packed.push(tables.index(position, *weight), tables.bits);
        }
    }
    map.bytes.extend(packed.bytes);
    Some(Encoded {
        encoding: Encoding::SparseLookUp { bits: tables.bits },
        bytes: map.bytes,
        ancillary: tables.describe(128),
    })
}

/// The different weights of each channel.
struct Tables {
    channels: Channels,
    len: usize,
    values: Vec<Vec<i8>>,
    stride: usize,
    bits: u32,
}

impl Tables {
    /// The tables of the weights that `of` is about; none when an index would have too many bits.
    fn new(weights: &[i8], channels: Channels, of: impl Fn(i8) -> bool) -> Option<Self> {
        let mut values = vec![BTreeSet::new(); channels.count()];
        for (position, weight) in weights
            .iter()
            .enumerate()
            .filter(|(_, weight)| of(**weight))
        {
            values[channels.of(position, weights.len())].insert(*weight);
        }
        let values: Vec<Vec<i8>> = (values.into_iter())
            .map(|values| values.into_iter().collect())
            .collect();
        let stride = values.iter().map(Vec::len).max()?.max(1);
        let bits = stride.next_power_of_two().trailing_zeros().max(1);
        (bits <= MOST_BITS).then_some(Self {
            channels,
            len: weights.len(),
            values,
            stride,
            bits,
        })
    }

    /// The index of the weight at a position.
    fn index(&self, position: usize, weight: i8) -> u32 {
        let table = &self.values[self.channels.of(position, self.len)];
        table.binary_search(&weight).unwrap_or(0) as u32
    }

    /// The header of this type, and the tables.
    fn describe(&self, decode_type: u8) -> Vec<u8> {
        let mut ancillary = vec![0; HEADER];
        let header = [decode_type, 1, 0, 0, 1, self.bits as u8, self.stride as u8];
        ancillary[..header.len()].copy_from_slice(&header);
        for table in &self.values {
            let rest = std::iter::repeat_n(&0, self.stride - table.len());
            ancillary.extend(table.iter().chain(rest).map(|value| value.cast_unsigned()));
        }
        ancillary
    }
}

/// A map of what is other than 0, and that.
pub(super) fn sparse(weights: &[i8]) -> Encoded {
    let mut map = Bits::default();
    let mut ancillary = vec![0; HEADER];
    ancillary[..5].copy_from_slice(&[2, 1, 0, 0, 1]);
    for weight in weights {
        map.push(u32::from(*weight != 0), 1);
        if *weight != 0 {
            ancillary.push(weight.cast_unsigned());
        }
    }
    Encoded {
        encoding: Encoding::Sparse,
        bytes: map.bytes,
        ancillary,
    }
}

/// Bits, packed from the highest of each byte on.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// Adds the `count` lowest bits of a number, the highest of them first.
    fn push(&mut self, number: u32, count: u32) {
        for place in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= (((number >> place) & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Channels, Decoder, Encoding, look_up, smallest, sparse, sparse_look_up};

    /// Bit `at` of bytes, counted from the highest of the first on.
    fn bit(bytes: &[u8], at: usize) -> usize {
        usize::from(bytes[at / 8] >> (7 - at % 8) & 1)
    }

    #[test]
    fn the_forms_as_tflms_documentation_shows_them() {
        // `micro/compression/metadata.fbs`: indices 7, 0, 3, 2 in 3 bits are 1110000110100000.
        let mut weights: Vec<i8> = (0..8).collect();
        weights.splice(0..0, [7, 0, 3, 2]);
        let encoded = look_up(&weights, Channels::One).unwrap();
        assert_eq!(encoded.bytes[..2], [0b1110_0001, 0b1010_0000]);
        assert_eq!(
            encoded.ancillary[..16],
            [0, 1, 0, 0, 1, 3, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(encoded.ancillary[16..], [0, 1, 2, 3, 4, 5, 6, 7]);
        let encoded = sparse(&[0, -1, 0, 0, 5, 0, 0, 0, 0, 7]);
        assert_eq!(encoded.bytes, [0b0100_1000, 0b0100_0000]);
        assert_eq!(
            encoded.ancillary,
            [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 5, 7]
        );
    }

    proptest! {
        #[test]
        fn look_ups_give_back_the_weights(
            rows in 1_usize..5,
            columns in 1_usize..40,
            spread in 1_i8..64,
            numbers in prop::collection::vec(any::<i8>(), 200),
            last: bool,
        ) {
            let weights: Vec<i8> = numbers[..rows * columns].iter().map(|number| number % spread).collect();
            let channels = if last { Channels::Last(columns) } else { Channels::First(rows) };
            for channels in [channels, Channels::One] {
                let encoded = look_up(&weights, channels).unwrap();
                let Encoding::LookUp { bits } = encoded.encoding else { panic!("{encoded:?}") };
                let stride = usize::from(encoded.ancillary[6]);
                prop_assert_eq!(encoded.ancillary.len(), 16 + stride * channels.count());
                prop_assert_eq!(encoded.bytes.len(), (weights.len() * bits as usize).div_ceil(8));
                for (position, weight) in weights.iter().enumerate() {
                    let start = position * bits as usize;
                    let index = (start..start + bits as usize).fold(0, |index, at| index << 1 | bit(&encoded.bytes, at));
                    let table = 16 + stride * channels.of(position, weights.len());
                    prop_assert_eq!(encoded.ancillary[table + index].cast_signed(), *weight);
                }
            }
        }

        #[test]
        fn maps_give_back_the_weights(mut weights in prop::collection::vec(any::<i8>(), 1..100), every in 1_usize..5) {
            weights.iter_mut().step_by(every).for_each(|weight| *weight = 0);
            let encoded = sparse(&weights);
            let mut values = encoded.ancillary[16..].iter();
            for (position, weight) in weights.iter().enumerate() {
                let found = if bit(&encoded.bytes, position) == 1 { values.next().unwrap().cast_signed() } else { 0 };
                prop_assert_eq!(found, *weight);
            }
            prop_assert_eq!(values.next(), None);
        }
    }

    #[test]
    fn what_saves_nothing_stays_plain() {
        let many: Vec<i8> = (-128..=127).collect();
        assert_eq!(look_up(&many, Channels::One), None);
        for decoder in [Decoder::Tflm, Decoder::Ember] {
            assert_eq!(smallest(&many, Channels::One, decoder), None);
            assert_eq!(smallest(&[0; 16], Channels::One, decoder), None);
        }
        let sixteen: Vec<i8> = (0..1000).map(|i| (i % 16) as i8).collect();
        let clustered = smallest(&sixteen, Channels::One, Decoder::Ember).unwrap();
        assert_eq!(
            (clustered.encoding, clustered.len()),
            (Encoding::LookUp { bits: 4 }, 532)
        );
        let pruned: Vec<i8> = (0..1000)
            .map(|i| if i % 10 == 0 { (i / 10) as i8 } else { 0 })
            .collect();
        let forms = |weights: &[i8]| {
            [Decoder::Tflm, Decoder::Ember]
                .map(|decoder| smallest(weights, Channels::One, decoder).unwrap().encoding)
        };
        assert_eq!(forms(&pruned), [Encoding::Sparse; 2]);
        let both: Vec<i8> = (0..2000_i32)
            .map(|i| if i % 5 == 0 { (1 + i % 15) as i8 } else { 0 })
            .collect();
        assert_eq!(
            forms(&both),
            [
                Encoding::LookUp { bits: 2 },
                Encoding::SparseLookUp { bits: 2 }
            ]
        );
    }

    #[test]
    fn both_forms_together() {
        let encoded = sparse_look_up(&[0, -1, 0, 0, 5, 0, 0, 0, 0, 7], Channels::One).unwrap();
        assert_eq!(encoded.bytes, [0b0100_1000, 0b0100_0000, 0b0001_1000]);
        assert_eq!(encoded.ancillary[..8], [128, 1, 0, 0, 1, 2, 3, 0]);
        assert_eq!(encoded.ancillary[16..], [255, 5, 7]);
        // Nothing is left: a table of one value that nobody reads.
        let nothing = sparse_look_up(&[0; 8], Channels::One).unwrap();
        assert_eq!((nothing.bytes, nothing.ancillary.len()), (vec![0], 17));
    }
}
