//! `cargo xtask model`: what can be asked of a model file, each question a function of `ember-lite`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ember_lite::{Inspection, MappedModel};

use crate::app::App;
use crate::cli::deploy::Fit;
use crate::cli::model::{ModelCommand, Question};
use crate::stages::{data, eval};
use crate::toolchain::Reported;
use crate::workspace::{self, shown};
use crate::{atomic, deploy};

/// Answers.
///
/// # Errors
/// A model that is not there or damaged, or what the question says; for a comparison, exit code 1 where the models differ.
pub fn run(app: &App, settings: &ModelCommand) -> Result<()> {
    match &settings.question {
        Question::Inspect { model } => {
            let inspection = Inspection::of(&open(model)?)?;
            app.console.result(inspection.to_string().trim_end());
        }
        Question::Diff { a, b, image, data } => {
            let (a, b) = (open(a)?, open(b)?);
            let data = data::resolve(app, data)?;
            let test = &data.dataset.test;
            let pixels = test.rows() * test.cols();
            let place = image.saturating_mul(pixels);
            let input = test
                .images()
                .get(place..place.saturating_add(pixels))
                .filter(|input| !input.is_empty())
                .with_context(|| {
                    format!(
                        "there is no test image {image}: there are {}, from 0 on",
                        test.len()
                    )
                })?;
            let input: Vec<f32> = input
                .iter()
                .map(|pixel| f32::from(*pixel) / 255.0)
                .collect();
            let difference = ember_lite::diff(&a, &b, &input)?;
            app.console.result(difference.to_string().trim_end());
            if difference.first().is_some() {
                return Err(Reported(1).into());
            }
        }
        Question::Dot { model, out } => {
            let text = ember_lite::dot(&open(model)?)?;
            match out {
                Some(path) => written(app, path, text.as_bytes())?,
                None => app.console.result(text.trim_end()),
            }
        }
        Question::Strip {
            model,
            out,
            keep_signatures,
        } => {
            let model = open(model)?;
            let bytes = ember_lite::strip(&model, *keep_signatures)?;
            app.console.step(
                "Stripped",
                format!("{} bytes, {} before", bytes.len(), model.bytes().len()),
            );
            written(app, out, &bytes)?;
        }
        Question::Run {
            model,
            input,
            output,
        } => once(app, &open(model)?, input, output)?,
        Question::Accuracy { model, data } => {
            let model = open(model)?;
            let data = data::resolve(app, data)?;
            let (variant, evaluation) = eval::of_model(app, &data, "model", "", &model)?;
            app.console.result(format!(
                "{:.2} % of {} test images of {}, loss {:.4}; {} bytes, {} of weights",
                100.0 * evaluation.accuracy,
                evaluation.images,
                data.dataset.name,
                evaluation.loss,
                variant.file_bytes,
                variant.weight_bytes
            ));
        }
        Question::Check { model, chip } => {
            let fit = Fit {
                chip: chip.clone(),
                model: vec![model.clone()],
                json: false,
            };
            deploy::fit(app, &fit)?;
        }
    }
    Ok(())
}

fn open(name: &str) -> Result<MappedModel> {
    Ok(deploy::model::choose(Some(name))?.mapped)
}

fn written(app: &App, path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, bytes)?;
    app.console.step("Wrote", shown(path));
    Ok(())
}

/// Runs the model once on the bytes of `inputs`.
fn once(app: &App, model: &MappedModel, inputs: &[PathBuf], outputs: &[PathBuf]) -> Result<()> {
    let mut arena = model.arena()?;
    let mut session = model.session(&mut arena)?;
    if inputs.len() != session.input_count() {
        bail!(
            "{} has {} inputs, and {} files were given: expected one for each, in order",
            model.name(),
            session.input_count(),
            inputs.len()
        );
    }
    if !outputs.is_empty() && outputs.len() != session.output_count() {
        bail!(
            "{} has {} outputs, and {} files were given: expected one for each, in order, or none",
            model.name(),
            session.output_count(),
            outputs.len()
        );
    }
    for (index, path) in inputs.iter().enumerate() {
        let bytes = workspace::read(path)?;
        let tensor = session.input_tensor(index)?;
        let kind = format!(
            "{:?} {:?}",
            tensor.dtype(),
            tensor.shape().iter().collect::<Vec<_>>()
        );
        let input = session.input(index)?;
        if bytes.len() != input.len() {
            bail!(
                "{} has {} bytes, and input {index} is {kind}: expected {}",
                shown(path),
                bytes.len(),
                input.len()
            );
        }
        input.copy_from_slice(&bytes);
    }
    session.invoke()?;
    for (index, path) in outputs.iter().enumerate() {
        written(app, path, session.output(index)?)?;
    }
    if outputs.is_empty() {
        for index in 0..session.output_count() {
            let tensor = session.output_tensor(index)?;
            let shape: Vec<_> = tensor.shape().iter().collect();
            let bytes = session.output(index)?;
            app.console.result(format!(
                "output {index}, {:?} {shape:?}, bytes: {}",
                tensor.dtype(),
                hex(bytes)
            ));
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
