//! Runs the firmware on an emulated microcontroller and compares what it says with the host.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use ember_core::{BuiltinOp, Dtype};
use ember_deploy::DeployError;
use ember_deploy::emulate::{self, Answer, Emulator, Job, Outcome};
use ember_lite::MappedModel;
use ember_progress::Unit;
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::firmware::Firmware;
use super::{eval, file, firmware};
use crate::app::App;
use crate::cli::{self, RunSettings};
use crate::manifest::{Inputs, RunDir};
use crate::toolchain::Interrupted;
use crate::{json, workspace};

/// One firmware to run, and what plays its machine.
pub struct Target {
    /// The firmware.
    pub firmware: Firmware,
    /// Its emulator.
    pub emulator: Emulator,
    /// Images to send; all for none.
    pub images: Option<usize>,
}

/// Decides where to run, before any long work: QEMU where it is there, else the embedded emulator.
///
/// # Errors
/// An unknown machine, or one that only QEMU can play where QEMU is missing: the command that installs it.
pub fn plan(app: &App, settings: &RunSettings) -> Result<Vec<Target>> {
    if settings.images == Some(0) {
        bail!("--images 0 would send nothing: give at least 1");
    }
    let mut machines = firmware::chosen(&settings.on)?;
    if settings.on.is_empty() {
        let embedded_wanted = settings.emulator == cli::Emulator::Embedded;
        let no_qemu = machines
            .iter()
            .any(|machine| emulate::qemu_installed(machine).is_none());
        if embedded_wanted || no_qemu && settings.emulator == cli::Emulator::Auto {
            machines = firmware::machines(&[])?;
            machines.retain(|machine| machine.embedded);
        }
        if no_qemu && settings.emulator == cli::Emulator::Auto {
            app.console.notice(
                "QEMU is not installed: the built-in emulator plays a Cortex-M3 instead of the Cortex-M4, for as many \
                 images as fit in 20 s.\nFor all cores and all images: sudo apt-get install qemu-system-arm qemu-system-misc",
            );
        }
    }
    machines
        .into_iter()
        .map(|machine| {
            let emulator = match settings.emulator {
                cli::Emulator::Qemu => Emulator::Qemu,
                cli::Emulator::Embedded => Emulator::Embedded,
                cli::Emulator::Auto => Emulator::choose(machine)?,
            };
            emulator.check(machine)?;
            Ok(Target {
                firmware: Firmware {
                    machine,
                    engine: settings.engine,
                },
                emulator,
                images: settings.images,
            })
        })
        .collect()
}

/// `device.json`: what the device said. Instructions are the emulator's count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// The machine's name.
    pub machine: String,
    /// Name and version of the emulator.
    pub emulator: String,
    /// Images answered.
    pub images: u64,
    /// Images whose scores differ from the host's in any byte.
    pub mismatches_with_host: u64,
    /// Fraction of the images whose highest score is that of the label.
    pub accuracy: f64,
    /// Mean over the images.
    pub instructions_per_inference: u64,
    /// Reading and preparing the model, once.
    pub init_instructions: u64,
    /// Name and instructions of each operator.
    pub ops: Vec<(String, u64)>,
    /// High-water mark of the stack in bytes.
    pub stack_bytes: u64,
    /// Bytes of the arena that the model takes.
    pub arena_bytes: u64,
    /// Wall time.
    pub seconds: f64,
}

/// The stage's name in the manifest.
#[must_use]
pub fn stage_name(firmware: Firmware) -> String {
    format!("run on {}", firmware.name())
}

/// Runs the firmware of `run` on `target`.
///
/// # Errors
/// What the emulator says, or scores that are not the host's.
pub fn run(app: &App, run: &RunDir, force: bool, data: &Data, target: &Target) -> Result<()> {
    let name = target.firmware.name();
    let elf = run.existing(&target.firmware.file("firmware.elf"), "firmware")?;
    let scores_path = run.existing(file::SCORES, "eval")?;
    let model_path = run.existing(file::INT8, "quantize")?;
    eval::check_scores(run, data)?;
    let inputs = Inputs::of_sources("ember-deploy")?
        .value("emulator", format!("{:?}", target.emulator))
        .value(
            "images",
            target
                .images
                .map_or_else(|| "all".to_owned(), |images| images.to_string()),
        )
        .value("dataset", &data.dataset.fingerprint)
        .file(&elf)?
        .file(&scores_path)?;
    let output = target.firmware.file("device.json");
    app.stage(run, &stage_name(target.firmware), force, inputs, || {
        let host_scores = workspace::read(&scores_path)?;
        let device = measure(app, data, target, &elf, &model_path, &host_scores)?;
        app.console.step(
            "Ran",
            format!(
                "{} on {}: {} images, {} mismatches with the host, {:.2} % right, {} instructions per inference",
                name,
                device.emulator,
                device.images,
                device.mismatches_with_host,
                100.0 * device.accuracy,
                device.instructions_per_inference
            ),
        );
        json::write(&run.file(&output), &device)?;
        if device.mismatches_with_host > 0 {
            bail!(
                "{} of {} images have other scores on {} than on the host: the chip and the host must agree to the byte",
                device.mismatches_with_host,
                device.images,
                name
            );
        }
        Ok(vec![output.clone()])
    })
}

fn measure(
    app: &App,
    data: &Data,
    target: &Target,
    elf: &Path,
    model_path: &Path,
    host_scores: &[u8],
) -> Result<Device> {
    let machine = target.firmware.machine;
    let test = &data.dataset.test;
    let test = test.take(target.images.unwrap_or(usize::MAX).min(test.len()));
    let model = MappedModel::open(model_path)?;
    let images = model.quantize_images(test.images())?;
    let input_bytes = images.len().checked_div(test.len()).unwrap_or(0);
    let dtype = output_dtype(&model)?;
    let begun = Instant::now();
    let outcome = send(app, target, elf, &images, input_bytes)?;
    let classes = outcome.device.output_bytes as usize;
    let answers = || outcome.outputs.chunks_exact(classes.max(1));
    let mismatches = answers()
        .zip(host_scores.chunks_exact(classes.max(1)))
        .filter(|(device, host)| device != host)
        .count();
    let right = answers()
        .zip(test.labels())
        .filter(|(scores, label)| eval::argmax(dtype, scores) == Some(usize::from(**label)))
        .count();
    let ops = outcome
        .operators
        .iter()
        .map(|cost| (op_name(cost.builtin_code), cost.instructions))
        .collect();
    Ok(Device {
        machine: machine.name.to_owned(),
        emulator: outcome.emulator.clone(),
        images: outcome.images as u64,
        mismatches_with_host: mismatches as u64,
        accuracy: right as f64 / outcome.images.max(1) as f64,
        instructions_per_inference: outcome.instructions_per_inference(),
        init_instructions: outcome.device.prepare_instructions,
        ops,
        stack_bytes: u64::from(outcome.stack_bytes),
        arena_bytes: u64::from(outcome.device.arena_used_bytes),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// Runs the firmware in `elf` on `target` and sends it `inputs`, `input_bytes` of them at a time.
///
/// # Errors
/// What the emulator says, or ctrl-C.
pub fn send(
    app: &App,
    target: &Target,
    elf: &Path,
    inputs: &[u8],
    input_bytes: usize,
) -> Result<Outcome> {
    let job = Job::new(target.firmware.machine, elf, inputs, input_bytes);
    let count = inputs.len().checked_div(input_bytes).unwrap_or(0);
    let bar = app.console.bar(
        format!("Running on {}", target.firmware.name()),
        count as u64,
        Unit::Images,
    );
    let mut progress = |answer: Option<Answer<'_>>| {
        if let Some(answer) = answer {
            bar.set(answer.index as u64 + 1);
        }
        if app.cancelled().load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let outcome = match target.emulator.run(&job, &mut progress) {
        Err(DeployError::Stopped { .. }) => return Err(Interrupted.into()),
        other => other?,
    };
    bar.clear();
    Ok(outcome)
}

/// The name of the operator with a builtin code of the schema.
#[must_use]
pub fn op_name(builtin_code: u32) -> String {
    i32::try_from(builtin_code)
        .ok()
        .and_then(BuiltinOp::from_code)
        .map_or("CUSTOM", |op| op.name())
        .to_owned()
}

/// The type of a model's scores.
fn output_dtype(model: &MappedModel) -> Result<Dtype> {
    let read = model.model()?;
    let outputs = read.main().outputs();
    let first = outputs.get(0).and_then(|id| read.main().tensor(id));
    first
        .map(|tensor| tensor.dtype())
        .with_context(|| format!("{} has no output", model.name()))
}

/// What the device said.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read(run: &RunDir, firmware: Firmware) -> Result<Device> {
    let made_by = format!(
        "run --on {} --engine {}",
        firmware.machine.name,
        firmware.engine.name()
    );
    json::read(&run.existing(&firmware.file("device.json"), &made_by)?)
}
