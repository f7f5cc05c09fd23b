//! What a chip said, beside what the host says.

use anyhow::{Result, bail};
use ember_deploy::chip::Plan;
use ember_deploy::emulate::Outcome;
use ember_deploy::findings;
use ember_report::{Entry, Heading, Sheet, TerminalStyle};
use serde::Serialize;

use super::build;
use super::inputs::Questions;
use super::model::Chosen;
use crate::app::App;
use crate::stages::emulate;
use crate::{json, workspace};

/// What a chip, or what plays it, said.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The emulator with its version, or the probe.
    pub through: String,
    /// What the numbers of [`Run::ticks_per_inference`] are: instructions of an emulator, cycles of a chip.
    pub unit: &'static str,
    /// Inputs answered.
    pub answered: u64,
    /// Answers that differ from the host's in any byte.
    pub mismatches_with_host: u64,
    /// Answers whose greatest score is that of the label, where there are labels.
    pub right: Option<u64>,
    /// Mean over the answers.
    pub ticks_per_inference: u64,
    /// Reading and preparing the model, once.
    pub init_ticks: u64,
    /// Milliseconds of an inference by the chip's own clock; none in an emulator.
    pub milliseconds: Option<f64>,
    /// High-water mark of the stack in bytes.
    pub stack_bytes: u64,
    /// Bytes of the arena that the model takes.
    pub arena_bytes: u64,
    /// Name and ticks of each operator.
    pub ops: Vec<(String, u64)>,
}

impl Run {
    /// What an emulated chip said.
    #[must_use]
    pub fn of_emulator(outcome: &Outcome, questions: &Questions) -> Self {
        Self {
            through: outcome.emulator.clone(),
            unit: "instructions",
            answered: outcome.images as u64,
            mismatches_with_host: questions.mismatches(&outcome.outputs) as u64,
            right: questions.right(&outcome.outputs).map(|right| right as u64),
            ticks_per_inference: outcome.instructions_per_inference(),
            init_ticks: outcome.device.prepare_instructions,
            milliseconds: None,
            stack_bytes: outcome.stack_bytes.into(),
            arena_bytes: outcome.device.arena_used_bytes.into(),
            ops: outcome
                .operators
                .iter()
                .map(|cost| (emulate::op_name(cost.builtin_code), cost.instructions))
                .collect(),
        }
    }

    /// What a chip said through a probe.
    #[must_use]
    pub fn of_chip(through: String, run: &findings::Run) -> Self {
        Self {
            through,
            unit: if run.timer == "none" {
                "cycles (no counter)"
            } else {
                "cycles"
            },
            answered: run.images,
            mismatches_with_host: run.mismatches.unwrap_or(run.images),
            right: run.correct,
            ticks_per_inference: run.ticks_per_inference(),
            init_ticks: run.prepare_ticks,
            milliseconds: run.milliseconds(run.ticks_per_inference()),
            stack_bytes: run.stack_bytes.into(),
            arena_bytes: run.arena_used_bytes.into(),
            ops: run
                .operators
                .iter()
                .map(|operator| (emulate::op_name(operator.builtin_code), operator.ticks))
                .collect(),
        }
    }
}

/// Writes `result.json` beside the image's files and shows what is in it.
///
/// # Errors
/// An answer that is not the host's: the chip and the host must agree to the byte.
pub fn result(
    app: &App,
    plan: &Plan,
    model: &Chosen,
    questions: &Questions,
    run: &Run,
) -> Result<()> {
    let path = build::folder(&plan.name).join("result.json");
    json::write(&path, run)?;
    let mut sheet = Sheet::new(
        &format!("{} on {}, {}", model.title, plan.name, run.through),
        &[
            Heading::Words("operator"),
            Heading::Figures(run.unit),
            Heading::Figures("share"),
        ],
    );
    let all: u64 = run.ops.iter().map(|(_, ticks)| ticks).sum();
    for (name, ticks) in &run.ops {
        let share = (all > 0).then(|| *ticks as f64 / all as f64);
        sheet.row([
            name.clone().into(),
            Entry::Count(*ticks),
            Entry::percent(share),
        ]);
    }
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    let mut facts = vec![format!(
        "{}: {} mismatches with the host",
        questions.what, run.mismatches_with_host
    )];
    if let Some(right) = run.right {
        facts.push(format!(
            "{:.2} % right",
            100.0 * right as f64 / run.answered.max(1) as f64
        ));
    }
    facts.push(format!(
        "{} {} per inference",
        run.ticks_per_inference, run.unit
    ));
    facts.extend(run.milliseconds.map(|ms| format!("{ms:.3} ms")));
    facts.push(format!(
        "{} {} to start, {} bytes of stack, {} of arena",
        run.init_ticks, run.unit, run.stack_bytes, run.arena_bytes
    ));
    app.console.result(facts.join(", "));
    if run.mismatches_with_host > 0 {
        bail!(
            "{} of {} answers are not the host's: chip and host must agree to the byte; the answers are in {}",
            run.mismatches_with_host,
            run.answered,
            workspace::shown(&path)
        );
    }
    Ok(())
}
