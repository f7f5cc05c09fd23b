//! `cargo xtask compare`: what each way of making a trained model smaller costs and saves, in the file, on the host and on
//! emulated chips.
//!
//! Without `--fine-tune` nothing is trained: pruned and clustered rows are those weights put in place of the trained ones, and
//! their accuracy is what is left. With it they are trained again, and with `--seeds` everything is done once per seed.

mod variants;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use ember_deploy::emulate::Emulator;
use ember_deploy::machine::Machine;
use ember_graph::Graph;
use ember_report::{DeviceRun, Report, SeedResult, TerminalStyle, Variant};

use crate::app::App;
use crate::atomic;
use crate::cli::compress::Compare;
use crate::cli::{Backend, Engine, TrainSettings};
use crate::compress::Source;
use crate::manifest::RunDir;
use crate::stages::data::Data;
use crate::stages::emulate::{self, Target};
use crate::stages::firmware::Firmware;
use crate::stages::{self, codegen, data, eval, file, firmware, train};
use crate::workspace;
use crate::zoo::Zoo;
use variants::{Made, Maker};

/// Makes every variant of a model and measures it.
///
/// # Errors
/// A model that is not there, data that do not fit it, an emulator that is missing or whose scores are not the host's.
pub fn run(app: &App, settings: &Compare) -> Result<()> {
    let machines = machines(&settings.on)?;
    let source = Source::open(Some(&settings.model))?;
    if !settings.seeds.is_empty()
        && !crate::zoo::all()?
            .iter()
            .any(|zoo| zoo.name() == source.title)
    {
        bail!(
            "--seeds cannot train {} anew: expected a model of artifacts/zoo, of which the settings of the training are known",
            settings.model
        );
    }
    let data = data::resolve(app, &settings.data)?;
    let folder = workspace::root()
        .join("artifacts/runs/compare")
        .join(&source.title);
    let mut report = Report {
        run: format!("compare {}", source.title),
        dataset: data.dataset.name.clone(),
        ..Report::default()
    };
    for (title, graph, seed) in graphs(app, settings, &source, &data, &folder)? {
        let maker = Maker {
            app,
            data: &data,
            quantize: &settings.quantize,
            tuning: settings.fine_tune.map(|epochs| (epochs, seed)),
            folder: folder.join(&title),
        };
        for (index, made) in maker.all(&graph)?.into_iter().enumerate() {
            app.go_on()?;
            let run = RunDir::at(&maker.folder.join(&made.name), &made.name);
            let path = maker.folder.join(format!("model.{}.tflite", made.name));
            atomic::write(&path, &made.bytes)?;
            let (variant, evaluation) = eval::variant(app, &data, &made.name, &path)?;
            if index == report.variants.len() {
                eval::write_scores(&run, &data, &evaluation)?;
                let devices = on_devices(app, &data, &run, &made, &machines, settings.images)?;
                report.device.extend(devices);
                report.variants.push(Variant {
                    fine_tuned: made.fine_tuned,
                    ..variant
                });
            }
            report.variants[index].seeds.push(SeedResult {
                seed,
                test_accuracy: evaluation.accuracy,
                test_loss: Some(evaluation.loss),
            });
        }
    }
    for variant in &mut report.variants {
        average(variant);
    }
    let sheet = report.comparison(&source.title);
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    atomic::write(&folder.join("compare.md"), sheet.to_markdown().as_bytes())?;
    report.write_all(&folder)?;
    app.console.step("Wrote", workspace::shown(&folder));
    Ok(())
}

/// Accuracy and loss become means over the seeds; all else stays that of the first.
fn average(variant: &mut Variant) {
    let seeds = &variant.seeds;
    let mean = |figure: fn(&SeedResult) -> f64| {
        seeds.iter().map(figure).sum::<f64>() / seeds.len().max(1) as f64
    };
    variant.test_accuracy = Some(mean(|seed| seed.test_accuracy));
    variant.test_loss = Some(mean(|seed| seed.test_loss.unwrap_or(f64::NAN)));
    if variant.seeds.len() == 1 {
        variant.seeds.clear();
    }
}

fn machines(names: &[String]) -> Result<Vec<&'static Machine>> {
    let machines = if names.is_empty() {
        firmware::chosen(&["cortex-m4", "rv32imac"].map(str::to_owned))?
    } else {
        firmware::chosen(names)?
    };
    for machine in &machines {
        Emulator::Qemu.check(machine)?;
    }
    Ok(machines)
}

/// The trained graphs after the passes, each with a name for its folder and its seed: the one given, or one for each seed.
fn graphs(
    app: &App,
    settings: &Compare,
    source: &Source,
    data: &Data,
    folder: &Path,
) -> Result<Vec<(String, Graph, u64)>> {
    if settings.seeds.is_empty() {
        return Ok(vec![("given".to_owned(), source.optimized()?, 0)]);
    }
    let trained = Zoo::new(&source.title).manifest()?.training;
    let number = |name: &str| trained.get(name).and_then(|text| text.parse::<f64>().ok());
    let mut graphs = Vec::new();
    for seed in &settings.seeds {
        let title = format!("seed-{seed}");
        let run = RunDir::at(&folder.join(&title).join("float32"), &title);
        let settings = TrainSettings {
            model: source.title.clone(),
            epochs: number("epochs").unwrap_or(5.0) as u32,
            batch: number("batch").unwrap_or(32.0) as u32,
            learning_rate: number("learning rate").unwrap_or(1e-3),
            // A training that does not name it kept its learning rate.
            final_learning_rate: number("final learning rate").or(number("learning rate")),
            seed: *seed,
            validation: number("validation images").unwrap_or(5000.0) as u32,
            backend: Backend::Flex,
            compression: Default::default(),
        };
        train::run(app, &run, false, data, &settings, false)?;
        let checkpoint: PathBuf = run.file(file::CHECKPOINT);
        let graph = Source::open(Some(&checkpoint.display().to_string()))?.optimized()?;
        graphs.push((title, graph, *seed));
    }
    Ok(graphs)
}

/// What the machines say of a variant.
fn on_devices(
    app: &App,
    data: &Data,
    run: &RunDir,
    made: &Made,
    machines: &[&'static Machine],
    images: u32,
) -> Result<Vec<DeviceRun>> {
    // Where the stages look for the model of a run.
    atomic::write(&run.file(file::INT8), &made.bytes)?;
    codegen::run(app, run, false, Engine::Interpreter)?;
    let mut devices = Vec::new();
    for machine in machines {
        let firmware = Firmware::from(*machine);
        firmware::run(app, run, false, firmware)?;
        let target = Target {
            firmware,
            emulator: Emulator::Qemu,
            images: Some(images as usize),
        };
        emulate::run(app, run, false, data, &target)?;
        devices.push(stages::report::device_run(run, firmware, &made.name, &[])?);
    }
    Ok(devices)
}
