//! Training a compressed model again, so that what is left makes up for what went.

use anyhow::Result;
use ember_compress::Recipe;
use ember_graph::{Graph, checkpoint};

use crate::app::App;
use crate::cli::compress::{CompressionSettings, FineTune};
use crate::cli::{Backend, TrainSettings};
use crate::manifest::RunDir;
use crate::stages::data::Data;
use crate::stages::quantize::{self, Ranges};
use crate::stages::{file, train};
use crate::{atomic, workspace};

/// Adam's learning rate at the start where weights are pruned meanwhile: what did best on the validation images of the reference
/// model.
pub const PRUNE_RATE: f64 = 3e-3;
/// The same where they share values, whose gradients add up.
pub const CLUSTER_RATE: f64 = 1e-3;
/// The same where a trained model only learns to be integers.
pub const QAT_RATE: f64 = 5e-4;

/// The learning rate falls to this share of what it starts with.
const LAST_RATE: f64 = 0.01;

/// How a model is trained again.
#[derive(Clone, Debug)]
pub struct FineTuning {
    /// Passes over the training set.
    pub epochs: u32,
    /// Adam's learning rate at the start.
    pub learning_rate: f64,
    /// Seed of the held back images and the order of the others.
    pub seed: u64,
    /// What is pruned, shared or rounded meanwhile.
    pub compression: CompressionSettings,
}

/// A model that was trained again.
pub struct Trained {
    /// Its graph.
    pub graph: Graph,
    /// The ranges and the recipe that it was trained for, where it was trained for low precision.
    pub trained_for: Option<(Ranges, Recipe)>,
}

impl FineTuning {
    /// What a user asked for, with `rate` where no learning rate was given; nothing without `--fine-tune`.
    #[must_use]
    pub fn asked(settings: &FineTune, rate: f64, compression: CompressionSettings) -> Option<Self> {
        settings.fine_tune.map(|epochs| Self {
            epochs,
            learning_rate: settings.fine_tune_rate.unwrap_or(rate),
            seed: settings.seed,
            compression,
        })
    }

    /// Trains `graph` in the folder of `run`. What was trained before from the same weights with the same settings is taken
    /// from there.
    ///
    /// # Errors
    /// What the training program says.
    pub fn train(&self, app: &App, run: &RunDir, graph: &Graph, data: &Data) -> Result<Trained> {
        let start = run.file("start.safetensors");
        atomic::write(
            &start,
            &checkpoint::to_bytes(graph, &std::collections::BTreeMap::new())?,
        )?;
        let settings = TrainSettings {
            model: crate::zoo::REFERENCE.to_owned(),
            epochs: self.epochs,
            batch: 32,
            learning_rate: self.learning_rate,
            final_learning_rate: Some(self.learning_rate * LAST_RATE),
            seed: self.seed,
            validation: 5000,
            backend: Backend::Flex,
            compression: CompressionSettings {
                init: Some(start.display().to_string()),
                ..self.compression.clone()
            },
        };
        train::run(app, run, false, data, &settings, false)?;
        Ok(Trained {
            graph: checkpoint::load(&run.file(file::CHECKPOINT))?.graph,
            trained_for: quantize::trained_for(run)?,
        })
    }
}

/// The run in which the model `title` is trained again after `what` was done to it.
#[must_use]
pub fn run_of(title: &str, what: &str) -> RunDir {
    let name = format!("{title}-{what}");
    let dir = workspace::root().join("artifacts/runs").join(&name);
    RunDir::at(&dir, &name)
}
