//! Turns the int8 model into Rust source.

use anyhow::{Context, Result};

use super::file;
use crate::app::App;
use crate::manifest::{Inputs, RunDir};
use crate::{atomic, workspace};

/// Writes `model_data.rs` of `run`.
///
/// # Errors
/// A missing or damaged model, or one that the device runtime does not run.
pub fn run(app: &App, run: &RunDir, force: bool) -> Result<()> {
    let model = run.existing(file::INT8, "quantize")?;
    let inputs = Inputs::of_sources("ember-codegen")?.file(&model)?;
    app.stage(run, "codegen", force, inputs, || {
        let bytes = workspace::read(&model)?;
        let source = ember_codegen::source::rust_source(&bytes).with_context(|| {
            format!("cannot turn {} into Rust source", workspace::shown(&model))
        })?;
        atomic::write(&run.file(file::SOURCE), source.as_bytes())?;
        app.console
            .step("Generated", workspace::shown(&run.file(file::SOURCE)));
        Ok(vec![file::SOURCE.to_owned()])
    })
}
