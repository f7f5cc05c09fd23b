//! `cargo xtask verify`: the committed models' files are made again, here, and must come out the same; with `--update`
//! they are made again and taken, with `--adopt` those of a run are.

use anyhow::{Context, Result, bail};
use ember_compress::Recipe;
use ember_data::LoadOptions;

use crate::app::App;
use crate::cli::{DataSettings, Engine, Verify};
use crate::manifest::RunDir;
use crate::stages::data::Data;
use crate::stages::firmware::Firmware;
use crate::stages::{codegen, data, eval, file, firmware, quantize, train};
use crate::zoo::{self, Zoo, ZooManifest};
use crate::{hash, json, toolchain, workspace};

/// Steps of the training that is done twice.
const TRAINING_STEPS: &str = "400";

/// Proves the committed hashes.
///
/// # Errors
/// Every file that came out differently.
pub fn run(app: &App, settings: &Verify) -> Result<()> {
    if let Some(name) = &settings.adopt {
        return adopt(app, &RunDir::new(name)?);
    }
    if settings.update {
        return update(app, settings);
    }
    let mut differences = Vec::new();
    let (mut files, mut images) = (0, 0);
    for zoo in zoo::chosen(&settings.zoo)? {
        let manifest = zoo.manifest()?;
        let run = folder(&zoo)?;
        zoo.lay_out(&run)?;
        app.console.step(
            "Verifying",
            format!("{}: files from the committed checkpoint", zoo.name()),
        );
        let mut found = models(app, &run, &manifest)?;
        found.extend(firmware_images(app, &zoo, &run, &manifest)?);
        differences.extend(found.iter().map(|what| format!("{}: {what}", zoo.name())));
        files += manifest.files.len();
        images += manifest.firmware.len();
    }
    if settings.training {
        differences.extend(training(app)?);
    }
    if !differences.is_empty() {
        bail!("not reproduced:\n  {}", differences.join("\n  "));
    }
    app.console.result(format!(
        "verified: {files} files and {images} firmware images have the committed hashes{}",
        if settings.training {
            ", and two trainings with one seed gave the same model"
        } else {
            ""
        }
    ));
    Ok(())
}

fn folder(zoo: &Zoo) -> Result<RunDir> {
    let dir = workspace::target_dir()?.join("verify").join(zoo.name());
    Ok(RunDir::at(&dir, zoo.name()))
}

fn adopt(app: &App, run: &RunDir) -> Result<()> {
    let trained = train::read(run)?;
    let zoo = Zoo::new(&trained.model);
    zoo.take(run, zoo::training_settings(&trained))?;
    app.console.step(
        "Adopted",
        format!("run {} as {}", run.name(), workspace::shown(&zoo.file(""))),
    );
    Ok(())
}

/// Makes everything but the checkpoints anew and commits to it.
fn update(app: &App, settings: &Verify) -> Result<()> {
    for zoo in zoo::chosen(&settings.zoo)? {
        let manifest = zoo.manifest()?;
        let run = folder(&zoo)?;
        zoo.lay_out(&run)?;
        let data = the_data(app, &manifest)?.with_context(|| {
            format!(
                "the accuracy of {} is measured on {}, which is not here",
                zoo.name(),
                manifest.dataset
            )
        })?;
        let old = quantize::read_ranges(&run)?;
        let (graph, _) = quantize::optimized(&run.file(file::CHECKPOINT))?;
        let ranges = quantize::calibrate(&graph, &data, old.images, old.seed)?;
        quantize::write_models(&run, &graph, &ranges, &Recipe::default())?;
        json::write(&run.file(file::RANGES), &ranges)?;
        eval::run(app, &run, true, &data)?;
        codegen::run(app, &run, true, Engine::Interpreter)?;
        for machine in firmware::committed(&zoo)? {
            app.go_on()?;
            firmware::run(app, &run, true, machine.into())?;
        }
        zoo.take(&run, manifest.training)?;
        app.console.step("Updated", workspace::shown(&zoo.file("")));
    }
    Ok(())
}

/// The data that a committed model was made with, where it is on this machine.
fn the_data(app: &App, manifest: &ZooManifest) -> Result<Option<Data>> {
    if ember_data::find_mnist(&LoadOptions::for_workspace(&workspace::root()))?.is_none() {
        return Ok(None);
    }
    let settings = DataSettings {
        dataset: manifest.dataset.clone(),
    };
    data::resolve(app, &settings).map(Some)
}

fn models(app: &App, run: &RunDir, manifest: &ZooManifest) -> Result<Vec<String>> {
    let (graph, _) = quantize::optimized(&run.file(file::CHECKPOINT))?;
    let ranges = quantize::read_ranges(run)?;
    let mut differences = Vec::new();
    if let Some(data) = the_data(app, manifest)? {
        if quantize::calibrate(&graph, &data, ranges.images, ranges.seed)? != ranges {
            differences.push(format!(
                "{}: calibrating on MNIST again gives other ranges",
                file::RANGES
            ));
        }
    } else {
        app.console
            .warn("MNIST is not here: the ranges of the activations are taken as committed");
    }
    quantize::write_models(run, &graph, &ranges, &Recipe::default())?;
    codegen::run(app, run, true, Engine::Interpreter)?;
    for (name, committed) in &manifest.files {
        let now = hash::of_file(&run.file(name))?;
        if now != *committed {
            differences.push(format!("{name}: {now}, committed {committed}"));
        }
    }
    Ok(differences)
}

fn firmware_images(
    app: &App,
    zoo: &Zoo,
    run: &RunDir,
    manifest: &ZooManifest,
) -> Result<Vec<String>> {
    let rustc = toolchain::rustc_version()?;
    if rustc != manifest.rustc {
        bail!(
            "the committed firmware was made by {}, and this is {rustc}: rust-toolchain.toml names the right one",
            manifest.rustc
        );
    }
    let mut differences = Vec::new();
    for machine in firmware::committed(zoo)? {
        app.go_on()?;
        let built = Firmware::from(machine);
        firmware::run(app, run, true, built)?;
        let now = hash::of_file(&run.file(&built.file("firmware.elf")))?;
        match manifest.firmware.get(machine.name) {
            Some(committed) if *committed == now => {}
            Some(committed) => differences.push(format!(
                "firmware for {}: {now}, committed {committed}",
                machine.name
            )),
            None => differences.push(format!(
                "firmware for {}: no hash is committed",
                machine.name
            )),
        }
    }
    Ok(differences)
}

/// Trains twice with one seed, on synthetic digits because they are everywhere, and compares the models.
fn training(app: &App) -> Result<Vec<String>> {
    train::build(app)?;
    let mut hashes = Vec::new();
    for time in ["first", "second"] {
        app.go_on()?;
        app.console
            .step("Training", format!("{TRAINING_STEPS} steps, {time} time"));
        let out = workspace::target_dir()?
            .join("verify")
            .join(format!("training-{time}"));
        let mut command = std::process::Command::new(workspace::program(train::PROGRAM)?);
        command.args([
            "--dataset",
            "synthetic",
            "--epochs",
            "1",
            "--limit-steps",
            TRAINING_STEPS,
            "--seed",
            "1",
            "--force",
            "--quiet",
        ]);
        toolchain::run_ours(command.arg("--out").arg(&out))?;
        hashes.push(hash::of_file(&out.join(zoo::CHECKPOINT))?);
    }
    Ok(match &hashes[..] {
        [first, second] if first != second => vec![format!(
            "training twice with one seed: {first} and {second}"
        )],
        _ => Vec::new(),
    })
}
