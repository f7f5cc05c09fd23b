//! Measures the model files on the test set, in the host runtime. Its int8 scores are what every chip must say.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use ember_codegen::compiled::host::HostProgram;
use ember_core::Dtype;
use ember_lite::{EvaluateOptions, Evaluation, Images, LiteError, MappedModel};
use ember_progress::Unit;
use ember_report::{Latency, Variant};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::data::Data;
use super::{codegen, file};
use crate::app::App;
use crate::cli::Engine;
use crate::manifest::{Inputs, RunDir};
use crate::toolchain::{self, Interrupted};
use crate::{atomic, hash, json, workspace};

/// Inferences that the latency is taken from.
const LATENCY_RUNS: NonZeroUsize = NonZeroUsize::new(2000).unwrap();

/// `evaluation.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluationFile {
    /// The data set.
    pub dataset: String,
    /// SHA-256 of its images and labels.
    pub dataset_sha256: String,
    /// Images in the test set.
    pub test_images: u64,
    /// Multiply-accumulates of each operator of one inference, in the order of the model file.
    pub op_macs: Vec<u64>,
    /// Shape of one input, batch first.
    pub input_shape: Vec<u64>,
    /// Highest resident memory of a process that does nothing but run the int8 model.
    pub peak_ram_bytes: Option<u64>,
    /// Each model file.
    pub variants: Vec<Variant>,
}

/// Evaluates the model files of `run` on the test images of `data`.
///
/// # Errors
/// A missing or damaged model, or images that do not fit it.
pub fn run(app: &App, run: &RunDir, force: bool, data: &Data) -> Result<()> {
    let checkpoint_path = run.existing(file::CHECKPOINT, "train")?;
    let mut inputs = Inputs::of_sources("ember-lite")?
        .value("dataset", &data.dataset.fingerprint)
        .file(&checkpoint_path)?;
    for (_, name, _) in file::MODELS {
        inputs = inputs.file(&run.existing(name, "quantize")?)?;
    }
    app.stage(run, "eval", force, inputs, || {
        let (graph, _) = super::quantize::optimized(&checkpoint_path)?;
        let input_shape = graph
            .inputs
            .first()
            .and_then(|id| graph.get(*id))
            .map(|value| value.shape.clone());
        let mut variants = Vec::new();
        for (name, path, scores) in file::MODELS {
            let (variant, evaluation) = variant(app, data, name, &run.file(path))?;
            app.console.step(
                "Evaluated",
                format!(
                    "{name}: {:.2} % of {} images, loss {:.4}",
                    100.0 * evaluation.accuracy,
                    evaluation.images,
                    evaluation.loss
                ),
            );
            atomic::write(&run.file(scores), &evaluation.scores)?;
            variants.push(variant);
        }
        let evaluation = EvaluationFile {
            dataset: data.dataset.name.clone(),
            dataset_sha256: data.dataset.fingerprint.clone(),
            test_images: data.dataset.test.len() as u64,
            op_macs: graph
                .nodes
                .iter()
                .map(|node| ember_graph::node_macs(&graph, node))
                .collect(),
            input_shape: input_shape
                .unwrap_or_default()
                .into_iter()
                .map(|extent| extent as u64)
                .collect(),
            peak_ram_bytes: footprint_of(&run.file(file::INT8))?,
            variants,
        };
        json::write(&run.file(file::EVALUATION), &evaluation)?;
        let mut written = vec![file::EVALUATION.to_owned()];
        written.extend(file::MODELS.map(|(_, _, scores)| scores.to_owned()));
        Ok(written)
    })
}

/// Builds the compiled int8 model of `run` for this host, runs it on the test images, and compares its scores with those of the
/// interpreter.
///
/// # Errors
/// A model that cannot be compiled, or scores that are not the interpreter's.
pub fn compiled(app: &App, run: &RunDir, data: &Data) -> Result<()> {
    let source = codegen::existing(run, Engine::Compiled)?;
    let source = String::from_utf8(workspace::read(&source)?)?;
    let model = MappedModel::open(&run.existing(file::INT8, "quantize")?)?;
    check_scores(run, data)?;
    let expected = workspace::read(&run.existing(file::SCORES, "eval")?)?;
    app.console.step("Compiling", "the model for this host");
    let folder = workspace::target_dir()?.join("compiled").join(run.name());
    let program = HostProgram::build(&folder, &workspace::root(), &[("model", &source)], false)?;
    let test = &data.dataset.test;
    let began = Instant::now();
    let scores = program.run("model", &model.quantize_images(test.images())?)?;
    let seconds = began.elapsed().as_secs_f64();
    let classes = expected.len() / test.len().max(1);
    let pairs = scores
        .chunks(classes.max(1))
        .zip(expected.chunks(classes.max(1)));
    let same = pairs
        .filter(|(compiled, interpreted)| compiled == interpreted)
        .count();
    if same < test.len() || scores.len() != expected.len() {
        bail!(
            "{} of {} images have other scores from the compiled model than from the interpreter: both must agree to the byte",
            test.len() - same,
            test.len()
        );
    }
    app.console.step(
        "Evaluated",
        format!(
            "int8, compiled: {} images in {seconds:.2} s, the interpreter's scores to the byte",
            test.len()
        ),
    );
    Ok(())
}

/// Evaluates one model file and measures its size and latency.
///
/// # Errors
/// A damaged model, or images that do not fit it.
pub fn variant(app: &App, data: &Data, name: &str, path: &Path) -> Result<(Variant, Evaluation)> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    of_model(app, data, name, &file, &MappedModel::open(path)?)
}

/// [`variant`] of a model that need not be in a file yet; `file` is the name to report.
///
/// # Errors
/// As [`variant`].
pub fn of_model(
    app: &App,
    data: &Data,
    name: &str,
    file: &str,
    model: &MappedModel,
) -> Result<(Variant, Evaluation)> {
    let evaluation = evaluate(app, data, name, model)?;
    let latency = ember_lite::bench(model, LATENCY_RUNS)?;
    let variant = Variant {
        name: name.to_owned(),
        file: file.to_owned(),
        file_bytes: model.bytes().len() as u64,
        gzip_bytes: Some(gzip_bytes(model.bytes())?),
        weight_bytes: model.weight_bytes()? as u64,
        arena_bytes: Some(model.slot_arena_bytes()? as u64),
        test_images: Some(evaluation.images as u64),
        test_accuracy: Some(evaluation.accuracy),
        test_loss: Some(evaluation.loss),
        latency: Some(Latency {
            runs: latency.runs as u64,
            threads: 1,
            min_us: latency.min_us,
            mean_us: latency.mean_us,
            p50_us: latency.p50_us,
            p90_us: latency.p90_us,
            p99_us: latency.p99_us,
        }),
        sha256: Some(hash::of_bytes(model.bytes())),
        ..Variant::default()
    };
    Ok((variant, evaluation))
}

/// Size of `bytes` as gzip packs them best.
fn gzip_bytes(bytes: &[u8]) -> Result<u64> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    Ok(packed.finish()?.len() as u64)
}

/// Runs a model on the test images of `data`.
///
/// # Errors
/// Images that do not fit it, or ctrl-C.
pub fn evaluate(app: &App, data: &Data, name: &str, model: &MappedModel) -> Result<Evaluation> {
    let test = &data.dataset.test;
    let bar = app.console.bar(
        format!("Evaluating {name}"),
        test.len() as u64,
        Unit::Images,
    );
    let images = Images {
        pixels: test.images(),
        rows: test.rows(),
        cols: test.cols(),
    };
    let options = EvaluateOptions {
        threads: None,
        progress: &|done| bar.set(done as u64),
        stop: app.cancelled(),
    };
    match ember_lite::evaluate(model, images, test.labels(), &options) {
        Err(LiteError::Stopped { .. }) => Err(Interrupted.into()),
        other => {
            bar.clear();
            Ok(other?)
        }
    }
}

/// Writes the scores of an evaluation, and what they are of.
///
/// # Errors
/// What the file system says.
pub fn write_scores(run: &RunDir, data: &Data, evaluation: &Evaluation) -> Result<()> {
    atomic::write(&run.file(file::SCORES), &evaluation.scores)?;
    let evaluation = EvaluationFile {
        dataset: data.dataset.name.clone(),
        dataset_sha256: data.dataset.fingerprint.clone(),
        test_images: data.dataset.test.len() as u64,
        op_macs: Vec::new(),
        input_shape: Vec::new(),
        peak_ram_bytes: None,
        variants: Vec::new(),
    };
    json::write(&run.file(file::EVALUATION), &evaluation)
}

/// What the host runtime said.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read(run: &RunDir) -> Result<EvaluationFile> {
    json::read(&run.existing(file::EVALUATION, "eval")?)
}

/// Runs this program as [`footprint`] and reads what it prints.
fn footprint_of(model: &Path) -> Result<Option<u64>> {
    let mut command =
        Command::new(std::env::current_exe().context("cannot find the path of this program")?);
    let said = toolchain::output(command.arg("footprint").arg(model))?;
    Ok(said.trim().parse().ok())
}

/// Runs `model` once and prints the highest resident memory of this process in bytes, where the system tells (Linux).
///
/// # Errors
/// A model that cannot be read or run.
pub fn footprint(app: &App, model: &Path) -> Result<()> {
    let mapped = MappedModel::open(model)?;
    let mut arena = mapped.arena()?;
    mapped.session(&mut arena)?.invoke()?;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    app.console.result(kilobytes.map_or_else(
        || "unknown".to_owned(),
        |kilobytes| (kilobytes * 1024).to_string(),
    ));
    Ok(())
}

/// The class with the greatest score, the first of equal ones.
#[must_use]
pub fn argmax(dtype: Dtype, scores: &[u8]) -> Option<usize> {
    let numbers: Vec<f32> = match dtype {
        Dtype::Int8 => scores
            .iter()
            .map(|byte| byte.cast_signed().into())
            .collect(),
        Dtype::Int16 => {
            let (pairs, _) = scores.as_chunks::<2>();
            pairs
                .iter()
                .map(|pair| i16::from_le_bytes(*pair).into())
                .collect()
        }
        Dtype::Float32 => {
            let (words, _) = scores.as_chunks::<4>();
            words.iter().map(|word| f32::from_le_bytes(*word)).collect()
        }
        _ => scores.iter().map(|byte| f32::from(*byte)).collect(),
    };
    ember_lite::argmax(&numbers)
}

/// Fails unless the host's scores of `run` are of the test images of `data`.
///
/// # Errors
/// The command that makes the right ones.
pub fn check_scores(run: &RunDir, data: &Data) -> Result<()> {
    let evaluation = read(run)?;
    if evaluation.dataset_sha256 != data.dataset.fingerprint {
        bail!(
            "the host's scores in {} are of another data set ({}): `cargo xtask eval --dataset {} --name {}` first",
            workspace::shown(&run.file(file::SCORES)),
            evaluation.dataset,
            data.argument,
            run.name()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::argmax;
    use ember_core::Dtype;

    #[test]
    fn scores_are_read_in_the_type_of_the_output_and_the_first_of_equal_ones_is_taken() {
        assert_eq!(argmax(Dtype::Int8, &[0x80, 0x7f, 0x7f]), Some(1));
        assert_eq!(argmax(Dtype::Int8, &[0xff, 0x80]), Some(0));
        assert_eq!(argmax(Dtype::Uint8, &[0x80, 0x7f]), Some(0));
        assert_eq!(argmax(Dtype::Int16, &[0xff, 0xff, 0x01, 0x00]), Some(1));
        let floats: Vec<u8> = [0.5_f32, -1.0]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        assert_eq!(argmax(Dtype::Float32, &floats), Some(0));
        assert_eq!(argmax(Dtype::Int8, &[]), None);
    }
}
