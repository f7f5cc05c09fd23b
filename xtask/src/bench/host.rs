//! What models cost on this host: time of one inference on one thread, and images per second on all.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Result;
use ember_codegen::tflite;
use ember_lite::{EvaluateOptions, Images, MappedModel};
use ember_report::{Entry, Heading, Sheet, TerminalStyle};
use serde::Serialize;

use super::device::{Subject, images};
use crate::app::App;
use crate::stages::{file, quantize};
use crate::workspace;
use crate::zoo;

/// Inferences that are timed one by one.
const RUNS: NonZeroUsize = NonZeroUsize::new(5000).unwrap();
/// Images of the batch: as many as MNIST's test set has.
const BATCH: usize = 10_000;

/// Times in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct HostCost {
    min_us: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    /// Of a batch on all cores; none where the model takes no such images.
    images_per_second: Option<f64>,
}

/// Times every model and shows a table; wall times, so they are never compared with a baseline.
///
/// # Errors
/// A model that cannot run.
pub fn run(app: &App, subjects: &[Subject]) -> Result<BTreeMap<String, HostCost>> {
    let mut costs = BTreeMap::new();
    let mut sheet = Sheet::new(
        "One image, one thread; and all threads",
        &[
            Heading::Words("model"),
            Heading::Figures("least µs"),
            Heading::Figures("median µs"),
            Heading::Figures("90 % µs"),
            Heading::Figures("99 % µs"),
            Heading::Figures("images/s, all cores"),
        ],
    );
    let test = images(BATCH)?;
    for subject in subjects {
        for (name, model) in models(subject)? {
            app.go_on()?;
            let latency = ember_lite::bench(&model, RUNS)?;
            let batch = Images {
                pixels: test.images(),
                rows: test.rows(),
                cols: test.cols(),
            };
            let options = EvaluateOptions {
                threads: None,
                progress: &|_| {},
                stop: app.cancelled(),
            };
            let began = Instant::now();
            let evaluated = ember_lite::evaluate(&model, batch, test.labels(), &options);
            let seconds = began.elapsed().as_secs_f64();
            app.go_on()?;
            let cost = HostCost {
                min_us: latency.min_us,
                p50_us: latency.p50_us,
                p90_us: latency.p90_us,
                p99_us: latency.p99_us,
                // A model of other inputs is only timed.
                images_per_second: evaluated.is_ok().then(|| BATCH as f64 / seconds),
            };
            let time = |us: f64| Entry::Text(format!("{us:.1}"));
            sheet.row([
                name.clone().into(),
                time(cost.min_us),
                time(cost.p50_us),
                time(cost.p90_us),
                time(cost.p99_us),
                Entry::count(cost.images_per_second.map(|rate| rate as u64)),
            ]);
            costs.insert(name, cost);
        }
    }
    sheet.note("Wall time of this machine, which whatever else runs on it makes longer.");
    app.console
        .result(sheet.to_terminal(TerminalStyle::detect()).trim_end());
    Ok(costs)
}

/// The files of a model: of a committed one also the float32 file, which is made from its checkpoint.
fn models(subject: &Subject) -> Result<Vec<(String, MappedModel)>> {
    let name = subject.name();
    match subject {
        Subject::File(path) => Ok(vec![(name, MappedModel::open(path)?)]),
        Subject::Zoo(zoo) => {
            let (graph, _) = quantize::optimized(&zoo.file(zoo::CHECKPOINT))?;
            let float = format!("{name} float32");
            let int8 = format!("{name} int8");
            let bytes = workspace::read(&zoo.file(file::INT8))?;
            Ok(vec![
                (
                    float.clone(),
                    MappedModel::from_bytes(&tflite::float32(&graph)?, &float)?,
                ),
                (int8.clone(), MappedModel::from_bytes(&bytes, &int8)?),
            ])
        }
    }
}
