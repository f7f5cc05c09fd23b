//! How soon the training of the reference model reaches an accuracy.

use std::process::Command;

use anyhow::{Context, Result};
use ember_report::{Entry, Heading, Sheet, TerminalStyle};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cli::TrainSettings;
use crate::stages::data::Data;
use crate::stages::train;
use crate::{json, toolchain, workspace};

/// Seeds that are trained with.
const SEEDS: [u64; 3] = [0, 1, 2];

/// The accuracy on the test set that the time is taken to.
const ACCURACY: f64 = 0.977;

/// One training.
#[derive(Clone, Debug, Serialize)]
pub struct TrainingCost {
    /// Source of initial weights and order.
    pub seed: u64,
    /// From the start of the process to the end of the first test that had the accuracy; none where none had.
    pub seconds_to_accuracy: Option<f64>,
    /// The epoch after which that was.
    pub epoch: Option<u64>,
    /// All epochs with their validation and tests.
    pub fit_seconds: f64,
    /// The whole process.
    pub process_seconds: f64,
    /// After the last epoch.
    pub test_accuracy: f64,
}

/// What `training.json` says, as far as it is needed here.
#[derive(Deserialize)]
struct Record {
    seconds: f64,
    process_seconds: f64,
    test_accuracy: f64,
    history: Vec<Epoch>,
}

#[derive(Deserialize)]
struct Epoch {
    epoch: u64,
    test_accuracy: Option<f64>,
    tested_after_seconds: Option<f64>,
}

/// Trains with the default settings from three seeds, testing after each epoch, and shows a table; wall times, so they are never
/// compared with a baseline.
///
/// # Errors
/// What the training program says.
pub fn run(app: &App, data: &Data, settings: &TrainSettings) -> Result<Vec<TrainingCost>> {
    train::build(app)?;
    let mut costs = Vec::new();
    for seed in SEEDS {
        app.go_on()?;
        let out = workspace::target_dir()?
            .join("bench")
            .join(format!("training-{seed}"));
        let mut command = Command::new(workspace::program(train::PROGRAM)?);
        command
            .args(train::arguments(settings, &data.argument))
            .args(["--seed", &seed.to_string()])
            .args(["--test-each-epoch", "--force", "--quiet"])
            .arg("--out")
            .arg(&out);
        toolchain::run_ours(&mut command)?;
        let record: Record = json::read(&out.join("training.json"))?;
        let reached = record.history.iter().find(|epoch| {
            epoch
                .test_accuracy
                .is_some_and(|accuracy| accuracy >= ACCURACY)
        });
        costs.push(TrainingCost {
            seed,
            seconds_to_accuracy: reached.and_then(|epoch| epoch.tested_after_seconds),
            epoch: reached.map(|epoch| epoch.epoch),
            fit_seconds: record.seconds,
            process_seconds: record.process_seconds,
            test_accuracy: record.test_accuracy,
        });
    }
    let last = costs.last().context("no seed to train with")?;
    app.console
        .step("Trained", format!("seeds up to {}", last.seed));
    show(app, &costs, settings, &data.dataset.name);
    Ok(costs)
}

fn show(app: &App, costs: &[TrainingCost], settings: &TrainSettings, dataset: &str) {
    let mut sheet = Sheet::new(
        &format!(
            "{} on {dataset}, {} epochs",
            settings.model, settings.epochs
        ),
        &[
            Heading::Words("seed"),
            Heading::Figures("s to 97.7 %"),
            Heading::Figures("after epoch"),
            Heading::Figures("s of the fit"),
            Heading::Figures("s of the process"),
            Heading::Figures("test accuracy"),
        ],
    );
    let seconds = |seconds: f64| Entry::Text(format!("{seconds:.1}"));
    for cost in costs {
        sheet.row([
            Entry::Text(cost.seed.to_string()),
            cost.seconds_to_accuracy.map_or(Entry::None, seconds),
            Entry::count(cost.epoch),
            seconds(cost.fit_seconds),
            seconds(cost.process_seconds),
            Entry::Percent(cost.test_accuracy),
        ]);
    }
    sheet.note(
        "Wall times, the tests after each epoch included. Keras on two cores of such a machine: 22.7 s for 5 epochs, 28 s for the \
         process; tools/ has the script that trains it.",
    );
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
}
