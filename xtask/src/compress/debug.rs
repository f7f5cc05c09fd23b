//! The quantization debugger: what each layer loses, and a recipe that loses less.

use std::path::Path;

use anyhow::{Context, Result};
use ember_compress::Recipe;
use ember_compress::calibrate::Calibration;
use ember_compress::debug::{DebugReport, Fix, debug, fix};
use ember_graph::{Graph, QuantizedGraph};
use ember_report::{QuantizationLoss, TerminalStyle};

use crate::app::App;
use crate::atomic;
use crate::cli::compress::QuantizeCommand;
use crate::stages::data::Data;
use crate::workspace::shown;

/// Training images that the layers are compared on, and the seed that draws them.
const IMAGES: (usize, u64) = (200, 1);

/// A step up in precision must win so much signal to noise at the outputs to be kept, in decibels.
const GAIN_DB: f64 = 0.5;

/// A model and what it is compared with.
pub struct Measured<'a> {
    /// In float.
    pub graph: &'a Graph,
    /// Quantized by `recipe`.
    pub quantized: &'a QuantizedGraph,
    /// Its ranges, where it needs them.
    pub calibration: Option<&'a Calibration>,
    /// How it was quantized.
    pub recipe: &'a Recipe,
}

/// Shows what each layer loses, worst first, and writes it beside `path`; with `--fix` the recipe that came of trying higher
/// precision, written beside it, too, where that helped.
///
/// # Errors
/// Images that do not fit the model, or a file that cannot be written.
pub fn run(
    app: &App,
    data: &Data,
    settings: &QuantizeCommand,
    measured: &Measured<'_>,
    path: &Path,
) -> Result<Option<Recipe>> {
    let images = &data.dataset.train;
    let (count, seed) = IMAGES;
    let report = debug(measured.graph, measured.quantized, images, count, seed)?;
    if settings.debug {
        show(app, &report, path)?;
    }
    let Some(layers) = settings.fix else {
        return Ok(None);
    };
    let calibration = measured.calibration.context(
        "higher precision is tried with the ranges of the activations, and there are none",
    )?;
    let score = |quantized: &QuantizedGraph| -> Result<f64> {
        app.go_on()?;
        let report = debug(measured.graph, quantized, images, count, seed)?;
        Ok(report.outputs.snr_db.unwrap_or(f64::INFINITY))
    };
    let fixed = fix(
        measured.graph,
        calibration,
        measured.recipe,
        &report,
        layers,
        GAIN_DB,
        score,
    )?;
    tell(app, &fixed);
    let beside = path.with_extension("recipe.toml");
    atomic::write(&beside, fixed.recipe.to_toml()?.as_bytes())?;
    app.console.step("Wrote", shown(&beside));
    Ok(Some(fixed.recipe))
}

/// Shows the table, and writes it with its plot and all figures into a folder beside the model.
fn show(app: &App, report: &DebugReport, path: &Path) -> Result<()> {
    // Both crates have the fields under the same names, so that neither needs the other.
    let loss: QuantizationLoss = serde_json::from_value(serde_json::to_value(report)?)?;
    let model = path.file_stem().unwrap_or_default().to_string_lossy();
    app.console.result(
        loss.sheet(&model)
            .to_terminal(TerminalStyle::detect())
            .trim_end(),
    );
    for written in loss.write_all(&model, &path.with_extension("debug"))? {
        app.console.step("Wrote", shown(&written));
    }
    Ok(())
}

fn tell(app: &App, fixed: &Fix) {
    for trial in &fixed.trials {
        app.console.line(format!(
            "{:>12} {} weights, {} activations instead of {}, {}: {:.1} dB at the outputs, {}",
            trial.layer,
            trial.to[0],
            trial.to[1],
            trial.from[0],
            trial.from[1],
            trial.score,
            if trial.kept { "kept" } else { "not worth it" }
        ));
    }
    app.console.step(
        "Fixed",
        format!(
            "signal to noise at the outputs {:.1} dB, {:.1} dB before",
            fixed.after, fixed.before
        ),
    );
}
