//! probe-rs's registry of chips, with what is wrong in it put right before anybody reads it: plans are made of it, and probe-rs
//! flashes by it.
//!
//! - A program flash that reaches past the end of its flash algorithm ends there: probe-rs programs only flash that one algorithm
//!   covers, so it refuses the whole of such a region. Either the region is that of the largest chip of the family, or its
//!   end is another kind of flash, or it is flash that nobody here can program.
//! - [`PAGES`]: algorithms whose pages do not line up with the flash.
//! - [`WITHOUT_FLASH`]: chips with an algorithm for program flash that their memory map does not have.

use super::quirks;
use probe_rs::config::{
    Chip, ChipFamily, MemoryAccess, MemoryRange, MemoryRegion, NvmRegion, RawFlashAlgorithm,
    Registry,
};
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of a page of flash algorithms: the family, the algorithm and the bytes.
///
/// A page of 0x3000 bytes does not divide 0x0800_0000, where this flash begins, and probe-rs then erases a sector that belongs to
/// something else. The hardware's page is 0x2000 bytes (probe-rs issue 4183 and pull request 4187, which tried it on an EFR32MG24).
const PAGES: &[(&str, &str, u32)] = &[
    ("EFR32FG23 Series", "geckos2c3", 0x2000),
    ("EFR32MG24 Series", "geckos2c3", 0x2000),
];

/// Chips whose program flash is the range of their algorithm for address 0: Renesas RA2A1 hardware manual, and those of RA6E1 and
/// RA6M4 for chips that were set to dual mode, where the bank at address 0 starts.
const WITHOUT_FLASH: &str =
    "R7FA2A1AB R7FA6E10D_dual R7FA6E10F_dual R7FA6M4AD_dual R7FA6M4AE_dual R7FA6M4AF_dual";

/// Every chip that probe-rs has built in, put right.
#[must_use]
pub fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let mut registry = Registry::from_builtin_families();
        let families: Vec<_> = registry.families().iter().filter_map(put_right).collect();
        for family in families {
            // A family that is no longer sound stays as it was, which a test would see.
            let _ = registry.add_target_family(family);
        }
        registry
    });
    &REGISTRY
}

/// The family with nothing wrong in it; `None`: there is nothing.
fn put_right(family: &ChipFamily) -> Option<ChipFamily> {
    let mut right = family.clone();
    let mut changed = false;
    for (name, algorithm, bytes) in PAGES {
        if family.name == *name {
            for one in &mut right.flash_algorithms {
                if one.name == *algorithm {
                    one.flash_properties.page_size = *bytes;
                    changed = true;
                }
            }
        }
    }
    for variant in &mut right.variants {
        let ranges: Vec<_> = variant
            .flash_algorithms
            .iter()
            .filter_map(|name| family.get_algorithm(name))
            .map(range)
            .collect();
        if quirks::names(WITHOUT_FLASH, &variant.name)
            && let Some(range) = ranges.iter().find(|range| range.start == 0)
        {
            variant.memory_map.push(program_flash(variant, range));
            changed = true;
        }
        for region in &mut variant.memory_map {
            let MemoryRegion::Nvm(flash) = region else {
                continue;
            };
            if ranges
                .iter()
                .any(|range| range.contains_range(&flash.range))
            {
                continue;
            }
            // The longest: others are for parts of it.
            let end = ranges
                .iter()
                .filter(|range| range.start == flash.range.start)
                .map(|range| range.end)
                .max();
            if let Some(end) = end {
                flash.range.end = end;
                changed = true;
            }
        }
    }
    changed.then_some(right)
}

fn range(algorithm: &RawFlashAlgorithm) -> Range<u64> {
    algorithm.flash_properties.address_range.clone()
}

fn program_flash(chip: &Chip, range: &Range<u64>) -> MemoryRegion {
    MemoryRegion::Nvm(NvmRegion {
        name: Some("Flash".to_owned()),
        range: range.clone(),
        cores: chip.cores.iter().map(|core| core.name.clone()).collect(),
        is_alias: false,
        access: Some(MemoryAccess {
            write: false,
            boot: true,
            ..MemoryAccess::default()
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::super::quirks::names;
    use super::{PAGES, WITHOUT_FLASH, put_right, registry};
    use probe_rs::config::{MemoryRegion, Registry};

    #[test]
    fn what_was_wrong_is_right_and_nothing_else_changed() {
        let before = Registry::from_builtin_families();
        let after = registry();
        assert_eq!(before.families().len(), after.families().len());
        for family in before.families() {
            let now = after
                .families()
                .iter()
                .find(|now| now.name == family.name)
                .unwrap();
            let expected = put_right(family);
            assert_eq!(
                format!("{now:?}"),
                format!("{:?}", expected.as_ref().unwrap_or(family)),
                "{}",
                family.name
            );
            // Once is enough.
            if family
                .variants
                .iter()
                .all(|one| !names(WITHOUT_FLASH, &one.name))
            {
                let again = put_right(now).unwrap_or_else(|| now.clone());
                assert_eq!(format!("{again:?}"), format!("{now:?}"));
            }
        }
        // A later registry without these faults needs no row.
        for (name, algorithm, bytes) in PAGES {
            let family = before.families().iter().find(|one| one.name == *name);
            let algorithm = family.and_then(|family| family.get_algorithm(algorithm));
            assert_ne!(algorithm.unwrap().flash_properties.page_size, *bytes);
        }
        for variant in before.families().iter().flat_map(|family| &family.variants) {
            if names(WITHOUT_FLASH, &variant.name) {
                let mut flash = variant
                    .memory_map
                    .iter()
                    .filter_map(MemoryRegion::as_nvm_region);
                assert!(
                    flash.all(|region| region.range.start != 0),
                    "{}",
                    variant.name
                );
            }
        }
    }

    #[test]
    fn flash_ends_where_its_algorithm_does() {
        for (name, start, end) in [
            // 32 KiB; the region was that of the chip with 128.
            ("R7FA2E1A5", 0, 0x8000),
            // Behind the program flash is the information memory.
            ("MSP432P4111", 0, 0x20_0000),
            ("EFM32PG26B301F2048IL136", 0x0800_0000, 0x081e_0000),
            ("R7FA2A1AB", 0, 0x4_0000),
            ("R7FA6M4AE_dual", 0, 0x6_0000),
        ] {
            let target = registry().get_target_by_name(name).unwrap();
            assert!(
                target
                    .memory_map
                    .iter()
                    .filter_map(MemoryRegion::as_nvm_region)
                    .any(|region| region.range == (start..end)),
                "{name}"
            );
        }
    }
}
