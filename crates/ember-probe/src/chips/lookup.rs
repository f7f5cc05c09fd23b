//! From what a person types to one chip of the registry.

use super::error::ChipError;
use super::registry::registry;
use probe_rs::Target;
use probe_rs::config::ChipFamily;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How many names an error suggests.
const SUGGESTIONS: usize = 5;

/// Chips that people ask for and the registry does not have: what the name begins with, in lower case, and why.
const OUTSIDE: &[(&str, &str)] = &[
    (
        "esp32",
        "Espressif's chips start only images in Espressif's own format, with a second-stage boot loader and a \
         partition table, which are not built here; use espflash with a firmware of its own",
    ),
    (
        "mk",
        "Kinetis chips have a flash configuration field at 0x400 that can lock them for good; what is not described in the \
         registry is not written to",
    ),
];

/// One chip of the registry.
#[derive(Clone, Debug)]
pub struct Chip {
    /// Its name, or that of the package that was asked for, as the registry writes it.
    pub name: String,
    pub(super) family: &'static ChipFamily,
    pub(super) variant: &'static probe_rs::config::Chip,
}

impl Chip {
    /// The registry's name of its family.
    #[must_use]
    pub fn family(&self) -> &'static str {
        &self.family.name
    }

    /// What probe-rs attaches to.
    ///
    /// # Errors
    /// [`ChipError::Unknown`] when the registry does not find its own name again.
    pub fn target(&self) -> Result<Target, ChipError> {
        registry()
            .get_target_by_name(&self.variant.name)
            .map_err(|_| ChipError::Unknown {
                name: self.name.clone(),
                nearest: Vec::new(),
            })
    }
}

/// Every chip of the registry, sorted by name.
pub(super) fn all() -> &'static [Chip] {
    static CHIPS: LazyLock<Vec<Chip>> = LazyLock::new(sorted);
    &CHIPS
}

fn sorted() -> Vec<Chip> {
    let mut chips: Vec<_> = registry()
        .families()
        .iter()
        .flat_map(|family| {
            family.variants.iter().map(move |variant| Chip {
                name: variant.name.clone(),
                family,
                variant,
            })
        })
        .collect();
    chips.sort_by(|a, b| (&a.name, &a.family.name).cmp(&(&b.name, &b.family.name)));
    chips
}

/// The chip with this name: of the chip or of one of its packages, in any case; an `x` of the registry's name stands for any
/// character; the beginning of a name is enough where only one chip's names begin so.
///
/// # Errors
/// [`ChipError::Unknown`], [`ChipError::Ambiguous`] and [`ChipError::Outside`].
pub fn find(name: &str) -> Result<Chip, ChipError> {
    let name = name.trim();
    let chips = all();
    for fits in [same, alike] {
        for chip in chips {
            if let Some(matching) = chip.variant.package_variants().find(|one| fits(one, name)) {
                return Ok(Chip {
                    name: matching.clone(),
                    ..chip.clone()
                });
            }
        }
    }
    let begun: Vec<_> = chips
        .iter()
        .filter(|chip| chip.variant.package_variants().any(|one| begins(one, name)))
        .collect();
    match begun[..] {
        [chip] if !name.is_empty() => Ok(chip.clone()),
        [] => Err(unknown(name, chips)),
        _ => Err(ChipError::Ambiguous {
            name: name.to_owned(),
            matches: begun
                .iter()
                .map(|chip| chip.name.clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }),
    }
}

/// Whether the chip's family, name or package has `search` in it, in any case.
pub(super) fn mentions(chip: &Chip, search: &str) -> bool {
    let search = search.to_ascii_lowercase();
    std::iter::once(&chip.family.name)
        .chain(chip.variant.package_variants())
        .any(|one| one.to_ascii_lowercase().contains(&search) || begins(one, &search))
}

fn same(registered: &str, asked: &str) -> bool {
    registered.eq_ignore_ascii_case(asked)
}

fn alike(registered: &str, asked: &str) -> bool {
    registered.len() == asked.len() && begins(registered, asked)
}

fn begins(registered: &str, asked: &str) -> bool {
    registered.len() >= asked.len()
        && registered
            .bytes()
            .zip(asked.bytes())
            .all(|(registered, asked)| {
                registered == b'x' || registered.eq_ignore_ascii_case(&asked)
            })
}

fn unknown(name: &str, chips: &[Chip]) -> ChipError {
    let lower = name.to_ascii_lowercase();
    if let Some((_, reason)) = OUTSIDE.iter().find(|(begin, _)| lower.starts_with(begin)) {
        return ChipError::Outside {
            name: name.to_owned(),
            reason,
        };
    }
    let mut scored: Vec<_> = chips
        .iter()
        .map(|chip| {
            (
                strsim::jaro_winkler(&lower, &chip.name.to_ascii_lowercase()),
                &chip.name,
            )
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    ChipError::Unknown {
        name: name.to_owned(),
        nearest: scored
            .into_iter()
            .take(SUGGESTIONS)
            .map(|(_, name)| name.clone())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{all, find};
    use crate::chips::ChipError;

    #[test]
    fn names_are_found_in_any_case_by_package_and_by_a_unique_beginning() {
        for (typed, meant, variant) in [
            ("nRF52840_xxAA", "nRF52840_xxAA", "nRF52840_xxAA"),
            ("NRF52840_XXAA", "nRF52840_xxAA", "nRF52840_xxAA"),
            ("nrf52840", "nRF52840_xxAA", "nRF52840_xxAA"),
            ("stm32f405rgtx", "STM32F405RGTx", "STM32F405RG"),
            ("STM32F405RGT6", "STM32F405RGTx", "STM32F405RG"),
            ("STM32F405RG", "STM32F405RG", "STM32F405RG"),
            ("RP2040", "RP2040", "RP2040"),
            ("rp2350", "RP235x", "RP235x"),
            ("FE310", "fe310-g002", "fe310-g002"),
        ] {
            let chip = find(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
            assert_eq!(chip.name, meant, "{typed}");
            assert_eq!(chip.variant.name, variant, "{typed}");
        }
    }

    #[test]
    fn several_matches_are_listed() {
        match find("nRF52832") {
            Err(ChipError::Ambiguous { matches, .. }) => {
                assert_eq!(matches, ["nRF52832_xxAA", "nRF52832_xxAB"]);
            }
            other => panic!("{other:?}"),
        }
        match find("STM32F4") {
            Err(error @ ChipError::Ambiguous { .. }) => {
                assert!(error.to_string().contains("more"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(find(""), Err(ChipError::Ambiguous { .. })));
    }

    #[test]
    fn a_mistyped_name_gets_the_nearest_ones() {
        match find("STM32F450RG") {
            Err(ChipError::Unknown { nearest, .. }) => {
                assert_eq!(nearest.len(), 5);
                assert_eq!(nearest[0], "STM32F405RG");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_registry_lacks_is_refused_with_the_reason() {
        let error = find("ESP32-C3").unwrap_err();
        assert!(matches!(error, ChipError::Outside { .. }));
        assert!(error.to_string().contains("own format"), "{error}");
    }

    #[test]
    fn every_name_finds_itself_and_probe_rs_knows_it() {
        for chip in all() {
            let found = find(&chip.name).unwrap();
            assert_eq!(found.name, chip.name);
        }
        assert_eq!(find("rp2040").unwrap().target().unwrap().name, "RP2040");
    }
}
