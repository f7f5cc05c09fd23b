//! `cargo xtask verify`: the committed model's files are made again, here, and must come out the same.

use anyhow::{Result, bail};
use ember_data::LoadOptions;
use ember_deploy::machine::MACHINES;

use crate::app::App;
use crate::cli::{Backend, DataSettings, Verify};
use crate::manifest::RunDir;
use crate::stages::{codegen, data, file, firmware, quantize, train};
use crate::zoo::{SEED_CNN, Zoo, ZooManifest};
use crate::{atomic, hash, toolchain, workspace};

/// Steps of the training that is done twice.
const TRAINING_STEPS: &str = "400";

/// Proves the committed hashes.
///
/// # Errors
/// Every file that came out differently.
pub fn run(app: &App, settings: &Verify) -> Result<()> {
    let zoo = Zoo::new(SEED_CNN);
    if let Some(name) = &settings.adopt {
        zoo.adopt(&RunDir::new(name)?)?;
        app.console
            .step("Adopted", format!("run {name} as artifacts/zoo/{SEED_CNN}"));
        return Ok(());
    }
    let manifest = zoo.manifest()?;
    let run = RunDir::at(&workspace::target_dir()?.join("verify"), "verify");
    zoo.lay_out(&run)?;
    let mut differences = models(app, &run, &manifest)?;
    differences.extend(firmware_images(app, &run, &manifest)?);
    if settings.training {
        differences.extend(training(app)?);
    }
    if !differences.is_empty() {
        bail!("not reproduced:\n  {}", differences.join("\n  "));
    }
    app.console.result(format!(
        "verified: {} files and {} firmware images have the committed hashes{}",
        manifest.files.len(),
        manifest.firmware.len(),
        if settings.training {
            ", and two trainings with one seed gave the same model"
        } else {
            ""
        }
    ));
    Ok(())
}

fn models(app: &App, run: &RunDir, manifest: &ZooManifest) -> Result<Vec<String>> {
    app.console
        .step("Verifying", "model files from the committed checkpoint");
    let (graph, _) = quantize::optimized(&run.file(file::CHECKPOINT))?;
    let ranges = quantize::read_ranges(run)?;
    let mut differences = Vec::new();
    if ember_data::find_mnist(&LoadOptions::for_workspace(&workspace::root()))?.is_some() {
        let data = data::resolve(
            app,
            &DataSettings {
                dataset: "mnist".to_owned(),
            },
        )?;
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
    let files = quantize::lower(&graph, &ranges)?;
    atomic::write(&run.file(file::FLOAT32), &files.float32)?;
    atomic::write(&run.file(file::INT8), &files.int8)?;
    codegen::run(app, run, true)?;
    for (name, committed) in &manifest.files {
        let now = hash::of_file(&run.file(name))?;
        if now != *committed {
            differences.push(format!("{name}: {now}, committed {committed}"));
        }
    }
    Ok(differences)
}

fn firmware_images(app: &App, run: &RunDir, manifest: &ZooManifest) -> Result<Vec<String>> {
    let rustc = toolchain::rustc_version()?;
    if rustc != manifest.rustc {
        bail!(
            "the committed firmware was made by {}, and this is {rustc}: rust-toolchain.toml names the right one",
            manifest.rustc
        );
    }
    let mut differences = Vec::new();
    for machine in MACHINES {
        app.go_on()?;
        firmware::run(app, run, true, machine)?;
        let now = hash::of_file(&run.file(&firmware::file_name(machine, "firmware.elf")))?;
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
    train::build(app, Backend::Flex)?;
    let mut hashes = Vec::new();
    for time in ["first", "second"] {
        app.go_on()?;
        app.console
            .step("Training", format!("{TRAINING_STEPS} steps, {time} time"));
        let out = workspace::target_dir()?
            .join("verify")
            .join(format!("training-{time}"));
        let mut command = std::process::Command::new(train::program()?);
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
        hashes.push(hash::of_file(&out.join(crate::zoo::CHECKPOINT))?);
    }
    Ok(match &hashes[..] {
        [first, second] if first != second => vec![format!(
            "training twice with one seed: {first} and {second}"
        )],
        _ => Vec::new(),
    })
}
