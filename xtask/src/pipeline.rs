//! `cargo xtask pipeline`: all stages in order.

use anyhow::Result;
use ember_deploy::firmware::ensure_target;

use crate::app::App;
use crate::cli::Pipeline;
use crate::manifest::RunDir;
use crate::stages::{codegen, data, emulate, eval, firmware, quantize, report, train};
use crate::workspace;

/// Runs every stage whose inputs changed.
///
/// # Errors
/// The first stage that fails. What the stages need is checked before the first long one begins.
pub fn run(app: &App, settings: &Pipeline) -> Result<()> {
    let (stage, force) = (&settings.stage, settings.stage.force);
    let run = RunDir::new(&stage.name)?;
    let targets = emulate::plan(app, &settings.run)?;
    for target in &targets {
        ensure_target(&workspace::root(), target.firmware.machine.target, false)?;
    }
    train::check(&settings.train)?;
    let data = data::resolve(app, &settings.data)?;
    train::run(app, &run, force, &data, &settings.train, settings.resume)?;
    quantize::run(app, &run, force, &data, &settings.quantize)?;
    eval::run(app, &run, force, &data)?;
    codegen::run(app, &run, force, settings.run.engine)?;
    for target in &targets {
        firmware::run(app, &run, force, target.firmware)?;
        emulate::run(app, &run, force, &data, target)?;
    }
    report::run(app, &run)
}
