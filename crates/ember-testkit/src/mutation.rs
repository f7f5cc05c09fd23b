//! Damaged files: every small damage, and seeded combinations of larger ones.

use crate::random::Random;

/// Words that files carry where they should not: ends of ranges, sign flips, sizes that overflow when multiplied.
const WORDS: &[u32] = &[
    0,
    1,
    2,
    5,
    0xff,
    0x7fff,
    0xffff,
    0x0001_0000,
    0x4000_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fffe,
    0xffff_ffff,
    // float32: one, the smallest normal number, infinity, a NaN.
    0x3f80_0000,
    0x0080_0000,
    0x7f80_0000,
    0x7fc0_0000,
];

/// A damaged file and what was done to it.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The file.
    pub bytes: Vec<u8>,
    /// What was done, for the message of a failing test.
    pub how: String,
}

/// The file cut off at every length from nothing to one byte less than whole.
pub fn truncations(file: &[u8]) -> impl Iterator<Item = Mutant> + '_ {
    (0..file.len()).map(|len| Mutant {
        bytes: file[..len].to_vec(),
        how: format!("cut off after {len} bytes"),
    })
}

/// The file with each single bit flipped.
pub fn bit_flips(file: &[u8]) -> impl Iterator<Item = Mutant> + '_ {
    (0..file.len() * 8).map(|bit| {
        let mut bytes = file.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Mutant {
            bytes,
            how: format!("bit {} of byte {} flipped", bit % 8, bit / 8),
        }
    })
}

/// The file with each aligned word replaced by each of the words that break things: absurd dimensions, counts,
/// offsets, strides, scales.
pub fn word_changes(file: &[u8]) -> impl Iterator<Item = Mutant> + '_ {
    (0..file.len() / 4).flat_map(move |word| {
        WORDS.iter().map(move |value| {
            let mut bytes = file.to_vec();
            bytes[word * 4..word * 4 + 4].copy_from_slice(&value.to_le_bytes());
            Mutant {
                bytes,
                how: format!("word at byte {} set to {value:#x}", word * 4),
            }
        })
    })
}

/// Endless random damage, the same for the same seed everywhere.
#[derive(Clone, Debug)]
pub struct Mutations {
    random: Random,
}

impl Mutations {
    /// Damage drawn from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
        }
    }

    /// The file with one to four random damages.
    pub fn damage(&mut self, file: &[u8]) -> Mutant {
        let mut mutant = Mutant {
            bytes: file.to_vec(),
            how: String::new(),
        };
        for _ in 0..=self.random.below(4) {
            let what = self.damage_once(&mut mutant.bytes);
            mutant.how += &what;
            mutant.how += "; ";
        }
        mutant
    }

    fn damage_once(&mut self, bytes: &mut Vec<u8>) -> String {
        let len = bytes.len();
        if len < 8 {
            bytes.extend_from_slice(&self.random.bits().to_le_bytes());
            return "eight bytes appended".to_owned();
        }
        let word = self.random.below(len / 4) * 4;
        match self.random.below(6) {
            0 => {
                let bit = self.random.below(len * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                format!("bit {} of byte {} flipped", bit % 8, bit / 8)
            }
            1 => {
                let (at, value) = (self.random.below(len), self.random.bits() as u8);
                bytes[at] = value;
                format!("byte {at} set to {value}")
            }
            2 => {
                let value = self.random.pick(WORDS);
                bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
                format!("word at {word} set to {value:#x}")
            }
            3 => {
                // A small change of a word turns an offset, an index or a dimension into a neighbour's.
                let old = u32::from_le_bytes([
                    bytes[word],
                    bytes[word + 1],
                    bytes[word + 2],
                    bytes[word + 3],
                ]);
                let by = self.random.below(64) as u32;
                let value = old.wrapping_add(by).wrapping_sub(32);
                bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
                format!("word at {word} changed by {}", by as i32 - 32)
            }
            4 => {
                let from = self.random.below(len / 4) * 4;
                bytes.copy_within(from..from + 4, word);
                format!("word at {from} copied to {word}")
            }
            _ => {
                let keep = self.random.below(len);
                bytes.truncate(keep);
                format!("cut off after {keep} bytes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mutations, bit_flips, truncations, word_changes};

    #[test]
    fn small_damage_is_exhaustive() {
        let file = [7u8; 12];
        assert_eq!(truncations(&file).count(), 12);
        assert_eq!(bit_flips(&file).count(), 96);
        assert!(bit_flips(&file).all(|mutant| mutant.bytes != file));
        assert_eq!(word_changes(&file).count(), 3 * super::WORDS.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_damage() {
        let file: Vec<u8> = (0..200).collect();
        let (mut a, mut b) = (Mutations::new(9), Mutations::new(9));
        let mut changed = 0;
        for _ in 0..100 {
            let (left, right) = (a.damage(&file), b.damage(&file));
            assert_eq!((&left.bytes, &left.how), (&right.bytes, &right.how));
            changed += usize::from(left.bytes != file);
        }
        assert!(changed > 90, "{changed}");
    }
}
