//! From the trained graph to model files: passes, calibration, quantization, `.tflite`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use ember_codegen::tflite;
use ember_compress::calibrate::{self, Calibration, Range};
use ember_compress::{Recipe, Variant, quantize_by};
use ember_graph::{Graph, checkpoint};
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::file;
use crate::app::App;
use crate::cli::compress::QuantizeSettings;
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

    /// The ranges as `ember-compress` takes them, for the graph that they are of.
    ///
    /// # Errors
    /// Ranges of another graph.
    pub fn calibration(&self, graph: &Graph) -> Result<Calibration> {
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

/// The checkpoint's graph after the passes, and what they did.
///
/// # Errors
/// A checkpoint that cannot be read, or a pass that fails.
pub fn optimized(checkpoint: &Path) -> Result<(Graph, Vec<ember_compress::passes::Change>)> {
    let trained = checkpoint::load(checkpoint)?.graph;
    Ok(ember_compress::optimize(&trained)?)
}

/// Writes the model files of an optimized graph into `run`, from ranges that were measured before; their variants' names and
/// sizes. The recipe is that of the int8 model.
///
/// # Errors
/// Ranges of another graph, or a graph that cannot be lowered.
pub fn write_models(
    run: &RunDir,
    graph: &Graph,
    ranges: &Ranges,
    recipe: &Recipe,
) -> Result<Vec<(&'static str, usize)>> {
    let calibration = ranges.calibration(graph)?;
    let mut sizes = Vec::new();
    for (name, path, _) in file::MODELS {
        let bytes = match name {
            "float32" => tflite::float32(graph)?,
            "int8" => tflite::quantized(&quantize_by(graph, Some(&calibration), recipe)?)?,
            _ => variant(graph, &calibration, name)?,
        };
        atomic::write(&run.file(path), &bytes)?;
        sizes.push((name, bytes.len()));
    }
    Ok(sizes)
}

/// The file of a variant by its name.
fn variant(graph: &Graph, calibration: &Calibration, name: &str) -> Result<Vec<u8>> {
    let variant = Variant::find(name).with_context(|| format!("there is no variant {name}"))?;
    let quantized = variant
        .apply(graph, Some(calibration))
        .with_context(|| format!("cannot make the {name} variant of {}", graph.name))?;
    Ok(tflite::quantized(&quantized)?)
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
///
/// # Errors
/// Files that cannot be read or are damaged.
pub fn trained_for(run: &RunDir) -> Result<Option<(Ranges, Recipe)>> {
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
        let models = write_models(run, &graph, &ranges, &recipe)
            .with_context(|| format!("cannot quantize {}", graph.name))?;
        json::write(&run.file(file::RANGES), &ranges)?;
        let sizes: Vec<_> = models
            .iter()
            .map(|(name, bytes)| format!("{name} {bytes}"))
            .collect();
        app.console
            .step("Quantized", format!("{} bytes", sizes.join(", ")));
        let mut written = vec![file::RANGES.to_owned()];
        written.extend(file::MODELS.map(|(_, path, _)| path.to_owned()));
        Ok(written)
    })
}

/// The ranges that the int8 model of `run` was quantized with.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read_ranges(run: &RunDir) -> Result<Ranges> {
    json::read(&run.existing(file::RANGES, "quantize")?)
}
