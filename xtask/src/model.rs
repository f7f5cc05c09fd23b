//! `cargo xtask model`: what can be asked of a model file, each question a function of `ember-lite`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ember_lite::{ArenaPlan, Delegate, Inspection, Kept, MappedModel, Pixels, Simd};

use crate::app::App;
use crate::cli::deploy::Fit;
use crate::cli::model::{DelegateName, ModelCommand, Question};
use crate::deploy::model::Chosen;
use crate::stages::{data, eval};
use crate::toolchain::Reported;
use crate::workspace::shown;
use crate::{atomic, deploy, gpu, npu};

/// Columns of the arena's plan as text.
const PLAN_COLUMNS: usize = 72;

/// Answers.
///
/// # Errors
/// A model that is not there or damaged, or what the question says; for a comparison, exit code 1 where the models differ.
pub fn run(app: &App, settings: &ModelCommand) -> Result<()> {
    app.end_at_once();
    match &settings.question {
        Question::Inspect {
            model,
            commands,
            json,
            delegate,
        } => {
            let Chosen {
                path,
                mapped: model,
                ..
            } = choose(model)?;
            let inspection = Inspection::of(&model)?;
            if *json {
                app.console
                    .result(serde_json::to_string_pretty(&inspection)?);
                return Ok(());
            }
            app.console.result(inspection.to_string().trim_end());
            let npu = npu::said(&model.model()?, *commands)?;
            if !npu.is_empty() {
                app.console.result(npu.trim_end());
            }
            if delegate.contains(&DelegateName::Gpu) {
                gpu::Line::of(app, "inspect", &path, delegate)?.run(app)?;
            } else if let Some(delegation) = delegated(model, delegate)?.delegation() {
                app.console.result(delegation.to_string().trim_end());
            }
        }
        Question::Bench {
            model,
            runs,
            json,
            delegate,
        } => {
            if delegate.contains(&DelegateName::Gpu) {
                return gpu::Line::of(app, "bench", &choose(model)?.path, delegate)?
                    .with("--runs", runs.to_string())
                    .flag("--json", *json)
                    .run(app);
            }
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
            drop_plan,
        } => {
            let model = open(model)?;
            let kept = Kept {
                signatures: *keep_signatures,
                plan: !drop_plan,
            };
            let bytes = ember_lite::strip(&model, kept)?;
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
            if delegate.contains(&DelegateName::Gpu) {
                let mut line = gpu::Line::of(app, "run", &choose(model)?.path, delegate)?
                    .with("--black", black.to_string())
                    .with("--white", white.to_string())
                    .flag("--resize", *resize);
                for path in input {
                    line = line.with("--input", path);
                }
                for path in output {
                    line = line.with("--output", path);
                }
                return line.run(app);
            }
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
                app.console.result(format!("output {index} {output}"));
            }
        }
        Question::Plan { model, svg, json } => {
            let plan = ArenaPlan::of(&open(model)?)?;
            app.console.result(if *json {
                serde_json::to_string_pretty(&plan)?
            } else {
                plan.to_text(PLAN_COLUMNS).trim_end().to_owned()
            });
            if let Some(path) = svg {
                written(app, path, plan.to_svg().as_bytes())?;
            }
        }
        Question::Accuracy {
            model,
            data,
            delegate,
        } => {
            let chosen = choose(model)?;
            let data = data::resolve(app, data)?;
            if delegate.contains(&DelegateName::Gpu) {
                return gpu::accuracy(app, &chosen.path, delegate, &data.dataset.test);
            }
            let model = chosen.mapped;
            let (bytes, weight_bytes) = (model.bytes().len(), model.weight_bytes()?);
            let model = delegated(model, delegate)?;
            let evaluation = eval::evaluate(app, &data, "model", &model)?;
            app.console.result(format!(
                "{:.2} % of {} test images of {}, loss {:.4}; {} bytes, {} of weights",
                100.0 * evaluation.accuracy,
                evaluation.images,
                data.dataset.name,
                evaluation.loss,
                bytes,
                weight_bytes
            ));
        }
        Question::Check { model, chip } => {
            // Before the program that knows the chips is built.
            open(model)?;
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

fn choose(name: &str) -> Result<Chosen> {
    deploy::model::choose(Some(name))
}

fn open(name: &str) -> Result<MappedModel> {
    Ok(choose(name)?.mapped)
}

/// The model as these delegates, of which none is the GPU, and the interpreter run it.
fn delegated(model: MappedModel, names: &[DelegateName]) -> Result<MappedModel> {
    if names.is_empty() {
        return Ok(model);
    }
    let delegate = |name: &DelegateName| match name {
        DelegateName::Simd => Ok(Simd::of(&model)?),
        DelegateName::Gpu => bail!("the GPU is a delegate in {} only", gpu::PROGRAM),
    };
    let delegates = names.iter().map(delegate);
    let delegates = delegates.collect::<Result<Vec<_>>>()?;
    let delegates: Vec<&dyn Delegate> = delegates.iter().map(|one| one as _).collect();
    Ok(model.delegated(&delegates)?)
}

fn written(app: &App, path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, bytes)?;
    app.console.step("Wrote", shown(path));
    Ok(())
}
