//! The whole registry, counted: `census.txt` says how many chips are supported, and why the others are not.
//!
//! `EMBER_BLESS=1 cargo test -p ember-probe census` writes it anew.

use super::{ChipError, Refusal, list, lookup, plan};
use ember_deploy::chip::Core;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// Fewer than these and a quirk was lost.
const AT_LEAST: usize = 4_000;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/chips/census.txt")
}

#[test]
fn the_census_is_what_the_registry_gives() {
    let mut by_core: BTreeMap<Core, usize> = BTreeMap::new();
    let mut by_reason: BTreeMap<(Refusal, &str), usize> = BTreeMap::new();
    let mut by_family: BTreeMap<&str, (usize, usize, BTreeSet<&str>)> = BTreeMap::new();
    for chip in lookup::all() {
        let family = by_family.entry(chip.family()).or_default();
        match plan(chip) {
            Ok(plan) => {
                *by_core.entry(plan.core).or_default() += 1;
                family.0 += 1;
                family.2.insert(plan.core.title());
            }
            Err(ChipError::Refused { refusal, .. }) => {
                *by_reason.entry((refusal.kind, refusal.reason)).or_default() += 1;
                family.1 += 1;
            }
            Err(other) => panic!("{}: {other}", chip.name),
        }
    }
    let supported: usize = by_core.values().sum();
    let refused: usize = by_reason.values().sum();
    assert_eq!(supported + refused, lookup::all().len());

    let mut census = format!(
        "# Chips of probe-rs's registry; `EMBER_BLESS=1 cargo test -p ember-probe census` writes this file\n\n\
         chips {}\nsupported {supported}\nrefused {refused}\n\n# Supported, per core\n\n",
        supported + refused
    );
    for (core, count) in &by_core {
        let _ = writeln!(census, "{count:5} {} ({})", core.title(), core.target());
    }
    census.push_str("\n# Refused, per reason\n\n");
    for ((kind, reason), count) in &by_reason {
        let _ = writeln!(census, "{count:5} {}: {reason}", kind.title());
    }
    census.push_str("\n# Supported and refused, per family\n\n");
    for (family, (supported, refused, cores)) in &by_family {
        let cores: Vec<_> = cores.iter().copied().collect();
        let line = format!("{supported:5} {refused:5} {family}  {}", cores.join(", "));
        let _ = writeln!(census, "{}", line.trim_end());
    }

    if std::env::var_os("EMBER_BLESS").is_some() {
        std::fs::write(path(), &census).unwrap();
    }
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(
        committed == census,
        "the registry gives another census than census.txt; if that is right, EMBER_BLESS=1 writes it. It is now:\n{census}"
    );
    assert!(
        supported >= AT_LEAST,
        "only {supported} chips are supported"
    );
}

#[test]
fn every_plan_is_complete_and_keeps_out_of_what_is_reserved() {
    let targets = rustc_targets();
    for chip in lookup::all() {
        let Ok(plan) = plan(chip) else { continue };
        let name = &plan.name;
        assert!(targets.contains(plan.core.target()), "{name}");
        assert!(plan.flash.length > 0 && plan.ram.length > 0, "{name}");
        assert!(
            plan.flash.end() <= 1 << 32 && plan.ram.end() <= 1 << 32,
            "{name}"
        );
        assert!(
            plan.flash.end() <= plan.ram.origin.into()
                || plan.ram.end() <= plan.flash.origin.into(),
            "{name}: flash and RAM overlap"
        );
        assert!(plan.page_bytes > 0, "{name}");

        // Sectors are the whole flash, without gaps, and no page lies in two.
        let mut next = u64::from(plan.flash.origin);
        for run in &plan.sectors {
            assert_eq!(u64::from(run.origin), next, "{name}");
            assert!(
                run.count > 0 && run.bytes.is_multiple_of(plan.page_bytes),
                "{name}: {run:?}"
            );
            assert!(
                run.origin.is_multiple_of(plan.page_bytes),
                "{name}: {run:?}"
            );
            next += u64::from(run.bytes) * u64::from(run.count);
        }
        assert_eq!(next, plan.flash.end(), "{name}");

        let mut reserved_to = u64::from(plan.flash.origin);
        for reserved in &plan.reserved {
            let region = reserved.region;
            assert!(region.length > 0, "{name}");
            assert!(
                plan.flash
                    .contains(region.origin.into(), region.length.into()),
                "{name}"
            );
            assert!(
                u64::from(region.origin) >= reserved_to,
                "{name}: reserved ranges overlap"
            );
            reserved_to = region.end();
            if let Some(bytes) = &reserved.bytes {
                assert_eq!(bytes.len(), region.length as usize, "{name}");
            }
            // The vector table of the firmware, 16 exceptions and one interrupt, lies before.
            assert!(region.origin - plan.flash.origin >= 17 * 4, "{name}");
        }
        for store in &plan.start {
            assert!(matches!(store.bytes, 1 | 2 | 4), "{name}");
            assert!(store.address.is_multiple_of(store.bytes.into()), "{name}");
            assert!(!plan.flash.contains(store.address.into(), 1), "{name}");
            assert!(!plan.ram.contains(store.address.into(), 1), "{name}");
        }
    }
}

#[test]
fn a_list_has_every_chip_once_and_says_why_not() {
    let all = list("");
    assert_eq!(all.len(), lookup::all().len());
    for row in &all {
        assert_eq!(row.supported, row.refusal.is_none(), "{}", row.name);
        if row.supported {
            assert!(
                row.flash_bytes.is_some() && row.ram_bytes.is_some(),
                "{}",
                row.name
            );
        }
    }
    let nordic = list("nrf5");
    assert!(!nordic.is_empty());
    assert!(nordic.iter().all(|row| row.family.starts_with("nRF5")));
    // By package.
    assert_eq!(list("STM32F405RGTx").len(), 1);
    assert!(list("no such chip").is_empty());
}

/// The targets that this compiler has, installed or not.
fn rustc_targets() -> BTreeSet<String> {
    let output = Command::new("rustc")
        .args(["--print", "target-list"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}
