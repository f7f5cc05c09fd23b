//! The program that has probe-rs in it: compiled when a command needs it, and told what to do.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use ember_deploy::chip::Plan;

use crate::app::App;
use crate::toolchain::{self, Reported, cargo};
use crate::workspace;

/// `ember-probe`, compiled.
pub struct Program {
    path: PathBuf,
    quiet: bool,
}

impl Program {
    /// Compiles it; nothing happens where that was done.
    ///
    /// # Errors
    /// A build that fails.
    pub fn build(app: &App) -> Result<Self> {
        let path = workspace::program("ember-probe")?;
        if !path.is_file() {
            app.console.step(
                "Building",
                "ember-probe with probe-rs (once, about a minute)",
            );
        }
        let mut command = cargo();
        command.args(["build", "--release", "--package", "ember-probe"]);
        if app.quiet || path.is_file() {
            command.arg("--quiet");
        }
        toolchain::run(&mut command)?;
        Ok(Self {
            path,
            quiet: app.quiet,
        })
    }

    /// A command line that begins with `subcommand`.
    #[must_use]
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(subcommand);
        if self.quiet {
            command.arg("--quiet");
        }
        command
    }

    /// What is known of the chip called `name`.
    ///
    /// # Errors
    /// [`Reported`]: no such chip, several, or one that cannot be deployed to; the program has said which.
    pub fn plan(&self, name: &str) -> Result<Plan> {
        let output = self
            .command("plan")
            .args(["--chip", name])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start ember-probe")?;
        if !output.status.success() {
            let code = output
                .status
                .code()
                .and_then(|code| u8::try_from(code).ok());
            return Err(Reported(code.unwrap_or(1)).into());
        }
        serde_json::from_slice(&output.stdout).context("ember-probe printed no plan")
    }
}
