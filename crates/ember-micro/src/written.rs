//! Operators that write to several tensors at once, such as a state and an output.

use ember_core::view::{self, Plain};

use crate::error::{InvokeFault, Slot};
use crate::io::{Frame, Io};
use crate::plan::Location;

/// Tensors that an operator writes to at once, at most.
const MOST: usize = 4;

/// The tensors of an operator besides those that it writes to.
#[derive(Clone, Copy)]
pub struct Others<'s> {
    /// What lies between the tensors that are written to: where it starts, and the bytes.
    gaps: [(u32, &'s [u8]); MOST + 1],
    frame: &'s Frame<'s>,
}

impl<'s> Io<'s> {
    /// These tensors, inputs that are variables among them, to write to, and the others to read; of at most four tensors.
    ///
    /// # Errors
    /// [`InvokeFault::Operand`] where one of them is not in the arena, or shares bytes with another one.
    #[inline(never)]
    pub fn written<const N: usize>(
        self,
        slots: [Slot; N],
    ) -> Result<([&'s mut [u8]; N], Others<'s>), InvokeFault> {
        const { assert!(N <= MOST) };
        let frame = self.frame;
        let mut rows = [(0, 0); N];
        for (row, slot) in rows.iter_mut().zip(slots) {
            let fault = InvokeFault::Operand(slot);
            let operand = if slot.is_output() {
                frame.inputs.wrapping_add(slot.index() as u8)
            } else {
                slot.index() as u8
            };
            let [word, len] = frame.row(operand).ok_or(fault)?;
            let Location::Arena(start) = Location::from_word(word) else {
                return Err(fault);
            };
            *row = (start, len);
        }
        let mut parts = [const { None }; N];
        let mut gaps: [(u32, &[u8]); MOST + 1] = [(0, &[]); MOST + 1];
        let (mut rest, mut end) = (self.activations, 0u32);
        let mut gaps_left = gaps.iter_mut();
        // From the first in memory to the last.
        for _ in 0..N {
            let places = rows.iter().zip(&mut parts).zip(slots);
            let left = places.filter(|((_, part), _)| part.is_none());
            let first = left.min_by_key(|(((start, len), _), _)| (*start, *len));
            let Some((((start, len), part), slot)) = first else {
                break;
            };
            let fault = InvokeFault::Operand(slot);
            let skipped = start.checked_sub(end).ok_or(fault)?;
            let split = core::mem::take(&mut rest).split_at_mut_checked(skipped as usize);
            let (gap, behind) = split.ok_or(fault)?;
            let split = behind.split_at_mut_checked(*len as usize);
            let (bytes, behind) = split.ok_or(fault)?;
            if let Some(place) = gaps_left.next() {
                *place = (end, gap);
            }
            *part = Some(bytes);
            (rest, end) = (behind, start.saturating_add(*len));
        }
        if let Some(place) = gaps_left.next() {
            *place = (end, rest);
        }
        Ok((parts.map(Option::unwrap_or_default), Others { gaps, frame }))
    }
}

impl<'s> Others<'s> {
    /// The elements of an input that is there.
    ///
    /// # Errors
    /// [`InvokeFault::Operand`] where it is left out, not of this type, or among those that are written to.
    pub fn get<T: Plain>(&self, index: u8) -> Result<&'s [T], InvokeFault> {
        self.bytes(index)
            .and_then(view::from_bytes)
            .ok_or(InvokeFault::Operand(Slot::input(index)))
    }

    /// The elements of an input that may be left out.
    ///
    /// # Errors
    /// As [`Others::get`] where it is not left out.
    pub fn optional<T: Plain>(&self, index: u8) -> Result<Option<&'s [T]>, InvokeFault> {
        match self.frame.input(index) {
            None => Ok(None),
            Some(_) => self.get(index).map(Some),
        }
    }

    #[inline(never)]
    fn bytes(&self, index: u8) -> Option<&'s [u8]> {
        let [word, len] = self.frame.input(index)?;
        let within = |bytes: &'s [u8], start: u32| bytes.get(start as usize..)?.get(..len as usize);
        match Location::from_word(word) {
            Location::Model(offset) => within(self.frame.program.model, offset),
            Location::Arena(offset) => {
                let mut gaps = self.gaps.iter();
                gaps.find_map(|(start, bytes)| within(bytes, offset.checked_sub(*start)?))
            }
            Location::SameAs(_) | Location::Nowhere => None,
        }
    }
}

/// Bytes that are written to, as elements.
///
/// # Errors
/// [`InvokeFault::Operand`] where they are not a whole number of them.
pub(crate) fn elements<T: Plain>(bytes: &mut [u8], slot: Slot) -> Result<&mut [T], InvokeFault> {
    view::from_bytes_mut(bytes).ok_or(InvokeFault::Operand(slot))
}

#[cfg(test)]
mod tests {
    use super::elements;
    use crate::error::{InvokeFault, Slot};
    use crate::io::{Frame, Ids, Io};

    /// Tensors of 4 bytes at 0, 4, .. 16 of the arena, the last one an output, and one of the model.
    fn with_io<T>(look: impl FnOnce(Io<'_>) -> T) -> T {
        let table = [[16, 4], [4, 4], [0, 4], [8, 4], [12, 4], [1 << 31 | 1, 2]];
        let mut activations: std::vec::Vec<u8> = (0..20).collect();
        let frame = Frame {
            program: crate::run::Program {
                model: &[7, 8, 9],
                registry: &[],
                table: &table,
            },
            operands: Ids(&[1 << 16, 3 << 16 | 2, 5 << 16 | 0xffff, 4]),
            inputs: 6,
        };
        look(Io {
            activations: &mut activations,
            frame: &frame,
            words: &[],
        })
    }

    #[test]
    fn three_are_written_and_the_others_read() {
        let slots = [Slot::input(0), Slot::output(0), Slot::input(1)];
        with_io(|io| {
            let ([a, b, c], others) = io.written(slots).unwrap();
            assert_eq!((&*a, &*b), (&[16, 17, 18, 19][..], &[12, 13, 14, 15][..]));
            assert_eq!(elements::<u8>(c, slots[2]).unwrap(), [4, 5, 6, 7]);
            assert_eq!(others.get::<u8>(2).unwrap(), [0, 1, 2, 3]);
            assert_eq!(others.get::<u8>(3).unwrap(), [8, 9, 10, 11]);
            assert_eq!(others.optional::<u8>(4).unwrap(), None);
            assert_eq!(others.get::<u8>(5).unwrap(), [8, 9]);
            let fault = InvokeFault::Operand(slots[0]);
            assert_eq!(others.get::<u8>(0).unwrap_err(), fault, "it is written to");
        });
    }

    #[test]
    fn what_cannot_be_written_to_is_refused() {
        for slots in [
            [Slot::input(5), Slot::input(0)],
            [Slot::input(4), Slot::input(0)],
            [Slot::input(0), Slot::input(0)],
            [Slot::input(0), Slot::output(1)],
        ] {
            assert!(with_io(|io| io.written(slots).is_err()), "{slots:?}");
        }
    }
}
