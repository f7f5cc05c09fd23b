//! Where the firmware and its models lie in a chip's flash.
//!
//! The firmware is at the beginning, then come one or two slots for models. Every part begins and ends between two sectors,
//! so that each can be erased and written without the others, and none has a byte that is reserved.

use crate::chip::Plan;
use crate::error::DeployError;
use crate::firmware::Target;
use crate::image::Segment;
use crate::machine::Region;
use ember_slot::HEADER_BYTES;
use ember_slot::write::SlotImage;
use serde::{Deserialize, Serialize};

/// The parts of a chip's flash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// For the firmware, from the first byte of the flash on.
    pub code: Region,
    /// For models, in the order of addresses: two where both have room for the model, else one; none where the model is part of
    /// the firmware.
    pub slots: Vec<Region>,
}

impl Layout {
    /// Divides the flash of a chip between a firmware of `code_bytes`, all that is linked but a model, and models of
    /// `model_bytes` or more: the slots share what the firmware leaves, as evenly as the sectors allow.
    ///
    /// # Errors
    /// [`DeployError::NoRoom`] when there is no room for even one slot.
    pub fn new(plan: &Plan, code_bytes: u32, model_bytes: u32) -> Result<Self, DeployError> {
        let need = u64::from(model_bytes) + HEADER_BYTES as u64;
        let start = u64::from(plan.flash.origin);
        // `end` is where the code ends, `free` what a slot can have at most behind it.
        let no_room = |end: u64, free: u64| DeployError::NoRoom {
            chip: plan.name.clone(),
            memory: "flash",
            needed: end - start + need,
            available: end.min(plan.flash.end()) - start + free,
        };
        let code = code(plan, code_bytes).map_err(|end| no_room(end, 0))?;
        let runs = free_runs(plan, code.end());
        let (first, second) = fairest_pair(&runs);
        if u64::from(second.length) >= need {
            let mut slots = vec![first, second];
            slots.sort_by_key(|slot| slot.origin);
            return Ok(Self { code, slots });
        }
        let longest = runs
            .iter()
            .map(|run| joined(run))
            .max_by_key(|run| run.length)
            .unwrap_or(joined(&[]));
        if u64::from(longest.length) < need {
            return Err(no_room(code.end(), longest.length.into()));
        }
        Ok(Self {
            code,
            slots: vec![longest],
        })
    }
}

impl Layout {
    /// A firmware of `bytes` with its model in it, and no slots.
    ///
    /// # Errors
    /// [`DeployError::NoRoom`] when the flash is smaller.
    pub fn linked(plan: &Plan, bytes: u32) -> Result<Self, DeployError> {
        let code = code(plan, bytes).map_err(|end| DeployError::NoRoom {
            chip: plan.name.clone(),
            memory: "flash",
            needed: end - u64::from(plan.flash.origin),
            available: plan.flash.length.into(),
        })?;
        Ok(Self {
            code,
            slots: Vec::new(),
        })
    }

    /// What is written beside the firmware so that its slots hold this model and no other: the first slot gets it, and the
    /// others something that is no header. Without that, a model from an earlier life of the chip could have a greater
    /// sequence, and run.
    #[must_use]
    pub fn fill(&self, plan: &Plan, model: &SlotImage) -> Vec<Segment> {
        // Not what erased flash reads as: a flash tool may leave that out, and the sector as it is.
        let nothing = vec![!plan.erased_byte; HEADER_BYTES];
        let contents = std::iter::once(model.bytes().to_vec()).chain(std::iter::repeat(nothing));
        self.slots
            .iter()
            .zip(contents)
            .map(|(slot, bytes)| Segment {
                address: slot.origin,
                bytes,
            })
            .collect()
    }
}

/// The sectors from the flash's first on that hold `bytes` of code; where they would end when there are too few.
fn code(plan: &Plan, bytes: u32) -> Result<Region, u64> {
    let end = Target::first_code(plan) + u64::from(bytes);
    let last = plan.sectors().find(|sector| sector.end() >= end);
    last.map(|last| Region {
        origin: plan.flash.origin,
        length: (last.end() - u64::from(plan.flash.origin)) as u32,
    })
    .ok_or(end)
}

/// Bytes of stack that a firmware with a public key needs, whatever its model: verifying the signature is deeper than an
/// inference. Measured: 3,468 on Cortex-M0, 3,424 on Cortex-M3 and M4, 3,388 on RISC-V.
pub const SIGNED_STACK_BYTES: u32 = 3_584;

/// What a firmware and a model take of a chip, before either is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Bytes of everything that is linked but a model.
    pub code_bytes: u32,
    /// Bytes of the model's file.
    pub model_bytes: u32,
    /// Bytes of the arena.
    pub arena_bytes: u32,
    /// Bytes of all other variables, such as RTT's buffers.
    pub static_bytes: u32,
    /// Bytes of the deepest stack.
    pub stack_bytes: u32,
}

/// Whether something fits: what it takes, and what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Bytes that are needed.
    pub needed: u64,
    /// Bytes that there are.
    pub available: u64,
}

impl Budget {
    /// Whether there are enough.
    #[must_use]
    pub const fn fits(self) -> bool {
        self.needed <= self.available
    }
}

/// Whether a firmware and a model fit a chip, with the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// Code to the end of its last sector, header and model, once; and the flash that can be had for them.
    pub flash: Budget,
    /// Arena, other variables and stack.
    pub ram: Budget,
    /// Where everything would be; `None` where the flash has no room for it.
    pub layout: Option<Layout>,
}

impl Fit {
    /// Compares what is needed with what the chip has, the model in a slot.
    #[must_use]
    pub fn new(plan: &Plan, need: &Need) -> Self {
        let layout = Layout::new(plan, need.code_bytes, need.model_bytes);
        let slot = HEADER_BYTES as u64 + u64::from(need.model_bytes);
        Self::of(plan, need, layout, slot)
    }

    /// Compares what is needed with what the chip has, the model a part of the firmware.
    #[must_use]
    pub fn linked(plan: &Plan, need: &Need) -> Self {
        let layout = Layout::linked(plan, need.code_bytes + need.model_bytes);
        Self::of(plan, need, layout, 0)
    }

    fn of(plan: &Plan, need: &Need, layout: Result<Layout, DeployError>, slot: u64) -> Self {
        let ram = [need.arena_bytes, need.static_bytes, need.stack_bytes];
        let flash = match &layout {
            Ok(layout) => Budget {
                needed: u64::from(layout.code.length) + slot,
                available: plan.flash.length.into(),
            },
            Err(DeployError::NoRoom {
                needed, available, ..
            }) => Budget {
                needed: *needed,
                available: *available,
            },
            // It has no other error.
            Err(_) => Budget {
                needed: u64::MAX,
                available: plan.flash.length.into(),
            },
        };
        Self {
            flash,
            ram: Budget {
                needed: ram.into_iter().map(u64::from).sum(),
                available: plan.ram.length.into(),
            },
            layout: layout.ok(),
        }
    }

    /// Whether the firmware runs there with the model.
    #[must_use]
    pub const fn fits(&self) -> bool {
        self.layout.is_some() && self.ram.fits()
    }
}

/// The sectors from `start` on, without those that have a reserved byte: runs of neighbours.
fn free_runs(plan: &Plan, start: u64) -> Vec<Vec<Region>> {
    let is_reserved = |sector: &Region| {
        plan.reserved.iter().any(|reserved| {
            u64::from(reserved.region.origin) < sector.end()
                && u64::from(sector.origin) < reserved.region.end()
        })
    };
    let mut runs: Vec<Vec<Region>> = Vec::new();
    for sector in plan
        .sectors()
        .filter(|sector| u64::from(sector.origin) >= start)
    {
        if is_reserved(&sector) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if joined(run).end() == u64::from(sector.origin) => run.push(sector),
            _ => runs.push(vec![sector]),
        }
    }
    runs
}

/// Neighbouring sectors as one region.
fn joined(sectors: &[Region]) -> Region {
    Region {
        origin: sectors.first().map_or(0, |sector| sector.origin),
        length: sectors.iter().map(|sector| sector.length).sum(),
    }
}

/// The two parts of the free flash of which the smaller is as large as can be; the larger first. Empty where there are no
/// two.
fn fairest_pair(runs: &[Vec<Region>]) -> (Region, Region) {
    let halves = runs
        .iter()
        .flat_map(|run| (1..run.len()).map(|at| (joined(&run[..at]), joined(&run[at..]))));
    let wholes = runs.iter().enumerate().flat_map(|(index, first)| {
        runs[index + 1..]
            .iter()
            .map(|second| (joined(first), joined(second)))
    });
    halves
        .chain(wholes)
        .map(|(a, b)| if a.length < b.length { (b, a) } else { (a, b) })
        // Of equal ones the first: the choice must not depend on anything but the chip.
        .reduce(|best, next| {
            if next.1.length > best.1.length {
                next
            } else {
                best
            }
        })
        .unwrap_or((joined(&[]), joined(&[])))
}

#[cfg(test)]
mod tests {
    use super::{Fit, Layout, Need};
    use crate::chip::{Boot, Core, Plan, Reserved, Sectors};
    use crate::error::DeployError;
    use crate::machine::Region;
    use ember_slot::candidates;
    use ember_slot::write::SlotImage;

    fn plan(runs: &[(u32, u32)]) -> Plan {
        let origin = 0x0800_0000;
        let mut sectors = Vec::new();
        let mut next = origin;
        for &(bytes, count) in runs {
            sectors.push(Sectors {
                origin: next,
                bytes,
                count,
            });
            next += bytes * count;
        }
        Plan {
            name: "test".into(),
            family: "test".into(),
            core: Core::Armv7m,
            flash: Region {
                origin,
                length: next - origin,
            },
            sectors,
            page_bytes: 256,
            erased_byte: 0xff,
            ram: Region {
                origin: 0x2000_0000,
                length: 0x5000,
            },
            boot: Boot::Plain,
            reserved: Vec::new(),
            start: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn lengths(layout: &Layout) -> (u32, Vec<u32>) {
        let slots = layout.slots.iter().map(|slot| slot.length).collect();
        (layout.code.length, slots)
    }

    #[test]
    fn even_sectors_are_shared_evenly() {
        let layout = Layout::new(&plan(&[(0x400, 256)]), 24_000, 25_000).unwrap();
        assert_eq!(lengths(&layout), (0x6000, vec![0x1_d000, 0x1_d000]));
        assert_eq!(layout.slots[0].origin, 0x0800_6000);
        assert_eq!(layout.slots[1].origin, 0x0802_3000);
    }

    #[test]
    fn uneven_sectors_are_not_cut() {
        // The first sectors of an STM32F4 with 1 MiB: 4 × 16 KiB, 64 KiB, 7 × 128 KiB.
        let plan = plan(&[(0x4000, 4), (0x1_0000, 1), (0x2_0000, 7)]);
        let layout = Layout::new(&plan, 24_000, 25_000).unwrap();
        assert_eq!(lengths(&layout), (0x8000, vec![0x7_8000, 0x8_0000]));
        let all = layout.code.length + layout.slots.iter().map(|slot| slot.length).sum::<u32>();
        assert_eq!(all, plan.flash.length);
    }

    #[test]
    fn one_slot_where_two_have_no_room() {
        let layout = Layout::new(&plan(&[(0x400, 64)]), 24_000, 25_000).unwrap();
        assert_eq!(lengths(&layout), (0x6000, vec![0xa000]));
        match Layout::new(&plan(&[(0x400, 32)]), 24_000, 25_000) {
            Err(DeployError::NoRoom {
                needed, available, ..
            }) => assert_eq!((needed, available), (0x6000 + 25_128, 0x8000)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reserved_bytes_are_in_no_slot_and_before_the_code() {
        let mut plan = plan(&[(0x1000, 64)]);
        let reserved = |offset: u32, length| Reserved {
            region: Region {
                origin: plan.flash.origin + offset,
                length,
            },
            bytes: None,
            what: "test".into(),
        };
        let (low, high) = (reserved(0x400, 0x10), reserved(0x3_ffe0, 0x20));
        plan.reserved = vec![low, high];
        let layout = Layout::new(&plan, 0x2000, 25_000).unwrap();
        // 0x410 bytes are lost in front of the code, and the last sector.
        assert_eq!(lengths(&layout), (0x3000, vec![0x1_e000, 0x1_e000]));
        assert_eq!(layout.slots[1].end(), 0x0803_f000);
    }

    #[test]
    fn a_chip_holds_one_model_and_nothing_of_its_earlier_life() {
        let plan = plan(&[(0x400, 256)]);
        let layout = Layout::new(&plan, 24_000, 2000).unwrap();
        let model = SlotImage::new(&[5; 2000], 1, 1, None).unwrap();
        // Every slot held a newer model.
        let newer = SlotImage::new(&[6; 2000], 9, 1, None).unwrap();
        let mut slots = vec![newer.bytes().to_vec(); layout.slots.len()];
        for segment in layout.fill(&plan, &model) {
            let index = layout
                .slots
                .iter()
                .position(|slot| slot.origin == segment.address)
                .unwrap();
            slots[index][..segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        let all: Vec<_> = candidates([&slots[0][..], &slots[1][..]], None).collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].index, all[0].slot.header.sequence), (0, 1));
    }

    #[test]
    fn a_model_in_the_firmware_needs_no_slot() {
        let plan = plan(&[(1024, 32)]);
        let layout = Layout::linked(&plan, 30_000).unwrap();
        assert_eq!(layout.code.length, 30 * 1024);
        assert!(layout.slots.is_empty());
        let need = Need {
            code_bytes: 10_000,
            model_bytes: 22_700,
            arena_bytes: 1000,
            static_bytes: 100,
            stack_bytes: 500,
        };
        assert!(Fit::linked(&plan, &need).layout.is_some());
        assert!(Fit::new(&plan, &need).layout.is_none());
        let error = Layout::linked(&plan, 33_000).unwrap_err();
        assert!(
            matches!(
                error,
                DeployError::NoRoom {
                    available: 32_768,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn what_does_not_fit_says_by_how_much() {
        // 256 KiB of flash, 20 KiB of RAM.
        let plan = plan(&[(0x400, 256)]);
        let need = Need {
            code_bytes: 24_000,
            model_bytes: 25_000,
            arena_bytes: 16_000,
            static_bytes: 600,
            stack_bytes: 2000,
        };
        let fit = Fit::new(&plan, &need);
        assert!(fit.fits());
        assert_eq!((fit.ram.needed, fit.ram.available), (18_600, 0x5000));
        assert_eq!(
            (fit.flash.needed, fit.flash.available),
            (0x6000 + 25_128, 0x4_0000)
        );
        let wide = Need {
            arena_bytes: 18_000,
            ..need
        };
        let fit = Fit::new(&plan, &wide);
        assert!(!fit.fits() && !fit.ram.fits() && fit.flash.fits());
        let long = Need {
            model_bytes: 300_000,
            ..need
        };
        let fit = Fit::new(&plan, &long);
        assert!(!fit.fits() && fit.ram.fits() && !fit.flash.fits());
        assert_eq!((fit.flash.needed, fit.layout), (0x6000 + 300_128, None));
    }
}
