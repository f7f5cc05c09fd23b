//! What flashing an image would do to a chip, worked out without one.
//!
//! The rules are those of probe-rs: a sector is erased when the image has a byte in it, a page is programmed when the image
//! has a byte in it, and what the image leaves out of a page is programmed as erased.

use super::error::ChipError;
use ember_deploy::chip::{Boot, Plan};
use ember_deploy::image::Segment;
use serde::Serialize;
use std::collections::BTreeSet;

/// Bytes of an RP2040's boot loader that its checksum is over.
const RP2040_CHECKED_BYTES: usize = 252;
/// Where an RP2350 looks for an image definition.
const RP2350_SEARCHED_BYTES: usize = 4096;
/// The first and the last word of an RP2350's image definition.
const RP2350_MARKERS: [u32; 2] = [0xFFFF_DED3, 0xAB12_3579];
/// Words of an LPC's vector table that add up to 0.
const LPC_WORDS: usize = 8;

/// What flashing an image would do to a chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlashPlan {
    /// The chip's name.
    pub chip: String,
    /// What the image brings, in the order of addresses.
    pub parts: Vec<Span>,
    /// What is erased, in the order of addresses.
    pub sectors: Vec<Span>,
    /// The first addresses of the pages that are programmed, in ascending order.
    pub pages: Vec<u32>,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// Bytes of the image.
    pub image_bytes: u64,
    /// Bytes that are erased.
    pub erased_bytes: u64,
    /// Bytes that are programmed, the filling of pages among them.
    pub programmed_bytes: u64,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First address.
    pub address: u32,
    /// Bytes.
    pub bytes: u32,
}

/// What flashing an image of these segments, in any order, would do to the chip of `plan`.
///
/// # Errors
/// [`ChipError::OutsideFlash`], [`ChipError::Overlap`], [`ChipError::Reserved`] when the image would put other bytes than it
/// may into a reserved range, also by erasing its sector, and [`ChipError::NoStart`].
pub fn flash_plan(plan: &Plan, segments: &[Segment]) -> Result<FlashPlan, ChipError> {
    let mut segments: Vec<_> = segments
        .iter()
        .filter(|segment| !segment.bytes.is_empty())
        .collect();
    segments.sort_by_key(|segment| segment.address);
    for segment in &segments {
        if !plan
            .flash
            .contains(segment.address.into(), segment.bytes.len() as u64)
        {
            return Err(ChipError::OutsideFlash {
                chip: plan.name.clone(),
                address: segment.address,
                bytes: segment.bytes.len(),
                origin: plan.flash.origin,
                end: plan.flash.end(),
            });
        }
    }
    for pair in segments.windows(2) {
        if u64::from(pair[0].address) + pair[0].bytes.len() as u64 > u64::from(pair[1].address) {
            return Err(ChipError::Overlap {
                chip: plan.name.clone(),
                address: pair[1].address,
            });
        }
    }
    let bytes = Bytes {
        segments: &segments,
    };

    let sectors: Vec<_> = plan
        .sectors()
        .filter(|sector| bytes.any_in(sector.origin.into(), sector.end()))
        .map(|sector| Span {
            address: sector.origin,
            bytes: sector.length,
        })
        .collect();
    check_reserved(plan, &bytes, &sectors)?;
    if sectors
        .first()
        .is_some_and(|sector| sector.address == plan.flash.origin)
    {
        check_start(plan, &bytes).map_err(|problem| ChipError::NoStart {
            chip: plan.name.clone(),
            problem,
        })?;
    }

    let pages: BTreeSet<u32> = segments
        .iter()
        .flat_map(|segment| {
            let first = segment.address / plan.page_bytes;
            let last = (segment.address + (segment.bytes.len() as u32 - 1)) / plan.page_bytes;
            (first..=last).map(|page| page * plan.page_bytes)
        })
        .collect();
    Ok(FlashPlan {
        chip: plan.name.clone(),
        parts: segments
            .iter()
            .map(|segment| Span {
                address: segment.address,
                bytes: segment.bytes.len() as u32,
            })
            .collect(),
        erased_bytes: sectors.iter().map(|sector| u64::from(sector.bytes)).sum(),
        programmed_bytes: pages.len() as u64 * u64::from(plan.page_bytes),
        image_bytes: segments
            .iter()
            .map(|segment| segment.bytes.len() as u64)
            .sum(),
        page_bytes: plan.page_bytes,
        pages: pages.into_iter().collect(),
        sectors,
    })
}

/// An image by addresses: in ascending order, nothing twice.
struct Bytes<'a> {
    segments: &'a [&'a Segment],
}

impl Bytes<'_> {
    fn at(&self, address: u32) -> Option<u8> {
        let after = self
            .segments
            .partition_point(|segment| segment.address <= address);
        let segment = self.segments[..after].last()?;
        segment
            .bytes
            .get((address - segment.address) as usize)
            .copied()
    }

    fn any_in(&self, start: u64, end: u64) -> bool {
        let before_end = self
            .segments
            .partition_point(|segment| u64::from(segment.address) < end);
        self.segments[..before_end]
            .last()
            .is_some_and(|segment| u64::from(segment.address) + segment.bytes.len() as u64 > start)
    }

    /// The words from `address` on, as many as there are without a gap, at most `count`.
    fn words(&self, address: u32, count: usize) -> Vec<u32> {
        (0..count as u32)
            .map_while(|index| {
                let at = address + 4 * index;
                Some(u32::from_le_bytes([
                    self.at(at)?,
                    self.at(at + 1)?,
                    self.at(at + 2)?,
                    self.at(at + 3)?,
                ]))
            })
            .collect()
    }
}

fn check_reserved(plan: &Plan, bytes: &Bytes<'_>, sectors: &[Span]) -> Result<(), ChipError> {
    for reserved in &plan.reserved {
        let erased = sectors.iter().any(|sector| {
            u64::from(sector.address) < reserved.region.end()
                && u64::from(reserved.region.origin)
                    < u64::from(sector.address) + u64::from(sector.bytes)
        });
        if !erased {
            continue;
        }
        for offset in 0..reserved.region.length {
            let address = reserved.region.origin + offset;
            let actual = bytes.at(address);
            let demanded = reserved
                .bytes
                .as_ref()
                .and_then(|bytes| bytes.get(offset as usize))
                .copied();
            let right = match demanded {
                Some(byte) => actual == Some(byte),
                None => actual.is_none_or(|byte| byte == plan.erased_byte),
            };
            if !right {
                return Err(ChipError::Reserved {
                    chip: plan.name.clone(),
                    address,
                    expected: demanded.unwrap_or(plan.erased_byte),
                    actual,
                    what: reserved.what.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Whether the chip would start what the image has at the start of flash.
fn check_start(plan: &Plan, bytes: &Bytes<'_>) -> Result<(), &'static str> {
    let origin = plan.flash.origin;
    if bytes.at(origin).is_none() {
        return Err("it erases the first sector and has nothing for the start of flash");
    }
    match plan.boot {
        Boot::Plain => Ok(()),
        Boot::LpcChecksum => {
            let words = bytes.words(origin, LPC_WORDS);
            let sum = words.iter().fold(0u32, |sum, word| sum.wrapping_add(*word));
            if words.len() == LPC_WORDS && sum == 0 {
                Ok(())
            } else {
                Err("the first eight words of its vector table do not add up to 0")
            }
        }
        Boot::Rp2040 => {
            let loader: Vec<_> = (0..RP2040_CHECKED_BYTES as u32)
                .map_while(|offset| bytes.at(origin + offset))
                .collect();
            let stored = bytes.words(origin + RP2040_CHECKED_BYTES as u32, 1);
            if loader.len() == RP2040_CHECKED_BYTES && stored == [rp2040_checksum(&loader)] {
                Ok(())
            } else {
                Err("its first 256 bytes are no boot loader with the right checksum")
            }
        }
        Boot::Rp2350 => {
            let words = bytes.words(origin, RP2350_SEARCHED_BYTES / 4);
            let first = words.iter().position(|&word| word == RP2350_MARKERS[0]);
            match first {
                Some(first) if words[first..].contains(&RP2350_MARKERS[1]) => Ok(()),
                _ => Err("its first 4 KiB have no image definition"),
            }
        }
    }
}

/// The CRC-32 of RP2040's boot ROM: polynomial 0x04C11DB7, from the highest bit down, start value all ones, not inverted at
/// the end (RP2040 datasheet, 2.8.1.3.1).
fn rp2040_checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            let shifted = crc << 1;
            if crc >> 31 == 1 {
                shifted ^ 0x04C1_1DB7
            } else {
                shifted
            }
        })
    })
}

#[cfg(test)]
mod tests;
