//! The options of custom operators, which TensorFlow's converter writes as a FlexBuffers map: read in place.
//!
//! **Invariant:** nothing here panics or reads outside, whatever the bytes are. There is no check before: what is not as the
//! format has it (`flatbuffers/flexbuffers.h`) reads as absent.

/// A map of a FlexBuffers message.
///
/// ```
/// use ember_tflite::FlexMap;
///
/// // {"half": 0.5, "three": 3}
/// let bytes = [
///     104, 97, 108, 102, 0, 116, 104, 114, 101, 101, 0, 2, 12, 8, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 63, 3, 0, 0, 0, 14, 6, 10, 38, 1,
/// ];
/// let map = FlexMap::parse(&bytes).unwrap();
/// assert_eq!(map.f32("half"), Some(0.5));
/// assert_eq!(map.i32("three"), Some(3));
/// assert_eq!(map.i32("four"), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FlexMap<'a> {
    bytes: &'a [u8],
    /// Where the values begin, how many they are, and bytes of each.
    values: usize,
    len: usize,
    width: usize,
    /// Where the keys begin, and bytes of each.
    keys: usize,
    key_width: usize,
}

/// What a value is, in the upper six bits of its type.
mod kind {
    pub(super) const INT: u8 = 1;
    pub(super) const UINT: u8 = 2;
    pub(super) const FLOAT: u8 = 3;
    pub(super) const INDIRECT_INT: u8 = 6;
    pub(super) const INDIRECT_UINT: u8 = 7;
    pub(super) const INDIRECT_FLOAT: u8 = 8;
    pub(super) const MAP: u8 = 9;
    pub(super) const BOOL: u8 = 26;
}

#[derive(Clone, Copy)]
enum Number {
    Int(i64),
    Uint(u64),
    Float(f64),
}

impl<'a> FlexMap<'a> {
    /// The map that a message consists of; `None` where it is something else.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (_, &[kind, width]) = bytes.split_last_chunk::<2>()?;
        if kind >> 2 != kind::MAP {
            return None;
        }
        let width_of_root = usize::from(width);
        let root = bytes.len().checked_sub(2)?.checked_sub(width_of_root)?;
        let values = indirect(bytes, root, width_of_root)?;
        let width = 1usize << (kind & 3);
        let before = |words: usize| values.checked_sub(words.wrapping_mul(width));
        let len = usize::try_from(unsigned(bytes, before(1)?, width)?).ok()?;
        let key_width = usize::try_from(unsigned(bytes, before(2)?, width)?).ok()?;
        let keys = indirect(bytes, before(3)?, width)?;
        // Each value takes a byte at least, so that no length is absurd.
        (len <= bytes.len()).then_some(Self {
            bytes,
            values,
            len,
            width,
            keys,
            key_width,
        })
    }

    /// The number at a key, towards zero where it is none of 32 bits.
    #[must_use]
    pub fn i32(&self, key: &str) -> Option<i32> {
        Some(match self.number(key)? {
            Number::Int(value) => value as i32,
            Number::Uint(value) => value as i32,
            Number::Float(value) => value as i32,
        })
    }

    /// The number at a key, rounded to the nearest of 32 bits.
    #[must_use]
    pub fn f32(&self, key: &str) -> Option<f32> {
        Some(match self.number(key)? {
            Number::Int(value) => value as f32,
            Number::Uint(value) => value as f32,
            Number::Float(value) => value as f32,
        })
    }

    /// Whether the number or truth value at a key is not zero.
    #[must_use]
    pub fn bool(&self, key: &str) -> Option<bool> {
        Some(match self.number(key)? {
            Number::Int(value) => value != 0,
            Number::Uint(value) => value != 0,
            Number::Float(value) => value != 0.0,
        })
    }

    fn number(&self, key: &str) -> Option<Number> {
        let index = (0..self.len).find(|index| self.is_key(*index, key.as_bytes()))?;
        let place = self.values.checked_add(index.checked_mul(self.width)?)?;
        let types = self.values.checked_add(self.len.checked_mul(self.width)?)?;
        let packed = *self.bytes.get(types.checked_add(index)?)?;
        let bytes = self.bytes;
        let there = || indirect(bytes, place, self.width);
        let other = 1usize << (packed & 3);
        Some(match packed >> 2 {
            kind::INT => Number::Int(signed(bytes, place, self.width)?),
            kind::UINT | kind::BOOL => Number::Uint(unsigned(bytes, place, self.width)?),
            kind::FLOAT => Number::Float(float(bytes, place, self.width)?),
            kind::INDIRECT_INT => Number::Int(signed(bytes, there()?, other)?),
            kind::INDIRECT_UINT => Number::Uint(unsigned(bytes, there()?, other)?),
            kind::INDIRECT_FLOAT => Number::Float(float(bytes, there()?, other)?),
            _ => return None,
        })
    }

    fn is_key(&self, index: usize, key: &[u8]) -> bool {
        let place = index
            .checked_mul(self.key_width)
            .and_then(|offset| self.keys.checked_add(offset));
        let found = place
            .and_then(|place| indirect(self.bytes, place, self.key_width))
            .and_then(|start| self.bytes.get(start..));
        let rest = found.and_then(|found| found.strip_prefix(key));
        rest.is_some_and(|rest| rest.first() == Some(&0))
    }
}

/// What is written at `place` in `width` bytes points backwards.
fn indirect(bytes: &[u8], place: usize, width: usize) -> Option<usize> {
    let back = usize::try_from(unsigned(bytes, place, width)?).ok()?;
    place.checked_sub(back)
}

fn unsigned(bytes: &[u8], place: usize, width: usize) -> Option<u64> {
    if !matches!(width, 1 | 2 | 4 | 8) {
        return None;
    }
    let bytes = bytes.get(place..)?.get(..width)?;
    let value = bytes.iter().rev();
    Some(value.fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn signed(bytes: &[u8], place: usize, width: usize) -> Option<i64> {
    let value = unsigned(bytes, place, width)?;
    Some(match width {
        1 => i64::from(value as i8),
        2 => i64::from(value as i16),
        4 => i64::from(value as i32),
        _ => value as i64,
    })
}

fn float(bytes: &[u8], place: usize, width: usize) -> Option<f64> {
    let bits = unsigned(bytes, place, width)?;
    match width {
        4 => Some(f32::from_bits(bits as u32).into()),
        8 => Some(f64::from_bits(bits)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::FlexMap;

    /// `{"a": -5, "b": true, "c": 300, "d": 0.1, "e": "text"}` as Python's `flexbuffers.Dumps` writes it.
    const MESSAGE: &[u8] = &[
        97, 0, 98, 0, 99, 0, 100, 0, 101, 0, 4, 116, 101, 120, 116, 0, 5, 17, 16, 15, 14, 13, 0, 0,
        7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 251, 255, 255, 255,
        255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 44, 1, 0, 0, 0, 0, 0, 0, 154, 153, 153, 153,
        153, 153, 185, 63, 69, 0, 0, 0, 0, 0, 0, 0, 7, 107, 7, 15, 20, 45, 39, 1,
    ];

    #[test]
    fn numbers_are_read_by_name() {
        let map = FlexMap::parse(MESSAGE).unwrap();
        assert_eq!((map.i32("a"), map.f32("a")), (Some(-5), Some(-5.0)));
        assert_eq!((map.bool("b"), map.i32("b")), (Some(true), Some(1)));
        assert_eq!((map.i32("c"), map.bool("c")), (Some(300), Some(true)));
        assert_eq!((map.f32("d"), map.i32("d")), (Some(0.1), Some(0)));
        assert_eq!(
            (map.i32("e"), map.i32("f"), map.i32("")),
            (None, None, None)
        );
    }

    #[test]
    fn damaged_bytes_are_read_without_a_panic() {
        let read = |bytes: &[u8]| {
            if let Some(map) = FlexMap::parse(bytes) {
                for key in ["a", "b", "c", "d", "e"] {
                    let _ = (map.i32(key), map.f32(key), map.bool(key));
                }
            }
        };
        for end in 0..MESSAGE.len() {
            read(&MESSAGE[..end]);
            read(&MESSAGE[end..]);
            for value in [0, 1, 0x7f, 0x80, 0xff, 36, 40] {
                let mut damaged = MESSAGE.to_vec();
                damaged[end] = value;
                read(&damaged);
            }
        }
        assert!(FlexMap::parse(&[3, 4, 1]).is_none(), "the number 3");
        assert!(FlexMap::parse(&[]).is_none());
    }
}
