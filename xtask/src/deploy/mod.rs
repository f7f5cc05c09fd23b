//! Commands about chips that can be bought: `chips`, `probes`, `fit`, `deploy`.
//!
//! The program `ember-probe` knows the chips and reaches the probes; what is built, laid out, emulated and compared is
//! here.

mod build;
pub mod cost;
mod emulate;
mod fit;
pub mod inputs;
pub mod model;
mod probe;
mod program;
mod show;
mod update;

use anyhow::{Result, bail};

use crate::app::App;
use crate::cli::Engine;
use crate::cli::deploy::{Chips, Deploy, Probes};
use crate::stages::data;
use crate::toolchain;
use program::Program;

pub use fit::run as fit;

/// `cargo xtask chips`.
///
/// # Errors
/// What `ember-probe` says.
pub fn chips(app: &App, settings: &Chips) -> Result<()> {
    let program = Program::build(app)?;
    let mut command = program.command("chips");
    command.args(&settings.search);
    if settings.json {
        command.arg("--json");
    }
    toolchain::run_ours(&mut command)
}

/// `cargo xtask probes`.
///
/// # Errors
/// What `ember-probe` says: exit code 2 when there is none.
pub fn probes(app: &App, settings: &Probes) -> Result<()> {
    let program = Program::build(app)?;
    let mut command = program.command("probes");
    if settings.json {
        command.arg("--json");
    }
    toolchain::run_ours(&mut command)
}

/// `cargo xtask deploy`.
///
/// # Errors
/// A chip that is not known or not supported, a model that does not fit, a build that fails, no probe (exit code 2), and a
/// chip whose answers are not the host's.
pub fn deploy(app: &App, settings: &Deploy) -> Result<()> {
    let program = Program::build(app)?;
    let plan = program.plan(&settings.chip)?;
    for note in &plan.notes {
        app.console.notice(note);
    }
    check_engine(settings)?;
    if let Some(model) = &settings.model_only {
        return update::run(app, &program, &plan, &model::choose(Some(model))?, settings);
    }
    let model = model::choose(settings.model.model.as_deref())?;
    if settings.emulate {
        // Said before the compiler runs.
        emulate::choose(&plan)?;
    }
    let need = fit::check(app, &plan, &model, settings)?;
    let built = build::run(app, &plan, &model, &need, settings)?;
    app.go_on()?;
    if settings.dry_run {
        return probe::dry_run(app, &program, &plan, &built);
    }
    let data = data::resolve(app, &settings.data)?;
    let questions = inputs::ask(&model.mapped, &data.dataset.test, settings.images as usize)?;
    let run = if settings.emulate {
        emulate::run(
            app,
            &plan,
            &built.target,
            &built.image,
            &built.hex,
            &questions,
        )?
    } else {
        match probe::run(app, &program, &plan, &built, &questions, settings)? {
            Some(run) => run,
            // Live: all was shown as it came.
            None => return Ok(()),
        }
    };
    show::result(app, &plan, &model, &questions, &run)
}

/// A compiled model is a part of the firmware: what is about models beside it cannot be had.
fn check_engine(settings: &Deploy) -> Result<()> {
    if settings.engine == Engine::Interpreter {
        return Ok(());
    }
    let wrong = [
        ("--model-only", settings.model_only.is_some()),
        ("--arena", settings.arena.is_some()),
        ("--all-kernels", settings.all_kernels),
        ("--public-key", settings.public_key.is_some()),
        ("--sign", settings.sign.is_some()),
    ];
    if let Some((flag, _)) = wrong.iter().find(|(_, given)| *given) {
        bail!(
            "{flag} is about models in flash slots, and a compiled model is a part of the firmware: leave one of both out"
        );
    }
    Ok(())
}
