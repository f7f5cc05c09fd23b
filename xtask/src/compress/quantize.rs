//! `cargo xtask quantize --recipe`: one model file by a recipe, debugged and fixed where that is asked for.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ember_codegen::tflite::{self, Decoder, StoredForm};
use ember_compress::calibrate::Calibration;
use ember_compress::summary::{self, Summary};
use ember_compress::{Recipe, Variant, quantize_by};
use ember_graph::{Graph, QuantizedGraph};
use ember_report::TerminalStyle;

use super::{FineTuning, QAT_RATE, Source, cost, debug, fine_tune, out};
use crate::app::App;
use crate::atomic;
use crate::cli::compress::{CompressionSettings, QuantizeCommand, Store};
use crate::stages::data::{self, Data};
use crate::workspace::{self, shown};

/// Quantizes a model as its recipe says, writes it and says what came of it.
///
/// # Errors
/// A model or a recipe that is not there or does not fit, images that do not fit the model.
pub fn run(app: &App, settings: &QuantizeCommand) -> Result<()> {
    let source = Source::open(settings.one.model.as_deref())?;
    let (mut recipe, mut what) = match &settings.recipe {
        Some(name) => named(name)?,
        None => (Variant::Int8.recipe(), Variant::Int8.name().to_owned()),
    };
    if let Some(clip) = &settings.clip {
        recipe.calibration.clip = clip.parse()?;
    }
    let mut graph = source.optimized()?;
    // What cannot be is said before data are read or Burn is compiled.
    let plan = recipe.plan(&graph)?;
    if settings.fix.is_some() && !plan.needs_calibration(&graph) {
        bail!(
            "--fix has nothing to fix: no activation of the recipe {what} becomes an integer; expected a recipe as int8 or int4"
        );
    }
    let weights = match settings.qat {
        Some(_) => trainable(&what)?,
        None => "",
    };
    let data = data::resolve(app, &settings.data)?;
    let mut calibration = None;
    if let Some(epochs) = settings.qat {
        what += "-qat";
        let tuning = FineTuning {
            epochs,
            learning_rate: QAT_RATE,
            seed: 0,
            compression: CompressionSettings {
                qat: Some(weights.to_owned()),
                keep_zeros: settings.keep_zeros,
                keep_clusters: settings.keep_clusters,
                ..CompressionSettings::default()
            },
        };
        let run = fine_tune::run_of(&source.title, &what);
        let trained = tuning.train(app, &run, &source.graph, &data)?;
        graph = ember_compress::optimize(&trained.graph)?.0;
        let (ranges, trained_recipe) = trained
            .trained_for
            .context("the training for low precision left no ranges")?;
        calibration = Some(ranges.calibration(&graph)?);
        recipe = trained_recipe;
    } else if let (Some((ranges, trained_recipe)), None) = (&source.trained_for, &settings.recipe) {
        app.console.step(
            "Quantizing",
            "with the ranges and the recipe of the training; --recipe takes others",
        );
        calibration = Some(ranges.calibration(&graph)?);
        recipe = trained_recipe.clone();
    }
    let calibration = match calibration {
        Some(calibration) => Some(calibration),
        None => calibrate(&graph, &data, settings, &recipe)?,
    };
    let mut quantized = quantize_by(&graph, calibration.as_ref(), &recipe)?;
    let path = out(&settings.one, &source.title, &what);
    if settings.debug || settings.fix.is_some() {
        let measured = debug::Measured {
            graph: &graph,
            quantized: &quantized,
            calibration: calibration.as_ref(),
            recipe: &recipe,
        };
        if let Some(fixed) = debug::run(app, &data, settings, &measured, &path)? {
            quantized = quantize_by(&graph, calibration.as_ref(), &fixed)?;
        }
    }
    let mut summary = summary::of_quantized(&graph, &quantized)?;
    let bytes = lower(app, &quantized, settings.store, &mut summary)?;
    atomic::write(&path, &bytes)?;
    app.console.result(summary.to_string().trim_end());
    let mut sheet = cost::sheet(&format!("{} {what} on {}", source.title, data.dataset.name));
    cost::row(app, &data, &mut sheet, "float32", &tflite::float32(&graph)?)?;
    cost::row(app, &data, &mut sheet, &what, &bytes)?;
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    app.console.step("Wrote", shown(&path));
    Ok(())
}

/// The recipe called `name`, and what to call its result: a file, or one of the variants.
fn named(name: &str) -> Result<(Recipe, String)> {
    let path = Path::new(name);
    if path.is_file() {
        let text = String::from_utf8(workspace::read(path)?)
            .with_context(|| format!("{} is not a recipe", shown(path)))?;
        let recipe =
            Recipe::parse(&text).with_context(|| format!("{} is not a recipe", shown(path)))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        return Ok((recipe, stem.into_owned()));
    }
    let Some(variant) = Variant::find(name) else {
        let names: Vec<_> = Variant::ALL.iter().map(|variant| variant.name()).collect();
        bail!(
            "there is no recipe `{name}`: expected a TOML file, or one of {}",
            names.join(", ")
        );
    };
    Ok((variant.recipe(), variant.name().to_owned()))
}

/// The weights that the training program takes for a recipe.
fn trainable(what: &str) -> Result<&'static str> {
    match what {
        "int8" => Ok("int8"),
        "int4" => Ok("int4"),
        _ => bail!(
            "--qat cannot train for the recipe {what}: expected int8 or int4; `cargo xtask train --init MODEL --qat ternary` \
             trains for two bits"
        ),
    }
}

fn calibrate(
    graph: &Graph,
    data: &Data,
    settings: &QuantizeCommand,
    recipe: &Recipe,
) -> Result<Option<Calibration>> {
    let images = settings.quantize.representative as usize;
    let seed = settings.quantize.calibration_seed;
    Ok(recipe.calibrate(graph, &data.dataset.train, images, seed)?)
}

/// The file's bytes, its weights stored as asked for; says in which forms they are.
fn lower(
    app: &App,
    quantized: &QuantizedGraph,
    store: Store,
    summary: &mut Summary,
) -> Result<Vec<u8>> {
    let decoder = match store {
        Store::Plain => return Ok(tflite::quantized(quantized)?),
        Store::Tflm => Decoder::Tflm,
        Store::Ember => Decoder::Ember,
    };
    let (bytes, stored) = tflite::compressed(quantized, decoder)?;
    summary.set_stored_bytes(
        stored
            .iter()
            .map(|weights| (weights.tensor.as_str(), weights.bytes)),
    );
    for weights in stored {
        let form = match weights.form {
            None => "as they are",
            Some(StoredForm::Lut) => "by a look-up table",
            Some(StoredForm::Pruned) => "by a map of zeros",
            Some(StoredForm::PrunedLut) => "by a map of zeros and a look-up table",
            Some(StoredForm::Int4) => "in 4 bits",
            Some(StoredForm::Int2) => "in 2 bits",
        };
        app.console.line(format!("{:>16} {form}", weights.tensor));
    }
    Ok(bytes)
}
