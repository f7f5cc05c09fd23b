//! `cargo xtask bench`: size and instructions of the committed model on each emulated core, beside the committed
//! baseline. Both are exact counts, so a change in them is a change in the code.

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
use crate::zoo::{SEED_CNN, Zoo};
use crate::{json, workspace};

/// Images that are counted: the instructions differ little between images.
const IMAGES: usize = 20;
/// Instructions may differ by this fraction between versions of QEMU, whose timer is read at block boundaries.
const INSTRUCTION_SLACK: f64 = 0.005;
const BASELINE: &str = "baseline.json";

/// What one core needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cost {
    code_bytes: u64,
    static_ram_bytes: u64,
    arena_bytes: u64,
    stack_bytes: u64,
    init_instructions: u64,
    instructions_per_inference: u64,
    ops: Vec<(String, u64)>,
}

/// Counts, shows, compares.
///
/// # Errors
/// With `--check`: what grew, by name.
pub fn run(app: &App, settings: &Bench) -> Result<()> {
    let zoo = Zoo::new(SEED_CNN);
    let machines = firmware::machines(&settings.on)?;
    for machine in &machines {
        Emulator::Qemu.check(machine)?;
    }
    let run = RunDir::at(&workspace::target_dir()?.join("bench"), "bench");
    zoo.lay_out(&run)?;
    let data = images()?;
    eval::score(app, &run, &data)?;
    codegen::run(app, &run, false)?;
    let mut costs = BTreeMap::new();
    for machine in machines {
        costs.insert(machine.name.to_owned(), measure(app, &run, &data, machine)?);
    }
    let path = zoo.file(BASELINE);
    let baseline: BTreeMap<String, Cost> = if path.is_file() {
        json::read(&path)?
    } else {
        BTreeMap::new()
    };
    for (name, cost) in &costs {
        app.console.result(line(name, cost, baseline.get(name)));
    }
    if let Some(path) = &settings.json {
        json::write(path, &costs)?;
    }
    if settings.update {
        let mut merged = baseline;
        merged.extend(costs);
        return json::write(&path, &merged);
    }
    let grown: Vec<_> = costs
        .iter()
        .flat_map(|(name, cost)| growth(name, cost, baseline.get(name)))
        .collect();
    if settings.check && !grown.is_empty() {
        bail!(
            "grown beyond {}; where that is meant, `cargo xtask bench --update`:\n  {}",
            workspace::shown(&path),
            grown.join("\n  ")
        );
    }
    Ok(())
}

fn images() -> Result<Data> {
    let options = LoadOptions {
        synthetic: SyntheticOptions {
            train: 1,
            test: IMAGES,
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
        .map(|((name, now, _), (_, before, _))| format!("{machine}: {name}: {before} -> {now}"))
        .collect()
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
        }
    }

    #[test]
    fn growth_names_what_grew() {
        assert!(growth("m", &cost(), Some(&cost())).is_empty());
        let grown = Cost {
            code_bytes: 10_001,
            ops: vec![("CONV_2D".to_owned(), 900_000)],
            ..cost()
        };
        let said = growth("m", &grown, Some(&cost())).join("; ");
        assert!(
            said.contains("code: 10000 -> 10001")
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
