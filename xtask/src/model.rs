//! `cargo xtask model`: what can be asked of a model file, each question a function of `ember-lite`.

use std::path::Path;

use anyhow::{Context, Result};
use ember_lite::{ArenaPlan, Delegate, FileOutput, Inspection, MappedModel, Pixels, Simd};

use crate::app::App;
use crate::cli::deploy::Fit;
use crate::cli::model::{DelegateName, ModelCommand, Question};
use crate::stages::{data, eval};
use crate::toolchain::Reported;
use crate::workspace::shown;
use crate::{atomic, deploy, npu};

/// Columns of the arena's plan as text.
const PLAN_COLUMNS: usize = 72;

/// Answers.
///
/// # Errors
/// A model that is not there or damaged, or what the question says; for a comparison, exit code 1 where the models differ.
pub fn run(app: &App, settings: &ModelCommand) -> Result<()> {
    match &settings.question {
        Question::Inspect {
            model,
            commands,
            delegate,
        } => {
            let model = open(model)?;
            let inspection = Inspection::of(&model)?;
            app.console.result(inspection.to_string().trim_end());
            let npu = npu::said(&model.model()?, *commands)?;
            if !npu.is_empty() {
                app.console.result(npu.trim_end());
            }
            if let Some(delegation) = delegated(model, delegate)?.delegation() {
                app.console.result(delegation.to_string().trim_end());
            }
        }
        Question::Bench {
            model,
            runs,
            json,
            delegate,
        } => {
            let profile = ember_lite::profile(&delegated(open(model)?, delegate)?, *runs)?;
            app.console.result(if *json {
                serde_json::to_string_pretty(&profile)?
            } else {
                profile.to_string().trim_end().to_owned()
            });
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
            pixels: (black, white),
            resize,
            delegate,
        } => {
            let pixels = Pixels {
                black: *black,
                white: *white,
                resize: *resize,
            };
            let model = delegated(open(model)?, delegate)?;
            let outputs = ember_lite::run_files(&model, input, output, pixels)?;
            for path in output {
                app.console.step("Wrote", shown(path));
            }
            for (index, output) in outputs.iter().enumerate() {
                app.console.result(said(index, output));
            }
        }
        Question::Plan { model, svg } => {
            let plan = ArenaPlan::of(&open(model)?)?;
            app.console.result(plan.to_text(PLAN_COLUMNS).trim_end());
            if let Some(path) = svg {
                written(app, path, plan.to_svg().as_bytes())?;
            }
        }
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

/// Elements of an output that are shown; a file has them all.
const SHOWN: usize = 16;

/// An output in one line: its real numbers, or its bytes where it stands for none.
fn said(index: usize, output: &FileOutput) -> String {
    let (count, values): (usize, Vec<String>) = match &output.reals {
        Some(reals) => {
            let each = reals.iter().take(SHOWN).map(ToString::to_string);
            (reals.len(), each.collect())
        }
        None => {
            let each = output.bytes.iter().take(SHOWN);
            let hex = each.map(|byte| format!("{byte:02x}")).collect();
            (output.bytes.len(), hex)
        }
    };
    let more = if count > SHOWN { " …" } else { "" };
    format!(
        "output {index} {} {:?}: {}{more}",
        output.dtype,
        output.shape,
        values.join(" ")
    )
}

fn open(name: &str) -> Result<MappedModel> {
    Ok(deploy::model::choose(Some(name))?.mapped)
}

/// The model as these delegates and the interpreter run it.
fn delegated(model: MappedModel, names: &[DelegateName]) -> Result<MappedModel> {
    if names.is_empty() {
        return Ok(model);
    }
    let delegates = names.iter().map(|name| match name {
        DelegateName::Simd => Simd::of(&model),
    });
    let delegates = delegates.collect::<Result<Vec<_>, _>>()?;
    let delegates: Vec<&dyn Delegate> = delegates.iter().map(|one| one as _).collect();
    Ok(model.delegated(&delegates)?)
}

fn written(app: &App, path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, bytes)?;
    app.console.step("Wrote", shown(path));
    Ok(())
}
