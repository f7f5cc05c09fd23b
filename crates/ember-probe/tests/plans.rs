//! Every supported Cortex-M3, M4 and M7 is flashed through probe-rs's own loader, simulated: it erases and programs what the plan
//! said, and nothing beside it.

mod support;

use ember_deploy::chip::{Boot, Core, Plan};
use ember_deploy::image::Segment;
use ember_probe::chips::{Span, find, flash_plan, list, plan, registry};
use ember_probe::session::flash::{self, Purpose};
use std::collections::BTreeSet;
use std::ops::Range;
use support::chip::Event;
use support::{board, quiet, target};

/// Bytes that no page ends with.
const LENGTH: usize = 20;

/// Something small at the start of flash, and in its last sector.
fn image(plan: &Plan) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut put = |address: u32, bytes: Vec<u8>| segments.push(Segment { address, bytes });
    if matches!(plan.boot, Boot::Plain | Boot::LpcChecksum) {
        // Zeros add up to zero.
        put(plan.flash.origin, vec![0; LENGTH.next_multiple_of(32)]);
        for reserved in &plan.reserved {
            if let Some(bytes) = &reserved.bytes {
                put(reserved.region.origin, bytes.clone());
            }
        }
    }
    let last = plan
        .sectors()
        .filter(|sector| {
            plan.reserved.iter().all(|reserved| {
                u64::from(reserved.region.origin) >= sector.end()
                    || reserved.region.end() <= sector.origin.into()
            })
        })
        .last();
    if let Some(sector) = last.filter(|sector| sector.origin > plan.flash.origin) {
        put(sector.origin + 4, vec![0x5A; LENGTH]);
    }
    segments
}

fn ranges(spans: &[Span]) -> Vec<Range<u64>> {
    spans
        .iter()
        .map(|span| u64::from(span.address)..u64::from(span.address) + u64::from(span.bytes))
        .collect()
}

#[test]
fn probe_rs_does_what_the_plan_says() {
    let mut seen = BTreeSet::new();
    for row in list("") {
        if !row.supported {
            continue;
        }
        let chip = find(&row.name).unwrap();
        let plan = plan(&chip).unwrap();
        // The simulation is of an Armv7-M.
        if !matches!(plan.core, Core::Armv7m | Core::Armv7em | Core::Armv7emF) {
            continue;
        }
        // Chips that differ in their names alone are flashed in the same way.
        if !seen.insert(format!(
            "{} {:?} {:?} {:?}",
            plan.family, plan.sectors, plan.ram, plan.reserved
        )) {
            continue;
        }
        let segments = image(&plan);
        let planned = flash_plan(&plan, &segments).unwrap_or_else(|error| panic!("{error}"));

        let mut target = target(registry(), &row.name);
        // The simulation tells algorithms apart by their code, which those for an alias of the flash share.
        target.flash_algorithms.retain(|algorithm| {
            let range = &algorithm.flash_properties.address_range;
            range.contains(&plan.flash.origin.into())
        });
        let (board, mut attached) = board(&target);
        flash::write(
            &mut attached.session,
            &segments,
            Purpose::Firmware,
            &quiet(),
        )
        .unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let simulated = board.chip();
        let mut erased = BTreeSet::new();
        let mut programmed = BTreeSet::new();
        for event in &simulated.events {
            match event {
                Event::Erased(range) => drop(erased.insert((range.start, range.end))),
                Event::Programmed(range) => drop(programmed.insert((range.start, range.end))),
                Event::Reset => {}
                other => panic!("{}: {other:?}", row.name),
            }
        }
        for &(start, end) in &erased {
            assert!(
                ranges(&planned.sectors)
                    .iter()
                    .any(|sector| sector.start <= start && end <= sector.end),
                "{}: {start:#x} is erased, planned are {:x?}",
                row.name,
                planned.sectors
            );
        }
        let pages: BTreeSet<_> = planned
            .pages
            .iter()
            .map(|&page| {
                (
                    u64::from(page),
                    u64::from(page) + u64::from(planned.page_bytes),
                )
            })
            .collect();
        assert_eq!(programmed, pages, "{}", row.name);
        // Every page that is programmed was erased as a whole.
        for (start, end) in pages {
            let mut next = start;
            for &(from, to) in &erased {
                if from <= next && next < to {
                    next = to;
                }
            }
            assert!(
                next >= end,
                "{}: {start:#x} is programmed and not erased",
                row.name
            );
        }
    }
    assert!(seen.len() > 350, "{}", seen.len());
}
