//! `ember-probe`: what `cargo xtask` starts when a command is about real chips and probes.
//!
//! Exit statuses: 0; 1 for an error; 2 where there is no probe that can be used; 130 after ctrl-C.

#![allow(
    unreachable_pub,
    reason = "a program has no outside; `pub` marks what other modules use"
)]

mod chip;
mod cli;
mod deploy;

use anyhow::Result;
use clap::Parser;
use clap::error::ErrorKind;
use cli::{Cli, Command};
use ember_probe::ProbeError;
use ember_probe::session::probes;
use ember_progress::Console;
use probe_rs::probe::list::Lister;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            let _ = told.print();
            let asked = matches!(
                told.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // clap's own status for a wrong command line means here that there is no probe.
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
        }
    };
    let console = Console::new(cli.quiet);
    match dispatch(&cli.command, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console.error(format!("{error:#}"));
            let status = error.downcast_ref().map_or(1, ProbeError::exit_code);
            ExitCode::from(status)
        }
    }
}

fn dispatch(command: &Command, console: &Console) -> Result<()> {
    match command {
        Command::Chips(settings) => chip::list(settings, console),
        Command::Plan(settings) => chip::plan(settings, console),
        Command::FlashPlan(settings) => chip::flash_plan(settings, console),
        Command::Probes { json } => list_probes(*json, console),
        Command::Deploy(settings) => deploy::deploy(settings, console),
        Command::Update(settings) => deploy::update(settings, console),
        Command::Run(settings) => deploy::run(settings, console),
    }
}

/// Lists the probes. That there is none is an error for a person, and an empty list for a program.
fn list_probes(json: bool, console: &Console) -> Result<()> {
    let found = probes::list(&Lister::new());
    if json {
        console.result(cli::json(&found)?);
        return Ok(());
    }
    if found.is_empty() {
        return Err(ProbeError::NoProbe.into());
    }
    for probe in found {
        console.result(probe.to_string());
    }
    Ok(())
}
