//! Turns the int8 model into Rust source: its bytes for the interpreter, or code that computes it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file;
use crate::app::App;
use crate::cli::Engine;
use crate::manifest::{Inputs, RunDir};
use crate::{atomic, workspace};

/// The source for an engine, and the stage that makes it.
const fn of(engine: Engine) -> (&'static str, &'static str) {
    match engine {
        Engine::Interpreter => (file::SOURCE, "codegen"),
        Engine::Compiled => (file::COMPILED, "codegen --compiled"),
    }
}

/// Writes the model's source for `engine`.
///
/// # Errors
/// A missing or damaged model, or one that the engine does not run.
pub fn run(app: &App, run: &RunDir, force: bool, engine: Engine) -> Result<()> {
    let (name, stage) = of(engine);
    let model = run.existing(file::INT8, "quantize")?;
    let inputs = Inputs::of_sources("ember-codegen")?.file(&model)?;
    app.stage(run, stage, force, inputs, || {
        let bytes = workspace::read(&model)?;
        let source = match engine {
            Engine::Interpreter => ember_codegen::source::rust_source(&bytes),
            Engine::Compiled => ember_codegen::compiled::source(&bytes),
        };
        let source = source.with_context(|| {
            format!("cannot turn {} into Rust source", workspace::shown(&model))
        })?;
        atomic::write(&run.file(name), source.as_bytes())?;
        app.console
            .step("Generated", workspace::shown(&run.file(name)));
        Ok(vec![name.to_owned()])
    })
}

/// The source for `engine`, which was made before.
///
/// # Errors
/// Where it is not there: the command that makes it.
pub fn existing(run: &RunDir, engine: Engine) -> Result<PathBuf> {
    let (name, made_by) = of(engine);
    run.existing(name, made_by)
}

/// A number that the source of a compiled model says of itself.
///
/// # Errors
/// A source without it.
pub fn constant(source: &Path, name: &str) -> Result<u64> {
    let text = String::from_utf8(workspace::read(source)?)?;
    let line = format!("pub const {name}: usize = ");
    let value = text.lines().find_map(|text| {
        let value = text.strip_prefix(&line)?.strip_suffix(';')?;
        value.parse().ok()
    });
    value.with_context(|| {
        format!(
            "{} has no {name}: make it again with `cargo xtask codegen --compiled --force`",
            workspace::shown(source)
        )
    })
}
