//! What the registry does not know of chips: one table, one row per quirk, in four files by what the rows say.
//!
//! A chip that no row of [`starts`] names is refused: nobody knows that a program would start on it.

mod cores;
mod memories;
mod refusals;
mod starts;

use super::error::Refusal;
use ember_deploy::chip::{Boot, Core, Store};
use ember_deploy::machine::Region;

/// One thing that is true of some chips.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quirk {
    /// Which chips: patterns for the registry's names, separated by spaces. `?` stands for one character, `*` at the end for
    /// any number of them.
    pub(super) chips: &'static str,
    /// What is true of them.
    pub(super) what: What,
    /// Who says so: datasheet, reference manual, or the maker's own software.
    pub(super) source: &'static str,
}

/// What is true of some chips.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The first core, more exactly than the registry's type.
    Core(Core),
    /// It starts an image of this kind. Every supported chip has just one such row.
    Boot(Boot),
    /// It must not be deployed to.
    Refuse(Refusal, &'static str),
    /// The flash for us is this part of the registry's.
    Flash(Region),
    /// The RAM for us is this part of the registry's.
    Ram(Region),
    /// So many bytes at the end of the registry's RAM are not for us.
    RamTail(u32),
    /// Part of the flash means something to it.
    Reserved {
        /// Where.
        place: Place,
        /// What must be there; `None`: the erased state.
        bytes: Option<&'static [u8]>,
        /// What it is.
        what: &'static str,
    },
    /// What the firmware stores before anything else.
    Start(&'static [Store]),
    /// What a person has to know.
    Note(&'static str),
}

/// A part of the flash, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// So many bytes after the flash's first address, and so long.
    FromStart(u32, u32),
    /// The last so many bytes.
    End(u32),
}

/// The whole table.
const TABLE: &[&[Quirk]] = &[cores::ROWS, starts::ROWS, memories::ROWS, refusals::ROWS];

/// The rows that speak of the chip with this name of the registry.
pub(super) fn of(chip: &str) -> impl Iterator<Item = &'static Quirk> {
    TABLE
        .iter()
        .copied()
        .flatten()
        .filter(move |row| row.names(chip))
}

impl Quirk {
    fn names(&self, chip: &str) -> bool {
        names(self.chips, chip)
    }
}

/// Whether one of the patterns, separated by spaces, names the chip.
pub(super) fn names(patterns: &str, chip: &str) -> bool {
    patterns.split(' ').any(|pattern| matches(pattern, chip))
}

fn matches(pattern: &str, name: &str) -> bool {
    let (stem, open) = match pattern.strip_suffix('*') {
        Some(stem) => (stem, true),
        None => (pattern, false),
    };
    let fits = stem
        .bytes()
        .zip(name.bytes())
        .all(|(wanted, found)| wanted == b'?' || wanted == found);
    fits && if open {
        name.len() >= stem.len()
    } else {
        name.len() == stem.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::lookup;
    use super::{Quirk, TABLE, What, matches, of};
    use std::collections::BTreeSet;
    use std::mem::discriminant;

    #[test]
    fn patterns() {
        assert!(matches("STM32F4*", "STM32F405RG"));
        assert!(matches("RP2040", "RP2040"));
        assert!(!matches("RP2040", "RP2040_SELFDEBUG"));
        assert!(matches("EFR32?G1*", "EFR32MG12P132F1024"));
        assert!(!matches("STM32F4*", "STM32F3"));
        assert!(!matches("STM32F4*", "STM32"));
    }

    #[test]
    fn every_pattern_names_a_chip_and_every_row_has_a_source() {
        for row in TABLE.iter().copied().flatten() {
            assert!(!row.source.is_empty(), "{}", row.chips);
            for pattern in row.chips.split(' ') {
                assert!(
                    lookup::all()
                        .iter()
                        .any(|chip| matches(pattern, &chip.variant.name)),
                    "{pattern} names no chip of the registry"
                );
            }
        }
    }

    #[test]
    fn no_chip_has_two_answers_to_one_question() {
        for chip in lookup::all() {
            let mut answered = Vec::new();
            for Quirk { what, .. } in of(&chip.variant.name) {
                if matches!(what, What::Reserved { .. } | What::Note(_)) {
                    continue;
                }
                // A refusal instead of a start is the answer to how a chip starts.
                let question = match what {
                    What::Refuse(..) => discriminant(&What::Boot(ember_deploy::chip::Boot::Plain)),
                    other => discriminant(other),
                };
                assert!(!answered.contains(&question), "{}: {what:?}", chip.name);
                answered.push(question);
            }
        }
    }

    #[test]
    fn no_row_is_there_twice() {
        let mut seen = BTreeSet::new();
        for row in TABLE.iter().copied().flatten() {
            assert!(
                seen.insert(format!("{}{:?}", row.chips, row.what)),
                "{} is there twice",
                row.chips
            );
        }
    }
}
