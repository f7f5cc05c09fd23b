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
pub use fine_tune::{CLUSTER_RATE, FineTuning, PRUNE_RATE, QAT_RATE, Trained};
pub use prune::{large as prune_large, run as prune, weights, worth_pruning};
pub use quantize::run as quantize;
pub use source::Source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use ember_codegen::tflite;
use ember_compress::summary;
use ember_graph::{Graph, checkpoint};

use crate::app::App;
use crate::cli::compress::OneModel;
use crate::stages::data::Data;
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

/// Writes a compressed float model and says what became of it: a checkpoint where the name ends in `.safetensors`, else a
/// `.tflite`.
fn finish(
    app: &App,
    data: &Data,
    title: &str,
    path: &Path,
    [before, after]: [&Graph; 2],
) -> Result<()> {
    let bytes = if source::is_checkpoint(path) {
        checkpoint::to_bytes(after, &BTreeMap::new())?
    } else {
        tflite::float32(after)?
    };
    atomic::write(path, &bytes)?;
    let summary = summary::of_graph(before, after)?;
    app.console.result(summary.to_string().trim_end());
    cost::show(app, data, title, &[("before", before), ("after", after)])?;
    app.console.step("Wrote", workspace::shown(path));
    Ok(())
}
