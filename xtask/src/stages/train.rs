//! Trains a model: starts the program that has Burn in it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use ember_compress::prune::Pruning;
use ember_graph::checkpoint;
use serde::Deserialize;

use super::data::Data;
use super::file;
use crate::app::App;
use crate::cli::TrainSettings;
use crate::compress::Source;
use crate::manifest::{Inputs, RunDir};
use crate::toolchain::{self, cargo};
use crate::{atomic, json, workspace};

/// The program that has Burn in it.
pub const PROGRAM: &str = "ember-train";

/// Trains `settings.model` on `data` into the run's folder.
///
/// # Errors
/// What the training program says; ctrl-C leaves a checkpoint for `--resume`.
pub fn run(
    app: &App,
    run: &RunDir,
    force: bool,
    data: &Data,
    settings: &TrainSettings,
    resume: bool,
) -> Result<()> {
    check(settings)?;
    let init = match &settings.compression.init {
        Some(name) => Some(initial(run, name)?),
        None => None,
    };
    let mut inputs = Inputs::of_sources("ember-train")?
        .value("dataset", &data.dataset.fingerprint)
        .value("model", &settings.model)
        .value("epochs", settings.epochs)
        .value("batch", settings.batch)
        .value("learning rate", settings.learning_rate)
        .value("final learning rate", settings.last_learning_rate())
        .value("seed", settings.seed)
        .value("validation images", settings.validation)
        .value("backend", settings.backend.name());
    if let Some(path) = &init {
        inputs = inputs.file(path)?;
    }
    for (flag, value) in settings.compression.arguments() {
        inputs = inputs.value(flag, value.as_deref().unwrap_or("yes"));
    }
    app.stage(run, "train", force || resume, inputs, || {
        build(app)?;
        let begun = Instant::now();
        let out = run.file("train");
        let mut command = std::process::Command::new(workspace::program(PROGRAM)?);
        command
            .args(arguments(settings, &data.argument))
            .arg("--out")
            .arg(&out);
        if let Some(path) = &init {
            command.arg("--init").arg(path);
        }
        command.arg(if resume { "--resume" } else { "--force" });
        if app.quiet {
            command.arg("--quiet");
        }
        toolchain::run_ours(&mut command)?;
        app.console.step(
            "Trained",
            format!(
                "{} in {:.1} s",
                read(run)?.model,
                begun.elapsed().as_secs_f64()
            ),
        );
        let mut written = vec![file::CHECKPOINT.to_owned(), file::TRAINING.to_owned()];
        if settings.compression.qat.is_some() {
            written.extend([file::TRAINED_RANGES, file::TRAINED_RECIPE].map(str::to_owned));
        }
        Ok(written)
    })
}

/// What the training program is told, but for where it starts and where its results go.
#[must_use]
pub fn arguments(settings: &TrainSettings, dataset: &str) -> Vec<String> {
    let mut arguments: Vec<String> = [
        ("--model", settings.model.clone()),
        ("--dataset", dataset.to_owned()),
        ("--epochs", settings.epochs.to_string()),
        ("--batch", settings.batch.to_string()),
        ("--learning-rate", settings.learning_rate.to_string()),
        (
            "--final-learning-rate",
            settings.last_learning_rate().to_string(),
        ),
        ("--seed", settings.seed.to_string()),
        ("--validation", settings.validation.to_string()),
        ("--backend", settings.backend.name().to_owned()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .collect();
    for (flag, value) in settings.compression.arguments() {
        arguments.push(flag.to_owned());
        arguments.extend(value);
    }
    arguments
}

/// The checkpoint that a training of `run` starts from: of the model called `name`, in the run's folder.
fn initial(run: &RunDir, name: &str) -> Result<PathBuf> {
    let graph = Source::open(Some(name))?.graph;
    let path = run.file(file::INITIAL);
    atomic::write(&path, &checkpoint::to_bytes(&graph, &BTreeMap::new())?)?;
    Ok(path)
}

/// Fails on what the training program would refuse after it was compiled for minutes.
///
/// # Errors
/// An unknown model, with the nearest name, or a learning rate that no training can have.
pub fn check(settings: &TrainSettings) -> Result<()> {
    ember_graph::models::find(&settings.model)?;
    if !(settings.learning_rate.is_finite() && settings.learning_rate > 0.0) {
        bail!(
            "--learning-rate {} cannot be used: expected a positive number",
            settings.learning_rate
        );
    }
    if let Some(pattern) = &settings.compression.prune {
        pattern.parse::<Pruning>()?;
    }
    if let Some(rate) = settings.final_learning_rate
        && !(0.0..=settings.learning_rate).contains(&rate)
    {
        bail!(
            "--final-learning-rate {rate} cannot be used: expected 0 to {}, the learning rate",
            settings.learning_rate
        );
    }
    Ok(())
}

/// Compiles the training program; with optimization, or training takes thirty times as long.
///
/// # Errors
/// A build that fails.
pub fn build(app: &App) -> Result<()> {
    app.console
        .step("Building", "ember-train with Burn (minutes the first time)");
    let mut command = cargo();
    command.args(["build", "--release", "--package", PROGRAM]);
    if app.quiet {
        command.arg("--quiet");
    }
    toolchain::run(&mut command)
}

/// `training.json`, as far as the report needs it.
#[derive(Clone, Debug, Deserialize)]
pub struct TrainingFile {
    /// The model's name.
    pub model: String,
    /// Its trained parameters.
    pub parameters: u64,
    /// Images that the weights were fitted to.
    pub training_images: u64,
    /// Images that every choice was made on.
    pub validation_images: u64,
    /// The optimizer's learning rate at the end, where it fell.
    #[serde(default)]
    pub final_learning_rate: Option<f64>,
    /// Version of Burn.
    pub burn_version: String,
    /// The rest is what the report shows, under the same names.
    #[serde(flatten)]
    pub training: ember_report::Training,
}

/// Reads how the training went.
///
/// # Errors
/// A file that is not there or not what the training program writes.
pub fn read(run: &RunDir) -> Result<TrainingFile> {
    json::read(&run.existing(file::TRAINING, "train")?)
}
