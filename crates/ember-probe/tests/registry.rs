//! Flashing every supported chip with a Cortex-M, each simulated by its own memory map and flash algorithm.

mod support;

use ember_deploy::chip::Plan;
use ember_deploy::image::Segment;
use ember_probe::chips;
use ember_probe::session::flash::{self, Purpose};
use probe_rs::Target;
use std::collections::BTreeMap;
use support::chip::Event;
use support::memory::OLD;
use support::{board, quiet, with_default_sequence};

/// A firmware of a bit more than a page, with what is reserved in its sectors, and a model in the last sector that has
/// nothing reserved.
fn image(plan: &Plan) -> Vec<Segment> {
    let bytes = |address: u32, length: u32| Segment {
        address,
        bytes: (0..length).map(|index| (index % 251) as u8 + 1).collect(),
    };
    let is_free = |origin: u64, end: u64| {
        plan.reserved.iter().all(|reserved| {
            reserved.region.end() <= origin || end <= u64::from(reserved.region.origin)
        })
    };
    let free: Vec<_> = plan
        .sectors()
        .filter(|sector| is_free(sector.origin.into(), sector.end()))
        .collect();
    let first = free.first().copied().unwrap();
    let last = free.last().copied().unwrap();
    let mut image = vec![bytes(first.origin, first.length.min(plan.page_bytes + 3))];
    if last != first {
        image.push(bytes(last.origin, last.length.min(plan.page_bytes + 5)));
    }
    image
}

/// Neighbours made one: a sector of the plan may be several of the chip, where a page is longer than a sector.
fn joined(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for &(start, end) in ranges {
        match joined.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// Writes, and gives what is wrong, if anything.
fn try_chip(plan: &Plan, target: &Target) -> Result<(), String> {
    let image = image(plan);
    let planned = chips::flash_plan(plan, &image);
    let (board, mut attached) = board(target);
    flash::write(&mut attached.session, &image, Purpose::Firmware, &quiet())
        .map_err(|error| error.to_string())?;
    let chip = board.chip();
    for segment in &image {
        let there = chip
            .memory
            .bytes(segment.address.into(), segment.bytes.len());
        if there != segment.bytes {
            return Err(format!("other bytes at {:#x}", segment.address));
        }
    }
    let mut erased = Vec::new();
    for event in &chip.events {
        match event {
            Event::Erased(range) => erased.push((range.start, range.end)),
            Event::Programmed(_) | Event::Reset => {}
            Event::ErasedAll | Event::NotErased(_) => return Err(format!("{event:x?}")),
        }
    }
    erased.sort_unstable();
    // An image that is no firmware may not be planned, where its start is looked at.
    if let Ok(planned) = planned {
        let sectors: Vec<_> = planned
            .sectors
            .iter()
            .map(|sector| {
                let start = u64::from(sector.address);
                (start, start + u64::from(sector.bytes))
            })
            .collect();
        if joined(&sectors) != joined(&erased) {
            return Err(format!("planned {sectors:x?}, erased {erased:x?}"));
        }
    }
    // Nothing between and behind the sectors has changed.
    let mut address = u64::from(plan.flash.origin);
    for (start, end) in erased
        .into_iter()
        .chain([(plan.flash.end(), plan.flash.end())])
    {
        let between = chip.memory.bytes(address, (start - address) as usize);
        if between.iter().any(|byte| *byte != OLD) {
            return Err(format!("changed between {address:#x} and {start:#x}"));
        }
        address = end;
    }
    Ok(())
}

#[test]
fn every_supported_cortex_m_is_flashed_in_its_sectors_alone() {
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    let mut failed = Vec::new();
    for row in chips::list("") {
        if !row.supported {
            continue;
        }
        let chip = chips::find(&row.name).unwrap();
        let plan = chips::plan(&chip).unwrap();
        if plan.core.target().starts_with("riscv") {
            continue;
        }
        let target = with_default_sequence(chip.target().unwrap());
        match try_chip(&plan, &target) {
            Ok(()) => *done.entry(plan.core.title().to_owned()).or_default() += 1,
            Err(problem) => failed.push(format!("{}: {problem}", row.name)),
        }
    }
    assert!(failed.is_empty(), "{}: {failed:#?}", failed.len());
    assert!(done.values().sum::<usize>() >= 3_500, "{done:#?}");
}
