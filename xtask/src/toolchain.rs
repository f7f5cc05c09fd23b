//! The programs that xtask starts: cargo, rustc, rustup, QEMU. What is missing is installed or named with its command.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A `cargo` that works in the root of the checkout.
#[must_use]
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    // What `cargo run` set for xtask must not leak into the builds that xtask starts: it would make their fingerprints differ.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end.
///
/// # Errors
/// A program that cannot be started, was interrupted, or failed: the command line is in the message. A child that was
/// stopped by ctrl-C gives [`Interrupted`].
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`: is it installed and on PATH?"))?;
    check(&line, status)
}

/// Runs a program of ours, which says itself what went wrong.
///
/// # Errors
/// [`Reported`] when it failed; otherwise as [`run`].
pub fn run_ours(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    match status.code() {
        Some(0 | INTERRUPTED) | None => check(&line, status),
        Some(code) => Err(Reported(u8::try_from(code).unwrap_or(1)).into()),
    }
}

/// Something failed, and the program that failed has said so; with its exit code.
#[derive(Debug)]
pub struct Reported(pub u8);

impl std::fmt::Display for Reported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a program failed; what it said stands above")
    }
}

impl std::error::Error for Reported {}

/// Runs `command` to its end and gives its standard output.
///
/// # Errors
/// As [`run`]; its standard error is in the message.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{line}`: is it installed and on PATH?"))?;
    if !output.status.success() {
        bail!(
            "`{line}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check(line: &str, status: ExitStatus) -> Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        Some(INTERRUPTED) => Err(Interrupted.into()),
        Some(code) => bail!("`{line}` failed with exit code {code}"),
        None => Err(Interrupted.into()),
    }
}

/// What a program that obeyed ctrl-C exits with (128 + SIGINT).
pub const INTERRUPTED: i32 = 130;

/// The user pressed ctrl-C.
#[derive(Debug)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted; finished stages are kept, and an interrupted training goes on with --resume")
    }
}

impl std::error::Error for Interrupted {}

fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

/// `rustc 1.95.0 (59807616e 2026-04-14)`.
///
/// # Errors
/// No `rustc`.
pub fn rustc_version() -> Result<String> {
    Ok(output(
        Command::new("rustc")
            .arg("--version")
            .current_dir(workspace::root()),
    )?
    .trim()
    .to_owned())
}

/// Where `program` is on PATH.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths)
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}
