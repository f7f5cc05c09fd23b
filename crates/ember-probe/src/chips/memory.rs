//! Which flash and which RAM of a chip a firmware is built for, by the registry's memory map and flash algorithms.
//!
//! **Flash**: a region that is no alias, that the first core may execute from, and that lies wholly inside the range of one
//! flash algorithm, because probe-rs programs no other. Among several the one that the chip boots from, else the lowest.
//! Regions that follow it without a gap are added on chips with one core; on others a second core may start from them.
//! Where a row says which part of the flash it is, only regions in there are looked at, aliases among them.
//!
//! **RAM**: regions that the first core may read and write, joined where they touch, but never across 0x2000_0000: there the
//! bus changes, and unaligned accesses across it are unpredictable (Cortex-M3 TRM, ARM DDI 0337, "unaligned accesses that
//! cross regions"). Among several the largest
//! one from 0x2000_0000 to 0x4000_0000, else the largest.
//!
//! **Sectors**: what is erased at once is the algorithm's sector, but where a page that is programmed at once reaches into
//! more than one sector, probe-rs erases and fills all of them: then it is as many sectors as whole pages fill.

use super::error::{ChipRefusal, Refusal};
use super::lookup::Chip;
use ember_deploy::chip::Sectors;
use ember_deploy::machine::Region;
use probe_rs::config::{FlashProperties, MemoryRange, MemoryRegion, RawFlashAlgorithm};
use std::ops::Range;

/// Where the code bus of a Cortex-M ends and its system bus begins.
const BUS_BOUNDARY: u64 = 0x2000_0000;
/// Where the addresses end that Arm's memory map has for RAM on the chip.
const RAM_END: u64 = 0x4000_0000;
/// RAM begins and ends at a multiple of this, which is RISC-V's alignment of the stack and a multiple of Arm's.
const STACK_ALIGNMENT: u64 = 16;

const fn refused(kind: Refusal, reason: &'static str) -> ChipRefusal {
    ChipRefusal {
        kind,
        reason,
        citation: "the registry of probe-rs",
    }
}

const NO_FLASH: ChipRefusal = refused(
    Refusal::NoFlash,
    "its memory map has no flash that the first core can run a program from",
);
/// For a chip whose RAM the first core cannot write.
pub(super) const NO_RAM: ChipRefusal = refused(
    Refusal::NoFlash,
    "its memory map has no RAM that the first core can write",
);
const NOT_COVERED: ChipRefusal = refused(
    Refusal::NoAlgorithm,
    "no flash algorithm covers all of its program flash",
);
const NOT_ALIGNED: ChipRefusal = refused(
    Refusal::NoAlgorithm,
    "the pages and sectors of its flash algorithm do not line up, so that writing one part of the flash would erase \
     another",
);

/// The flash of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flash {
    pub(super) region: Region,
    pub(super) sectors: Vec<Sectors>,
    pub(super) page_bytes: u32,
    pub(super) erased_byte: u8,
}

/// The flash that the first core starts from, cut to `within` where that is given.
///
/// # Errors
/// The reason for which probe-rs cannot program it.
pub(super) fn flash(chip: &Chip, within: Option<Region>) -> Result<Flash, ChipRefusal> {
    let core = &chip.variant.cores[0].name;
    let mut regions: Vec<_> = chip
        .variant
        .memory_map
        .iter()
        .filter_map(MemoryRegion::as_nvm_region)
        .filter(|region| region.is_executable() && region.accessible_by(core))
        .filter(|region| match within {
            Some(within) => {
                region.range.start < within.end() && u64::from(within.origin) < region.range.end
            }
            None => !region.is_alias,
        })
        .collect();
    regions.sort_by_key(|region| (!region.is_boot_memory(), region.range.start));
    if regions.is_empty() {
        return Err(NO_FLASH);
    }
    let (best, algorithm) = regions
        .iter()
        .enumerate()
        .find_map(|(index, region)| Some((index, algorithm(chip, &region.range)?)))
        .ok_or(NOT_COVERED)?;
    let properties = &algorithm.flash_properties;
    let mut range = regions[best].range.clone();
    if chip.variant.cores.len() == 1 {
        for next in &regions[best + 1..] {
            let borders = next.range.start == range.end
                && next.is_boot_memory() == regions[best].is_boot_memory();
            if !borders || sectors(properties, &next.range).is_none() {
                break;
            }
            let both = range.start..next.range.end;
            if algorithm_name(chip, &next.range).as_ref() != Some(&algorithm.name)
                || algorithm_name(chip, &both).as_ref() != Some(&algorithm.name)
            {
                break;
            }
            range = both;
        }
    }
    if let Some(within) = within {
        range.start = range.start.max(within.origin.into());
        range.end = range.end.min(within.end());
    }
    let sectors = sectors(properties, &range).ok_or(NOT_ALIGNED)?;
    let (first, last) = (sectors[0], sectors[sectors.len() - 1]);
    Ok(Flash {
        region: Region {
            origin: first.origin,
            length: last.origin - first.origin + last.bytes * last.count,
        },
        sectors,
        page_bytes: properties.page_size,
        erased_byte: properties.erased_byte_value,
    })
}

/// The memory for variables, cut to `within` where that is given; `None`: there is none.
pub(super) fn ram(chip: &Chip, within: Option<Region>) -> Option<Region> {
    let core = &chip.variant.cores[0].name;
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for region in chip
        .variant
        .memory_map
        .iter()
        .filter_map(MemoryRegion::as_ram_region)
        .filter(|region| region.is_readable() && region.is_writable() && region.accessible_by(core))
    {
        let Range { start, end } = region.range;
        if start < BUS_BOUNDARY && BUS_BOUNDARY < end {
            ranges.extend([start..BUS_BOUNDARY, BUS_BOUNDARY..end]);
        } else {
            ranges.push(start..end);
        }
    }
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end && range.start != BUS_BOUNDARY => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
        .into_iter()
        .map(|range| match within {
            Some(within) => range.start.max(within.origin.into())..range.end.min(within.end()),
            None => range,
        })
        .filter_map(|Range { start, end }| {
            let start = start.next_multiple_of(STACK_ALIGNMENT);
            let length = end.checked_sub(start)? / STACK_ALIGNMENT * STACK_ALIGNMENT;
            let region = Region {
                origin: start.try_into().ok()?,
                length: length.try_into().ok()?,
            };
            (length > 0).then_some(region)
        })
        // Of several that are equally large the lowest: the others are its aliases.
        .max_by_key(|region| {
            let preferred = (BUS_BOUNDARY..RAM_END).contains(&region.origin.into());
            (preferred, region.length, std::cmp::Reverse(region.origin))
        })
}

/// The flash algorithm that probe-rs uses for a range of flash: the only one, or the only default one.
fn algorithm(chip: &Chip, range: &Range<u64>) -> Option<RawFlashAlgorithm> {
    let core = &chip.variant.cores[0].name;
    let mut fitting: Vec<_> = chip
        .variant
        .flash_algorithms
        .iter()
        .filter_map(|name| chip.family.get_algorithm_for_chip(name, chip.variant))
        .filter(|algorithm| {
            algorithm
                .flash_properties
                .address_range
                .contains_range(range)
                && (algorithm.cores.is_empty() || algorithm.cores.contains(core))
        })
        .collect();
    if fitting.len() > 1 {
        fitting.retain(|algorithm| algorithm.default);
    }
    if fitting.len() == 1 {
        fitting.pop()
    } else {
        None
    }
}

fn algorithm_name(chip: &Chip, range: &Range<u64>) -> Option<String> {
    algorithm(chip, range).map(|algorithm| algorithm.name)
}

/// What of `range` is erased at once, from its first byte on; `None` when its first byte is not the first of such a unit.
fn sectors(properties: &FlashProperties, range: &Range<u64>) -> Option<Vec<Sectors>> {
    let base = properties.address_range.start;
    let page = u64::from(properties.page_size);
    // probe-rs counts pages from address 0 in one place and from the flash's first address in another.
    if page == 0 || !base.is_multiple_of(page) {
        return None;
    }
    let mut next = range.start;
    let mut runs = Vec::new();
    for (index, description) in properties.sectors.iter().enumerate() {
        let start = base + description.address;
        let end = properties
            .sectors
            .get(index + 1)
            .map_or(properties.address_range.end, |later| base + later.address)
            .min(range.end);
        if end <= next {
            continue;
        }
        let unit = least_common_multiple(description.size, page)?;
        if next < start
            || !(next - start).is_multiple_of(description.size)
            || !next.is_multiple_of(page)
        {
            break;
        }
        let count = (end - next) / unit;
        if count == 0 {
            break;
        }
        runs.push(Sectors {
            origin: next.try_into().ok()?,
            bytes: unit.try_into().ok()?,
            count: count.try_into().ok()?,
        });
        next += unit * count;
    }
    let in_addresses = u32::try_from(next.checked_sub(1)?).is_ok();
    (!runs.is_empty() && in_addresses).then_some(runs)
}

fn least_common_multiple(a: u64, b: u64) -> Option<u64> {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1))
        .checked_mul(b)
        .filter(|&multiple| multiple > 0)
}

#[cfg(test)]
mod tests {
    use super::{NO_FLASH, NOT_ALIGNED, NOT_COVERED};
    use super::{flash, ram};
    use crate::chips::find;
    use ember_deploy::machine::Region;

    fn region(origin: u32, length: u32) -> Region {
        Region { origin, length }
    }

    #[test]
    fn uneven_sectors_are_runs() {
        let flash = flash(&find("STM32F405RG").unwrap(), None).unwrap();
        assert_eq!(flash.region, region(0x0800_0000, 0x10_0000));
        let runs: Vec<_> = flash
            .sectors
            .iter()
            .map(|run| (run.origin, run.bytes, run.count))
            .collect();
        assert_eq!(
            runs,
            [
                (0x0800_0000, 0x4000, 4),
                (0x0801_0000, 0x1_0000, 1),
                (0x0802_0000, 0x2_0000, 7)
            ]
        );
    }

    #[test]
    fn a_page_of_several_sectors_is_erased_as_one() {
        // Sectors of 128 bytes, pages of 1,024.
        let flash = flash(&find("STM32L051C8").unwrap(), None).unwrap();
        assert_eq!((flash.sectors[0].bytes, flash.sectors[0].count), (1024, 64));
    }

    #[test]
    fn banks_are_joined_on_one_core_only() {
        let two_banks = flash(&find("STM32F427AI").unwrap(), None).unwrap();
        assert_eq!(two_banks.region, region(0x0800_0000, 0x20_0000));
        let two_cores = flash(&find("STM32H745BI").unwrap(), None).unwrap();
        assert_eq!(two_cores.region, region(0x0800_0000, 0x10_0000));
    }

    #[test]
    fn what_no_algorithm_covers_is_no_flash() {
        assert_eq!(flash(&find("Cortex-M4").unwrap(), None), Err(NO_FLASH));
        assert_eq!(flash(&find("STM32WLE5C8").unwrap(), None), Err(NOT_COVERED));
        // Flash that begins in the middle of a sector.
        let chip = find("STM32F405RG").unwrap();
        let askew = region(0x0800_2000, 0x2000);
        assert_eq!(flash(&chip, Some(askew)), Err(NOT_ALIGNED));
    }

    #[test]
    fn ram_is_joined_but_not_across_the_buses() {
        let of = |name| ram(&find(name).unwrap(), None).unwrap();
        assert_eq!(of("STM32F205RG"), region(0x2000_0000, 0x2_0000));
        assert_eq!(of("S32K148HAxxxLQx"), region(0x2000_0000, 0x1_f000));
        assert_eq!(of("XMC4800-E196x1024"), region(0x2000_0000, 0x1_ffc0));
        assert_eq!(of("nRF52840_xxAA"), region(0x2000_0000, 0x4_0000));
        assert_eq!(of("STM32H745BI"), region(0x2400_0000, 0x8_0000));
        assert_eq!(of("fe310-g002"), region(0x8000_0000, 0x4000));
    }
}
