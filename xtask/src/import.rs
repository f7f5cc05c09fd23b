//! `cargo xtask import`: an ONNX model as a run, which every other command takes by name.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::app::App;
use crate::cli::Import;
use crate::manifest::RunDir;
use crate::stages::file;
use crate::toolchain::{self, cargo};
use crate::workspace;

/// Imports into the run's folder: the graph, and of a quantized model its ranges and recipe.
///
/// # Errors
/// A file that is not there, what the import says, a run that was trained here.
pub fn run(app: &App, settings: &Import) -> Result<()> {
    if !settings.model.is_file() {
        bail!(
            "{} is not there: expected an .onnx file",
            settings.model.display()
        );
    }
    let name = match &settings.name {
        Some(name) => name.clone(),
        None => {
            let stem = settings.model.file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        }
    };
    let run = RunDir::new(&name)?;
    if run.file(file::TRAINING).is_file() {
        bail!(
            "the run `{name}` was trained here and would be lost: give the imported model another --name"
        );
    }
    app.console.step(
        "Building",
        "ember-onnx with the reader of ONNX (minutes the first time)",
    );
    let mut build = cargo();
    build.args(["build", "--release", "--package", "ember-onnx"]);
    if app.quiet {
        build.arg("--quiet");
    }
    toolchain::run(&mut build)?;
    let program = workspace::program("ember-onnx")?;
    let out = run.file(file::CHECKPOINT);
    let folder = out.parent().context("a run has a folder")?;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", workspace::shown(folder)))?;
    // What an earlier import left of another model.
    for name in [file::TRAINED_RANGES, file::TRAINED_RECIPE] {
        let _ = fs::remove_file(run.file(name));
    }
    let mut command = std::process::Command::new(program);
    command
        .arg("import")
        .arg(&settings.model)
        .arg("--out")
        .arg(&out)
        .args(["--name", &name])
        .arg("--ranges")
        .arg(run.file(file::TRAINED_RANGES))
        .arg("--recipe")
        .arg(run.file(file::TRAINED_RECIPE));
    for (option, path) in [
        ("--float", &settings.float),
        ("--int8", &settings.int8),
        ("--samples", &settings.samples),
    ] {
        if let Some(path) = path {
            command.arg(option).arg(path);
        }
    }
    if app.quiet {
        command.arg("--quiet");
    }
    toolchain::run_ours(&mut command)?;
    let written = [Some(&out), settings.float.as_ref(), settings.int8.as_ref()];
    for path in written.into_iter().flatten() {
        app.console.step("Wrote", workspace::shown(path));
    }
    app.console.line(format!(
        "cargo xtask quantize --model {name} makes model files of it, cargo xtask prune --model {name} a smaller one"
    ));
    Ok(())
}
