//! `ember-probe`: what `cargo xtask` starts when a command is about real chips and probes.
//!
//! Exit statuses: 0; 1 for an error; 2 where there is no probe that can be used; 130 after ctrl-C.

#![allow(
    unreachable_pub,
    reason = "a program has no outside; `pub` marks what other modules use"
)]

mod cli;
mod deploy;

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
            console.error(error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: &Command, console: &Console) -> Result<(), ProbeError> {
    match command {
        Command::Probes { json } => list_probes(*json, console),
        Command::Deploy(settings) => deploy::deploy(settings, console),
        Command::Run(settings) => deploy::run(settings, console),
    }
}

/// Lists the probes. That there is none is an error for a person, and an empty list for a program.
fn list_probes(json: bool, console: &Console) -> Result<(), ProbeError> {
    let found = probes::list(&Lister::new());
    if json {
        console.result(cli::json(&found));
        return Ok(());
    }
    if found.is_empty() {
        return Err(ProbeError::NoProbe);
    }
    for probe in found {
        console.result(probe.to_string());
    }
    Ok(())
}
