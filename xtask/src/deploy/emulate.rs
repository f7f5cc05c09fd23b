//! An emulator in place of the chip: it is given the very file that would be flashed, and talked to over the same channel.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::Result;
use ember_deploy::DeployError;
use ember_deploy::chip::Plan;
use ember_deploy::converse::{Answer, Patience};
use ember_deploy::emulate::{ChipEmulator, ChipJob};
use ember_deploy::firmware::Target;
use ember_deploy::image::Image;
use ember_progress::Unit;

use super::inputs::Questions;
use super::show::Run;
use crate::app::App;
use crate::toolchain::Interrupted;

/// The emulator that has `plan`'s chip.
///
/// # Errors
/// None has it, or the one that has is not installed.
pub fn choose(plan: &Plan) -> Result<ChipEmulator> {
    Ok(ChipEmulator::choose(plan)?)
}

/// Runs the image in the HEX file; `image` has its symbols.
///
/// # Errors
/// What the emulator or the firmware says; ctrl-C.
pub fn run(
    app: &App,
    plan: &Plan,
    target: &Target,
    image: &Image,
    hex: &Path,
    questions: &Questions,
) -> Result<Run> {
    let emulator = choose(plan)?;
    if let Some(note) = emulator.note(plan) {
        app.console.notice(note);
    }
    let job = ChipJob {
        plan,
        target,
        image,
        hex,
        input_bytes: questions.input_bytes,
        patience: Patience::default(),
    };
    let bar = app.console.bar(
        format!("Running on {} in {}", plan.name, emulator.title()),
        questions.count() as u64,
        Unit::Images,
    );
    let mut progress = |answer: Option<Answer<'_>>| {
        if let Some(answer) = answer {
            bar.set(answer.index as u64 + 1);
        }
        if app.cancelled().load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let outcome = match emulator.run(&job, &questions.inputs, &mut progress) {
        Err(DeployError::Stopped { .. }) => return Err(Interrupted.into()),
        other => other?,
    };
    bar.clear();
    Ok(Run::of_emulator(&outcome, questions))
}
