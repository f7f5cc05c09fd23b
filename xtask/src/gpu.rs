//! The program that has Burn's wgpu backend in it: compiled when a command names the GPU as a delegate, and told what to do.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum as _;
use ember_data::Split;
use ember_graph::checkpoint;

use crate::app::App;
use crate::cli::model::DelegateName;
use crate::toolchain::{self, cargo};
use crate::{atomic, workspace, zoo};

/// The program.
pub const PROGRAM: &str = "ember-gpu";

/// A command line of the program.
pub struct Line {
    command: Command,
    path: PathBuf,
    quiet: bool,
}

impl Line {
    /// What it shall do with a model that these delegates run.
    ///
    /// # Errors
    /// A target folder that cannot be found.
    pub fn of(
        app: &App,
        subcommand: &str,
        model: &Path,
        delegates: &[DelegateName],
    ) -> Result<Line> {
        let path = workspace::program(PROGRAM)?;
        let mut command = Command::new(&path);
        command.arg(subcommand).arg(model);
        let names = delegates.iter().filter_map(DelegateName::to_possible_value);
        let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
        command.arg("--delegate").arg(names.join(","));
        if app.quiet {
            command.arg("--quiet");
        }
        // Mesa's drivers look for a display there, and print an error that is none where the variable is not set.
        if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
        }
        Ok(Line {
            command,
            path,
            quiet: app.quiet,
        })
    }

    /// With a flag that has a value.
    #[must_use]
    pub fn with(mut self, flag: &str, value: impl AsRef<OsStr>) -> Line {
        // One argument, so that a value may begin with a dash.
        let mut argument = std::ffi::OsString::from(flag);
        argument.push("=");
        argument.push(value);
        self.command.arg(argument);
        self
    }

    /// With a flag, where `wanted`.
    #[must_use]
    pub fn flag(mut self, flag: &str, wanted: bool) -> Line {
        if wanted {
            self.command.arg(flag);
        }
        self
    }

    /// Compiles the program, which is nothing where that was done, and runs it.
    ///
    /// # Errors
    /// A build that fails; [`Reported`](toolchain::Reported) where the program said what went wrong.
    pub fn run(mut self, app: &App) -> Result<()> {
        let known = self.path.is_file();
        if !known {
            app.console.step(
                "Building",
                "ember-gpu with Burn's wgpu backend (minutes the first time)",
            );
        }
        let mut build = cargo();
        build.args(["build", "--release", "--package", PROGRAM]);
        if self.quiet || known {
            build.arg("--quiet");
        }
        toolchain::run(&mut build)?;
        toolchain::run_ours(&mut self.command)
    }
}

/// Writes the models of the zoo into `folder` as float32 files, which is what the GPU takes.
///
/// # Errors
/// A checkpoint that cannot be read, or a file that cannot be written.
pub fn write_float_zoo(folder: &Path) -> Result<()> {
    for zoo in zoo::all()? {
        let graph = checkpoint::load(&zoo.file(zoo::CHECKPOINT))?.graph;
        let name = format!("{}.tflite", zoo.name());
        atomic::write(&folder.join(name), &ember_codegen::tflite::float32(&graph)?)?;
    }
    Ok(())
}

/// Measures accuracy on these images.
///
/// # Errors
/// As [`Line::run`]; files for the images that cannot be written.
pub fn accuracy(app: &App, model: &Path, delegates: &[DelegateName], images: &Split) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (pixels, labels) = (folder.path().join("images"), folder.path().join("labels"));
    atomic::write(&pixels, images.images())?;
    atomic::write(&labels, images.labels())?;
    Line::of(app, "accuracy", model, delegates)?
        .with("--images", pixels)
        .with("--labels", labels)
        .with("--rows", images.rows().to_string())
        .with("--cols", images.cols().to_string())
        .run(app)
}
