//! `cargo xtask bench`: size and instructions of models on the emulated cores, beside the committed baselines. Both are exact
//! counts, so a change in them is a change in the code. With `--host`, wall times on this machine.

mod baseline;
mod device;
mod host;
mod macs;
mod training;

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use ember_report::{Entry, Heading, Sheet, TerminalStyle};

use crate::app::App;
use crate::cli::{Bench, Engine, TrainSettings};
use crate::stages::data;
use crate::stages::firmware::{self, Firmware};
use crate::{deploy, json};
use device::{Measured, Subject};

pub use device::Cost;

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
    if settings.host {
        let subjects = Subject::chosen(&settings.zoo, &settings.model)?;
        let costs = host::run(app, &subjects)?;
        return match &settings.json {
            Some(path) => json::write(path, &costs),
            None => Ok(()),
        };
    }
    if settings.training {
        let data = data::resolve(app, &settings.data)?;
        let costs = training::run(app, &data, &TrainSettings::default())?;
        return match &settings.json {
            Some(path) => json::write(path, &costs),
            None => Ok(()),
        };
    }
    let mut all = BTreeMap::new();
    let mut grown = Vec::new();
    for subject in Subject::chosen(&settings.zoo, &settings.model)? {
        // A check of the others on the usual machine finds what is theirs alone; the rest shows in the reference.
        let machines = if settings.on.is_empty() && !settings.update && !subject.is_reference() {
            firmware::chosen(&[])?
        } else {
            firmware::machines(&settings.on)?
        };
        let engines = match settings.engine {
            Some(engine) => vec![engine],
            None if subject.is_reference() => vec![Engine::Interpreter, Engine::Compiled],
            None => vec![Engine::Interpreter],
        };
        let firmwares: Vec<Firmware> = engines
            .into_iter()
            .flat_map(|engine| {
                machines
                    .iter()
                    .map(move |machine| Firmware { machine, engine })
            })
            .collect();
        let measured = device::measure(app, &subject, &firmwares)?;
        show(app, &subject.name(), &measured);
        if let Subject::Zoo(zoo) = &subject {
            let mut committed = zoo.baseline()?;
            for (machine, cost) in &measured.costs {
                let name = format!("{} on {machine}", zoo.name());
                let before = committed.get(machine);
                if let Some(changes) = baseline::changes(&name, cost, before) {
                    app.console.result(changes);
                }
                grown.extend(baseline::growth(&name, cost, before));
            }
            if settings.update {
                committed.extend(measured.costs.clone());
                zoo.set_baseline(&committed)?;
            }
        }
        all.insert(subject.name(), measured.costs);
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

/// One row per machine, and one per operator.
fn show(app: &App, name: &str, measured: &Measured) {
    let macs: u64 = measured.macs.iter().sum();
    let mut sheet = Sheet::new(
        &format!(
            "{name}: {} bytes, {macs} multiply-accumulates",
            measured.model_bytes
        ),
        &[
            Heading::Words("machine"),
            Heading::Figures("code"),
            Heading::Figures("static RAM"),
            Heading::Figures("arena"),
            Heading::Figures("stack"),
            Heading::Figures("instructions to start"),
            Heading::Figures("per inference"),
            Heading::Figures("per MAC"),
        ],
    );
    for (machine, cost) in &measured.costs {
        sheet.row([
            machine.clone().into(),
            Entry::Count(cost.code_bytes),
            Entry::Count(cost.static_ram_bytes),
            Entry::Count(cost.arena_bytes),
            Entry::Count(cost.stack_bytes),
            Entry::Count(cost.init_instructions),
            Entry::Count(cost.instructions_per_inference),
            per_mac(cost.instructions_per_inference, macs),
        ]);
    }
    let style = TerminalStyle::detect();
    app.console.result(sheet.to_terminal(style).trim_end());
    let Some(first) = measured.costs.values().next() else {
        return;
    };
    let mut headings = vec![Heading::Words("operator"), Heading::Figures("MACs")];
    for machine in measured.costs.keys() {
        headings.extend([Heading::Figures(machine), Heading::Figures("per MAC")]);
    }
    let mut sheet = Sheet::new(&format!("{name}: instructions per operator"), &headings);
    for (index, (op, _)) in first.ops.iter().enumerate() {
        let macs = measured.macs.get(index).copied().unwrap_or(0);
        let mut row = vec![
            Entry::Text(op.clone()),
            Entry::count((macs > 0).then_some(macs)),
        ];
        for cost in measured.costs.values() {
            let count = cost.ops.get(index).map(|(_, count)| *count);
            row.push(Entry::count(count));
            row.push(count.map_or(Entry::None, |count| per_mac(count, macs)));
        }
        sheet.row(row);
    }
    app.console.result(sheet.to_terminal(style).trim_end());
}

fn per_mac(instructions: u64, macs: u64) -> Entry {
    if macs == 0 {
        Entry::None
    } else {
        Entry::Text(format!("{:.2}", instructions as f64 / macs as f64))
    }
}
