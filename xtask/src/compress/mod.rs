//! The commands that make one model file of another: `quantize --recipe`, `prune`, `cluster`.
//!
//! Each says what it did and what it cost: per tensor, and for the whole model in the file, on a chip and in accuracy.

mod cluster;
mod cost;
mod debug;
mod fine_tune;
mod prune;
mod quantize;
mod source;

pub use cluster::run as cluster;
pub use fine_tune::{FineTuning, Trained};
pub use prune::{large as prune_large, run as prune};
pub use quantize::run as quantize;
pub use source::Source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use ember_codegen::tflite;
use ember_graph::{Graph, checkpoint};

use crate::app::App;
use crate::cli::compress::OneModel;
use crate::{atomic, workspace};

/// Where models go that are not told where to.
const FOLDER: &str = "artifacts/models";

/// The file that a command writes: what the user said, or one named after the model and `what` was done to it.
fn out(one: &OneModel, title: &str, what: &str) -> PathBuf {
    one.out.clone().unwrap_or_else(|| {
        workspace::root()
            .join(FOLDER)
            .join(format!("{title}-{what}.tflite"))
    })
}

/// Writes a float model: a checkpoint where the name ends in `.safetensors`, else a `.tflite`.
fn write(path: &Path, graph: &Graph) -> Result<()> {
    let bytes = if source::is_checkpoint(path) {
        checkpoint::to_bytes(graph, &BTreeMap::new())?
    } else {
        tflite::float32(graph)?
    };
    atomic::write(path, &bytes)
}

/// Says for each tensor of weights how much of it is 0 and how many different values it has, before and after.
fn tensors(app: &App, before: &Graph, after: &Graph) {
    for (_, tensor, numbers) in after.constants() {
        let name = tensor.name.as_str();
        let Some(was) = before.find(name).and_then(|id| before.constant(id)) else {
            continue;
        };
        if numbers.len() > 1 && was != numbers {
            app.console.line(format!(
                "{name:>20} {}, {} before",
                told(numbers),
                told(was)
            ));
        }
    }
}

fn told(numbers: &[f32]) -> String {
    let zeros = numbers.iter().filter(|number| **number == 0.0).count();
    let values: BTreeSet<u32> = numbers
        .iter()
        .map(|number| (number + 0.0).to_bits())
        .collect();
    format!(
        "{} numbers, {:.1} % of them 0, {} different",
        numbers.len(),
        100.0 * zeros as f64 / numbers.len() as f64,
        values.len()
    )
}
