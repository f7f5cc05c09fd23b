//! Which slot runs.

use crate::header::Header;
use crate::key::PublicKey;
use crate::slot::{Slot, check};
use core::cmp::Reverse;

/// A slot that may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'s> {
    /// Which of the slots it is.
    pub index: usize,
    /// Its header and model.
    pub slot: Slot<'s>,
}

/// The slots that may run, the greatest sequence first; of equal ones the first slot first.
///
/// Headers are read at once, models are hashed and signatures verified one by one as they are asked for: a firmware whose
/// newest model runs never hashes the other.
#[must_use]
pub fn candidates<'s, 'k, const N: usize>(
    slots: [&'s [u8]; N],
    key: Option<&'k PublicKey>,
) -> Candidates<'s, 'k, N> {
    Candidates {
        waiting: slots.map(|slot| Some((Header::read(slot).ok()?.sequence, slot))),
        key,
    }
}

/// See [`candidates`].
#[derive(Clone, Debug)]
pub struct Candidates<'s, 'k, const N: usize> {
    /// The slots that were not looked into, with their sequences.
    waiting: [Option<(u32, &'s [u8])>; N],
    key: Option<&'k PublicKey>,
}

impl<'s, const N: usize> Iterator for Candidates<'s, '_, N> {
    type Item = Candidate<'s>;

    fn next(&mut self) -> Option<Candidate<'s>> {
        loop {
            // Of equal keys the first is the minimum.
            let (index, place) = self
                .waiting
                .iter_mut()
                .enumerate()
                .filter(|(_, place)| place.is_some())
                .min_by_key(|(_, place)| Reverse(place.map(|(sequence, _)| sequence)))?;
            let (_, bytes) = place.take()?;
            if let Ok(slot) = check(bytes, self.key) {
                return Some(Candidate { index, slot });
            }
        }
    }
}
