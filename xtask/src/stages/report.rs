//! Gathers what the stages measured into `report.json`, `report.md`, `report.html` and the terminal.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use ember_deploy::machine::MACHINES;
use ember_report::{
    Data, Development, DeviceRun, HostRuntime, Model, OpCost, Report, TerminalStyle,
};

use super::firmware::Firmware;
use super::{emulate, eval, file, firmware, quantize, train};
use crate::app::App;
use crate::cli::Engine;
use crate::manifest::{Manifest, RunDir};
use crate::toolchain::{self, cargo};
use crate::{hash, workspace};

/// The file in which a user would define a model of their own.
const MODEL_SOURCE: &str = "crates/ember-graph/src/models/seed_cnn.rs";

/// All that a firmware of somebody else's has of Ember.
const FIRMWARE_SOURCE: &str = "examples/embassy-nrf52840/src/classifier.rs";

/// Writes the report of `run`.
///
/// # Errors
/// A run without figures, or a figure that cannot be true.
pub fn run(app: &App, run: &RunDir) -> Result<()> {
    let report = gather(run)?;
    let files = report.write_all(run.dir())?;
    app.console
        .result(report.to_terminal(TerminalStyle::detect())?);
    for path in files {
        app.console.step("Wrote", workspace::shown(&path));
    }
    Ok(())
}

fn gather(run: &RunDir) -> Result<Report> {
    let evaluation = eval::read(run)?;
    let training = train::read(run)?;
    let burn_version = training.burn_version.clone();
    let manifest = run.manifest()?;
    let rustc = toolchain::rustc_version()?;
    let mut notices = Vec::new();
    let mut device = Vec::new();
    for machine in MACHINES {
        for engine in [Engine::Interpreter, Engine::Compiled] {
            let firmware = Firmware { machine, engine };
            if is_of_this_model(run, &manifest, firmware)? {
                device.push(device_run(run, firmware, "int8", &evaluation.op_macs)?);
            }
        }
    }
    for run in device
        .iter()
        .filter(|run| run.images < evaluation.test_images)
    {
        notices.push(format!(
            "{} ran {} of {} test images on {}.",
            run.target,
            run.images,
            evaluation.test_images,
            run.emulator.as_deref().unwrap_or("the chip")
        ));
    }
    Ok(Report {
        run: run.name().to_owned(),
        dataset: evaluation.dataset.clone(),
        data: Some(Data {
            training_images: training.training_images,
            validation_images: training.validation_images,
            test_images: evaluation.test_images,
            representative_images: quantize::read_ranges(run)?.images,
        }),
        model: Some(Model {
            name: training.model.clone(),
            parameters: training.parameters,
            macs: evaluation.op_macs.iter().sum(),
            input_shape: evaluation.input_shape.clone(),
        }),
        training: Some(training.training),
        variants: evaluation.variants.clone(),
        host: Some(HostRuntime {
            variant: "int8".to_owned(),
            program_bytes: std::env::current_exe()
                .ok()
                .and_then(|path| bytes_of(&path).ok()),
            peak_ram_bytes: evaluation.peak_ram_bytes,
        }),
        device,
        development: Some(development(&manifest)?),
        versions: BTreeMap::from([
            ("ember".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            (
                "rustc".to_owned(),
                rustc.trim_start_matches("rustc ").to_owned(),
            ),
            ("burn".to_owned(), burn_version),
        ]),
        notices,
        ..Report::default()
    })
}

/// Whether `firmware` ran the model that is in the run now, not one before it.
fn is_of_this_model(run: &RunDir, manifest: &Manifest, firmware: Firmware) -> Result<bool> {
    let elf = firmware.file("firmware.elf");
    let source = match firmware.engine {
        Engine::Interpreter => file::SOURCE,
        Engine::Compiled => file::COMPILED,
    };
    let ran = emulate::stage_name(firmware);
    let read = [
        (firmware.stage(), source, source),
        (ran.clone(), file::SCORES, file::SCORES),
        (ran, "firmware.elf", &elf),
    ];
    for (stage, input, name) in read {
        let path = run.file(name);
        let recorded = manifest
            .stages
            .get(&stage)
            .and_then(|record| record.inputs.get(input));
        if !path.is_file() || recorded != Some(&hash::of_file(&path)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What `firmware` said of the model of `run`, which is called `variant`; `macs` are those of its operators, where they are known.
///
/// # Errors
/// Files that are not there or damaged.
pub fn device_run(
    run: &RunDir,
    firmware: Firmware,
    variant: &str,
    macs: &[u64],
) -> Result<DeviceRun> {
    let size = firmware::read_size(run, firmware)?;
    let device = emulate::read(run, firmware)?;
    Ok(DeviceRun {
        target: firmware.machine.name.to_owned(),
        emulator: Some(device.emulator),
        engine: firmware.engine.name().to_owned(),
        variant: variant.to_owned(),
        flash_bytes: size.flash_bytes,
        code_bytes: size.code_bytes,
        model_bytes: size.model_bytes,
        static_ram_bytes: size.static_ram_bytes,
        arena_bytes: device.arena_bytes,
        stack_bytes: Some(device.stack_bytes),
        instructions_per_inference: Some(device.instructions_per_inference),
        init_instructions: Some(device.init_instructions),
        ops: device
            .ops
            .into_iter()
            .enumerate()
            .map(|(index, (op, instructions))| OpCost {
                op,
                instructions,
                macs: macs.get(index).copied().filter(|macs| *macs > 0),
            })
            .collect(),
        images: device.images,
        mismatches_with_host: device.mismatches_with_host,
        accuracy: device.accuracy,
        seconds: Some(device.seconds),
    })
}

fn development(manifest: &Manifest) -> Result<Development> {
    let firmware = manifest
        .stages
        .iter()
        .filter(|(name, _)| name.starts_with("firmware for"));
    Ok(Development {
        commands: vec!["cargo xtask pipeline".to_owned()],
        languages: vec!["Rust".to_owned()],
        model_lines: Some(code_lines(MODEL_SOURCE)?),
        firmware_lines: Some(code_lines(FIRMWARE_SOURCE)?),
        host_dependencies: Some(external_crates(&[
            "--package",
            "xtask",
            "--package",
            "ember-train",
        ])?),
        device_dependencies: Some(external_crates(&[
            "--package",
            "firmware",
            "--target",
            "thumbv7em-none-eabihf",
        ])?),
        firmware_build_seconds: firmware.map(|(_, record)| record.seconds).reduce(f64::max),
        pipeline_seconds: Some(manifest.stages.values().map(|record| record.seconds).sum()),
    })
}

/// Lines of `file` that are neither empty, nor a comment, nor a test.
fn code_lines(file: &str) -> Result<u64> {
    let path = workspace::root().join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    let code = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .map(str::trim);
    Ok(code
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count() as u64)
}

/// Crates from outside the workspace that a build compiles, macros and build scripts' crates included.
fn external_crates(packages: &[&str]) -> Result<u64> {
    let mut command = cargo();
    command
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(packages);
    let tree = toolchain::output(&mut command)?;
    let mut crates: Vec<_> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty() && !line.contains(" (/") && !line.contains(" (C:"))
        .collect();
    crates.sort_unstable();
    crates.dedup();
    Ok(crates.len() as u64)
}

fn bytes_of(path: &std::path::Path) -> Result<u64> {
    Ok(std::fs::metadata(path)
        .with_context(|| format!("cannot read {}", workspace::shown(path)))?
        .len())
}
