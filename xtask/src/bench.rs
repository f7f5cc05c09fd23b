//! `cargo xtask bench`: size and instructions of the committed models on the emulated cores, beside the committed
//! baselines. Both are exact counts, so a change in them is a change in the code.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use ember_data::{Dataset, LoadOptions, SyntheticOptions};
use ember_deploy::emulate::Emulator;
use ember_deploy::machine::Machine;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cli::Bench;
use crate::manifest::RunDir;
use crate::stages::data::Data;
use crate::stages::emulate::{self, Target};
use crate::stages::{codegen, eval, firmware};
use crate::zoo::{self, Zoo};
use crate::{deploy, json, workspace};

/// Images that are counted: the instructions differ little between images.
const IMAGES: usize = 20;
/// The same for models other than the reference, of which some are large.
const FEW_IMAGES: usize = 3;
/// Instructions may differ by this fraction between versions of QEMU, whose timer is read at block boundaries.
const INSTRUCTION_SLACK: f64 = 0.005;

/// What one core needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Flash without the model.
    code_bytes: u64,
    /// Variables without arena and stack.
    static_ram_bytes: u64,
    arena_bytes: u64,
    /// High-water mark.
    stack_bytes: u64,
    /// Reading and preparing the model, once.
    init_instructions: u64,
    instructions_per_inference: u64,
    /// Name and instructions of each operator.
    ops: Vec<(String, u64)>,
    /// Functions and constants with their bytes, where the model is the reference on the usual machine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    symbols: BTreeMap<String, u64>,
}

/// The stack per machine in these figures.
#[must_use]
pub fn stack_bytes(costs: &BTreeMap<String, Cost>) -> BTreeMap<String, u64> {
    let stack = |(machine, cost): (&String, &Cost)| (machine.clone(), cost.stack_bytes);
    costs.iter().map(stack).collect()
}

/// Counts, shows, compares.
///
/// # Errors
/// With `--check`: what grew, by name.
pub fn run(app: &App, settings: &Bench) -> Result<()> {
    if settings.chips {
        return deploy::cost::bench(app, settings.update, settings.check);
    }
    let mut all = BTreeMap::new();
    let mut grown = Vec::new();
    for zoo in zoo::chosen(&settings.zoo)? {
        // A check of the others on the usual machine finds what is theirs alone; the rest shows in the reference.
        let machines = if settings.on.is_empty() && !settings.update && !zoo.is_reference() {
            firmware::chosen(&[])?
        } else {
            firmware::machines(&settings.on)?
        };
        let costs = costs(app, &zoo, &machines)?;
        let mut baseline = zoo.baseline()?;
        for (machine, cost) in &costs {
            let name = format!("{} on {machine}", zoo.name());
            let before = baseline.get(machine);
            app.console.result(line(&name, cost, before));
            grown.extend(growth(&name, cost, before));
        }
        if settings.update {
            baseline.extend(costs.clone());
            zoo.set_baseline(&baseline)?;
        }
        all.insert(zoo.name().to_owned(), costs);
    }
    if let Some(path) = &settings.json {
        json::write(path, &all)?;
    }
    if settings.check && !grown.is_empty() {
        bail!(
            "grown beyond the baseline in artifacts/zoo; where that is meant, `cargo xtask bench --update`:\n  {}",
            grown.join("\n  ")
        );
    }
    Ok(())
}

fn costs(app: &App, zoo: &Zoo, machines: &[&'static Machine]) -> Result<BTreeMap<String, Cost>> {
    for machine in machines {
        Emulator::Qemu.check(machine)?;
    }
    let dir = workspace::target_dir()?.join("bench").join(zoo.name());
    let run = RunDir::at(&dir, zoo.name());
    zoo.lay_out(&run)?;
    let data = images(if zoo.is_reference() {
        IMAGES
    } else {
        FEW_IMAGES
    })?;
    eval::score(app, &run, &data)?;
    codegen::run(app, &run, false)?;
    machines
        .iter()
        .map(|machine| {
            let mut cost = measure(app, &run, &data, machine)?;
            if !(zoo.is_reference() && machine.name == firmware::DEFAULT) {
                cost.symbols.clear();
            }
            Ok((machine.name.to_owned(), cost))
        })
        .collect()
}

fn images(count: usize) -> Result<Data> {
    let options = LoadOptions {
        synthetic: SyntheticOptions {
            train: 1,
            test: count,
            ..SyntheticOptions::default()
        },
        ..LoadOptions::for_workspace(&workspace::root())
    };
    let dataset: Dataset =
        ember_data::load(&ember_data::DatasetSource::Synthetic, &options, &|_| {})?.dataset;
    Ok(Data {
        dataset,
        argument: "synthetic".to_owned(),
    })
}

fn measure(app: &App, run: &RunDir, data: &Data, machine: &'static Machine) -> Result<Cost> {
    firmware::run(app, run, false, machine)?;
    emulate::run(
        app,
        run,
        false,
        data,
        &Target {
            machine,
            emulator: Emulator::Qemu,
            images: None,
        },
    )?;
    let size = firmware::read_size(run, machine)?;
    let device = emulate::read(run, machine)?;
    Ok(Cost {
        code_bytes: size.code_bytes,
        static_ram_bytes: size.static_ram_bytes,
        arena_bytes: size.arena_bytes,
        stack_bytes: device.stack_bytes,
        init_instructions: device.init_instructions,
        instructions_per_inference: device.instructions_per_inference,
        ops: device.ops,
        symbols: size
            .symbols
            .into_iter()
            .map(|(name, bytes)| (name, u64::from(bytes)))
            .collect(),
    })
}

/// Name, figure and whether a small difference is allowed.
fn figures(cost: &Cost) -> Vec<(String, u64, bool)> {
    let mut figures = vec![
        ("code".to_owned(), cost.code_bytes, false),
        ("static RAM".to_owned(), cost.static_ram_bytes, false),
        ("arena".to_owned(), cost.arena_bytes, false),
        ("stack".to_owned(), cost.stack_bytes, false),
        ("init instructions".to_owned(), cost.init_instructions, true),
        (
            "instructions per inference".to_owned(),
            cost.instructions_per_inference,
            true,
        ),
    ];
    figures.extend(
        cost.ops
            .iter()
            .enumerate()
            .map(|(index, (op, count))| (format!("op {index} {op}"), *count, true)),
    );
    figures
}

fn growth(machine: &str, now: &Cost, before: Option<&Cost>) -> Vec<String> {
    let Some(before) = before else {
        return vec![format!("{machine}: there is no baseline")];
    };
    let pairs = figures(now).into_iter().zip(figures(before));
    pairs
        .filter(|((_, now, slack), (_, before, _))| {
            let allowed = if *slack {
                *before as f64 * (1.0 + INSTRUCTION_SLACK) + 100.0
            } else {
                *before as f64
            };
            *now as f64 > allowed
        })
        .map(|((name, figure, _), (_, old, _))| {
            let symbols = if name == "code" {
                grown_symbols(now, before)
            } else {
                String::new()
            };
            format!("{machine}: {name}: {old} -> {figure}{symbols}")
        })
        .collect()
}

/// The functions that account for most of what the code grew by, where symbols are known of both.
fn grown_symbols(now: &Cost, before: &Cost) -> String {
    const SHOWN: usize = 5;
    if before.symbols.is_empty() {
        return String::new();
    }
    let mut grown: Vec<(i128, &str)> = now
        .symbols
        .iter()
        .map(|(name, bytes)| {
            let old = before.symbols.get(name).copied().unwrap_or(0);
            (i128::from(*bytes) - i128::from(old), name.as_str())
        })
        .filter(|(growth, _)| *growth > 0)
        .collect();
    grown.sort_by(|a, b| b.cmp(a));
    let shown: Vec<_> = grown
        .iter()
        .take(SHOWN)
        .map(|(growth, name)| format!("{name} {growth:+}"))
        .collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!(" ({})", shown.join(", "))
    }
}

fn line(machine: &str, now: &Cost, before: Option<&Cost>) -> String {
    let before = before.map(figures).unwrap_or_default();
    let shown: Vec<_> = figures(now)
        .into_iter()
        .enumerate()
        .map(|(index, (name, count, _))| match before.get(index) {
            Some((_, old, _)) if *old != count => {
                format!("{name} {count} ({:+})", count as i128 - *old as i128)
            }
            _ => format!("{name} {count}"),
        })
        .collect();
    format!("{machine}: {}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Cost, growth};

    fn cost() -> Cost {
        Cost {
            code_bytes: 10_000,
            static_ram_bytes: 100,
            arena_bytes: 7_000,
            stack_bytes: 600,
            init_instructions: 50_000,
            instructions_per_inference: 1_000_000,
            ops: vec![("CONV_2D".to_owned(), 800_000)],
            symbols: BTreeMap::from([("conv".to_owned(), 400), ("main".to_owned(), 90)]),
        }
    }

    #[test]
    fn growth_names_what_grew() {
        assert!(growth("m", &cost(), Some(&cost())).is_empty());
        let grown = Cost {
            code_bytes: 10_001,
            ops: vec![("CONV_2D".to_owned(), 900_000)],
            symbols: BTreeMap::from([("conv".to_owned(), 401), ("main".to_owned(), 90)]),
            ..cost()
        };
        let said = growth("m", &grown, Some(&cost())).join("; ");
        assert!(
            said.contains("code: 10000 -> 10001 (conv +1)")
                && said.contains("op 0 CONV_2D: 800000 -> 900000"),
            "{said}"
        );
        let shrunk = Cost {
            code_bytes: 9_000,
            ..cost()
        };
        assert!(growth("m", &shrunk, Some(&cost())).is_empty());
        assert_eq!(growth("m", &cost(), None), ["m: there is no baseline"]);
    }

    #[test]
    fn another_qemu_may_count_a_little_otherwise() {
        let near = Cost {
            instructions_per_inference: 1_004_000,
            ..cost()
        };
        assert!(growth("m", &near, Some(&cost())).is_empty());
    }
}
