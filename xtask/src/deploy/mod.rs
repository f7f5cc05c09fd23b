//! Commands about chips that can be bought: `chips`, `probes`, `fit`, `deploy`.

mod inputs;
mod model;
mod program;

use anyhow::Result;

use crate::app::App;
use crate::cli::deploy::{Chips, Probes};
use crate::toolchain;
use program::Program;

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
