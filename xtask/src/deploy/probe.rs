//! A real chip, through a debug probe: `ember-probe` flashes it and talks to it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use ember_core::Dtype;
use ember_deploy::chip::Plan;
use ember_deploy::findings::Findings;

use super::build::{self, Built};
use super::inputs::Questions;
use super::program::Program;
use super::show::Run;
use crate::app::App;
use crate::cli::deploy::Deploy;
use crate::{atomic, json, toolchain};

/// The control block of the channel to the host.
const RTT_SYMBOL: &str = "_SEGGER_RTT";

/// Flashes the image, asks the questions, and gives what the chip said; nothing after a live run, which was shown as it
/// went.
///
/// # Errors
/// What `ember-probe` says: exit code 2 when there is no probe.
pub fn run(
    app: &App,
    program: &Program,
    plan: &Plan,
    built: &Built,
    questions: &Questions,
    settings: &Deploy,
) -> Result<Option<Run>> {
    let rtt = built
        .image
        .symbols()
        .named(RTT_SYMBOL)
        .map(|symbol| symbol.address)
        .with_context(|| format!("the firmware has no symbol {RTT_SYMBOL}: this is a bug"))?;
    let mut command = program.command("deploy");
    reach(&mut command, plan, settings);
    command
        .arg("--image")
        .arg(&built.hex)
        .args(["--rtt", &format!("{rtt:#x}")])
        .args(["--target", built.target.triple]);
    talk(app, &mut command, plan, questions, settings)
}

/// Has `ember-probe` ask the questions, and gives what the chip said; nothing after a live run.
///
/// # Errors
/// What `ember-probe` says.
pub fn talk(
    app: &App,
    command: &mut Command,
    plan: &Plan,
    questions: &Questions,
    settings: &Deploy,
) -> Result<Option<Run>> {
    let folder = build::folder(&plan.name);
    let file = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = folder.join(name);
        atomic::write(&path, bytes)?;
        Ok(path)
    };
    let findings = folder.join("findings.json");
    command
        .arg("--images")
        .arg(file("inputs.bin", &questions.inputs)?)
        .args(["--input-bytes", &questions.input_bytes.to_string()])
        .arg("--expected")
        .arg(file("expected.bin", &questions.expected)?)
        .args(["--output", element(questions.output_dtype)])
        .arg("--out")
        .arg(&findings);
    if let Some(labels) = &questions.labels {
        command.arg("--labels").arg(file("labels.bin", labels)?);
    }
    if settings.live {
        command.arg("--live");
    }
    app.go_on()?;
    toolchain::run_ours(command)?;
    if settings.live {
        return Ok(None);
    }
    let findings: Findings = json::read(&findings)?;
    let run = findings
        .run
        .as_ref()
        .context("ember-probe wrote down no run: this is a bug")?;
    Ok(Some(Run::of_chip(
        format!("{} ({})", findings.probe_name, findings.probe),
        run,
    )))
}

/// Says what would be erased and written.
///
/// # Errors
/// An image that must not be written to this chip.
pub fn dry_run(app: &App, program: &Program, plan: &Plan, built: &Built) -> Result<()> {
    let mut command = program.command("flash-plan");
    command
        .args(["--chip", &plan.name])
        .arg("--image")
        .arg(&built.hex);
    app.go_on()?;
    toolchain::run_ours(&mut command)
}

/// Which chip, and how to reach it.
pub fn reach(command: &mut Command, plan: &Plan, settings: &Deploy) {
    let probe = &settings.probe;
    command.args(["--chip", &plan.name]);
    if let Some(selector) = &probe.probe {
        command.args(["--probe", selector]);
    }
    if let Some(speed) = probe.speed {
        command.args(["--speed", &speed.to_string()]);
    }
    if let Some(protocol) = probe.protocol {
        command.args(["--protocol", protocol.name()]);
    }
    if probe.connect_under_reset {
        command.arg("--connect-under-reset");
    }
}

/// What `ember-probe` calls the type of the outputs.
const fn element(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Float32 => "float32",
        Dtype::Int16 => "int16",
        Dtype::Uint8 => "uint8",
        _ => "int8",
    }
}
