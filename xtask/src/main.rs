//! `cargo xtask`: orchestrates the pipeline from data to microcontroller.
//!
//! **Invariant:** neither Burn nor probe-rs is compiled for this binary. It starts the programs that need them.

#![allow(
    unreachable_pub,
    reason = "a program has no outside; `pub` marks what other modules use"
)]

mod app;
mod atomic;
mod bench;
mod ci;
mod cli;
mod compare;
mod compress;
mod deploy;
mod doctor;
mod gpu;
mod hash;
mod import;
mod json;
mod manifest;
mod model;
mod named;
mod npu;
mod pipeline;
mod stages;
mod tidy;
mod toolchain;
mod verify;
mod workspace;
mod zoo;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use app::App;
use cli::{Cli, Command, Engine};
use manifest::RunDir;
use stages::firmware::Firmware;
use toolchain::{Interrupted, Reported};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let app = App::new(cli.quiet);
    match dispatch(&app, &cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            app.console.error(error.to_string());
            ExitCode::from(toolchain::INTERRUPTED as u8)
        }
        Err(error) => match error.downcast_ref::<Reported>() {
            Some(Reported(code)) => ExitCode::from(*code),
            None => {
                app.console.error(told(&error));
                ExitCode::FAILURE
            }
        },
    }
}

/// The error with its causes, each said once: some errors have their cause in their own text already.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text
}

fn dispatch(app: &App, command: &Command) -> Result<()> {
    match command {
        Command::Pipeline(settings) => pipeline::run(app, settings),
        Command::Data(settings) => stages::data::run(app, &settings.data),
        Command::Train(settings) => {
            let run = RunDir::new(&settings.stage.name)?;
            let data = stages::data::resolve(app, &settings.data)?;
            stages::train::run(
                app,
                &run,
                settings.stage.force,
                &data,
                &settings.train,
                settings.resume,
            )
        }
        Command::Import(settings) => import::run(app, settings),
        Command::Quantize(settings) if settings.is_for_one_model() => {
            compress::quantize(app, settings)
        }
        Command::Quantize(settings) => {
            let run = RunDir::new(&settings.stage.name)?;
            let data = stages::data::resolve(app, &settings.data)?;
            stages::quantize::run(app, &run, settings.stage.force, &data, &settings.quantize)
        }
        Command::Prune(settings) => compress::prune(app, settings),
        Command::Cluster(settings) => compress::cluster(app, settings),
        Command::Eval(settings) => {
            let run = RunDir::new(&settings.stage.name)?;
            let data = stages::data::resolve(app, &settings.data)?;
            stages::eval::run(app, &run, settings.stage.force, &data)?;
            if settings.engine == Engine::Compiled {
                stages::codegen::run(app, &run, settings.stage.force, Engine::Compiled)?;
                stages::eval::compiled(app, &run, &data)?;
            }
            Ok(())
        }
        Command::Codegen(settings) => {
            let engine = if settings.compiled {
                Engine::Compiled
            } else {
                Engine::Interpreter
            };
            let run = RunDir::new(&settings.stage.name)?;
            stages::codegen::run(app, &run, settings.stage.force, engine)
        }
        Command::Firmware(settings) => {
            let run = RunDir::new(&settings.stage.name)?;
            for machine in stages::firmware::chosen(&settings.on)? {
                let firmware = Firmware {
                    machine,
                    engine: settings.engine,
                };
                stages::firmware::run(app, &run, settings.stage.force, firmware)?;
            }
            Ok(())
        }
        Command::Run(settings) => {
            let run = RunDir::new(&settings.stage.name)?;
            let plan = stages::emulate::plan(app, &settings.run)?;
            let data = stages::data::resolve(app, &settings.data)?;
            for target in &plan {
                stages::firmware::run(app, &run, settings.stage.force, target.firmware)?;
                stages::emulate::run(app, &run, settings.stage.force, &data, target)?;
            }
            Ok(())
        }
        Command::Deploy(settings) => deploy::deploy(app, settings),
        Command::Chips(settings) => deploy::chips(app, settings),
        Command::Probes(settings) => deploy::probes(app, settings),
        Command::Fit(settings) => deploy::fit(app, settings),
        Command::Model(settings) => model::run(app, settings),
        Command::Report(stage) => stages::report::run(app, &RunDir::new(&stage.name)?),
        Command::Zoo => zoo::list(app),
        Command::Verify(settings) => verify::run(app, settings),
        Command::Doctor => doctor::run(app),
        Command::Bench(settings) => bench::run(app, settings),
        Command::Compare(settings) => compare::run(app, settings),
        Command::Test => ci::test(app),
        Command::Tidy => tidy::run(),
        Command::Footprint { model } => stages::eval::footprint(app, model),
        Command::Ci(settings) => ci::run(app, settings),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow!("no room")
            .context("cannot write x: no room")
            .context("stage");
        assert_eq!(super::told(&error), "stage: cannot write x: no room");
        let error = anyhow!("no room").context("cannot write x");
        assert_eq!(super::told(&error), "cannot write x: no room");
    }
}
