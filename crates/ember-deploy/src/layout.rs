//! Where the firmware and its models lie in a chip's flash.
//!
//! The firmware is at the beginning, then come one or two slots for models. Every part begins and ends between two sectors,
//! so that each can be erased and written without the others, and none has a byte that is reserved.

use crate::chip::Plan;
use crate::error::DeployError;
use crate::firmware::Target;
use crate::machine::Region;
use ember_slot::HEADER_BYTES;
use serde::{Deserialize, Serialize};

/// The parts of a chip's flash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// For the firmware, from the first byte of the flash on.
    pub code: Region,
    /// For models, in the order of addresses: two where both have room for the model, else one.
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
        let no_room = |code_end: u64| DeployError::NoRoom {
            chip: plan.name.clone(),
            memory: "flash",
            needed: code_end - u64::from(plan.flash.origin) + need,
            available: u64::from(plan.flash.length),
        };
        let code_end = Target::first_code(plan) + u64::from(code_bytes);
        let code = plan
            .sectors()
            .find(|sector| sector.end() >= code_end)
            .map(|last| Region {
                origin: plan.flash.origin,
                length: (last.end() - u64::from(plan.flash.origin)) as u32,
            })
            .ok_or_else(|| no_room(code_end))?;
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
            .filter(|run| u64::from(run.length) >= need)
            .ok_or_else(|| no_room(code.end()))?;
        Ok(Self {
            code,
            slots: vec![longest],
        })
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
    use super::Layout;
    use crate::chip::{Boot, Core, Plan, Reserved, Sectors};
    use crate::error::DeployError;
    use crate::machine::Region;

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
}
