//! From the trained graph to model files: passes, calibration, quantization, `.tflite`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use ember_compress::Recipe;
use ember_compress::calibrate::{self, Calibration, Range};
use ember_graph::{Graph, checkpoint};
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::file;
use crate::app::App;
use crate::cli::QuantizeSettings;
use crate::manifest::{Inputs, RunDir};
use crate::{atomic, json, workspace};

/// `ranges.json`: what the activations reached over the representative data set. With it a model is quantized again to
/// the same bytes where the data set is not at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// The data set that the representative images are from.
    pub dataset: String,
    /// How many of its training images.
    pub images: u64,
    /// The seed that drew them.
    pub seed: u64,
    /// Least and greatest number per value of the graph.
    pub ranges: BTreeMap<String, [f32; 2]>,
}

impl Ranges {
    fn new(graph: &Graph, calibration: &Calibration, dataset: &str, seed: u64) -> Self {
        Self {
            dataset: dataset.to_owned(),
            images: calibration.samples() as u64,
            seed,
            ranges: calibration
                .named(graph)
                .map(|(name, range)| (name.to_owned(), [range.min, range.max]))
                .collect(),
        }
    }

    fn calibration(&self, graph: &Graph) -> Result<Calibration> {
        let named = self.ranges.iter().map(|(name, [min, max])| {
            (
                name.as_str(),
                Range {
                    min: *min,
                    max: *max,
                },
            )
        });
        Ok(Calibration::from_named(graph, self.images as usize, named)?)
    }
}

/// The files that a trained graph becomes.
pub struct ModelFiles {
    /// The float model.
    pub float32: Vec<u8>,
    /// The int8 model.
    pub int8: Vec<u8>,
}

/// The checkpoint's graph after the passes, and what they did.
///
/// # Errors
/// A checkpoint that cannot be read, or a pass that fails.
pub fn optimized(checkpoint: &Path) -> Result<(Graph, Vec<ember_compress::passes::Change>)> {
    let trained = checkpoint::load(checkpoint)?.graph;
    Ok(ember_compress::optimize(&trained)?)
}

/// Writes both model files of an optimized graph from ranges that were measured before.
///
/// # Errors
/// Ranges of another graph, or a graph that cannot be lowered.
pub fn lower(graph: &Graph, ranges: &Ranges) -> Result<ModelFiles> {
    lower_by(graph, ranges, &Recipe::default())
}

fn lower_by(graph: &Graph, ranges: &Ranges, recipe: &Recipe) -> Result<ModelFiles> {
    let calibration = ranges.calibration(graph)?;
    let quantized = ember_compress::quantize_by(graph, Some(&calibration), recipe)?;
    Ok(ModelFiles {
        float32: ember_codegen::tflite::float32(graph)?,
        int8: ember_codegen::tflite::quantized(&quantized)?,
    })
}

/// Measures the ranges of an optimized graph.
///
/// # Errors
/// Images that do not fit the graph.
pub fn calibrate(graph: &Graph, data: &Data, images: u64, seed: u64) -> Result<Ranges> {
    let calibration = calibrate::calibrate(graph, &data.dataset.train, images as usize, seed)?;
    Ok(Ranges::new(graph, &calibration, &data.dataset.name, seed))
}

/// The ranges and the recipe that a training for low precision left; none after another training.
fn trained_for(run: &RunDir) -> Result<Option<(Ranges, Recipe)>> {
    let [ranges, recipe] = [file::TRAINED_RANGES, file::TRAINED_RECIPE].map(|name| run.file(name));
    if !ranges.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&recipe)
        .with_context(|| format!("cannot read {}", workspace::shown(&recipe)))?;
    let recipe = Recipe::parse(&text)
        .with_context(|| format!("{} is not a recipe", workspace::shown(&recipe)))?;
    Ok(Some((json::read(&ranges)?, recipe)))
}

/// Quantizes the trained model of `run`: as it was trained to be, or calibrated where it was trained in float.
///
/// # Errors
/// A missing or damaged checkpoint, images that do not fit it, a graph that cannot be quantized.
pub fn run(
    app: &App,
    run: &RunDir,
    force: bool,
    data: &Data,
    settings: &QuantizeSettings,
) -> Result<()> {
    let checkpoint = run.existing(file::CHECKPOINT, "train")?;
    let inputs = Inputs::of_sources("ember-compress")?
        .value(
            "sources of ember-codegen",
            crate::workspace::sources_fingerprint("ember-codegen")?,
        )
        .value("dataset", &data.dataset.fingerprint)
        .value("representative images", settings.representative)
        .value("calibration seed", settings.calibration_seed)
        .file(&checkpoint)?;
    let mut inputs = inputs;
    for name in [file::TRAINED_RANGES, file::TRAINED_RECIPE] {
        if run.file(name).is_file() {
            inputs = inputs.file(&run.file(name))?;
        }
    }
    app.stage(run, "quantize", force, inputs, || {
        let trained_for = trained_for(run)?;
        app.console.step(
            "Quantizing",
            match &trained_for {
                Some(_) => "with the ranges and the recipe of the training".to_owned(),
                None => format!(
                    "on {} training images of {}",
                    settings.representative, data.dataset.name
                ),
            },
        );
        let (graph, changes) = optimized(&checkpoint)?;
        for change in changes {
            app.console
                .line(format!("{:>12} {}", change.pass, change.what));
        }
        let (ranges, recipe) = match trained_for {
            Some(trained_for) => trained_for,
            None => {
                let images = settings.representative.into();
                let ranges = calibrate(&graph, data, images, settings.calibration_seed)?;
                (ranges, Recipe::default())
            }
        };
        let files = lower_by(&graph, &ranges, &recipe)
            .with_context(|| format!("cannot quantize {}", graph.name))?;
        json::write(&run.file(file::RANGES), &ranges)?;
        atomic::write(&run.file(file::FLOAT32), &files.float32)?;
        atomic::write(&run.file(file::INT8), &files.int8)?;
        app.console.step(
            "Quantized",
            format!(
                "float32 {} bytes, int8 {} bytes",
                files.float32.len(),
                files.int8.len()
            ),
        );
        Ok([file::RANGES, file::FLOAT32, file::INT8]
            .map(str::to_owned)
            .to_vec())
    })
}

/// The ranges that the int8 model of `run` was quantized with.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read_ranges(run: &RunDir) -> Result<Ranges> {
    json::read(&run.existing(file::RANGES, "quantize")?)
}
