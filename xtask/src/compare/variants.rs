//! The variants of a model: every format, and pruned, clustered and low-precision ones, trained again where that is asked for.

use std::path::PathBuf;

use anyhow::{Context, Result};
use ember_codegen::tflite::{self, Decoder};
use ember_compress::calibrate::{self, Calibration};
use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::Pruning;
use ember_compress::{Recipe, Variant, quantize_by};
use ember_graph::Graph;

use crate::app::App;
use crate::cli::compress::{CompressionSettings, QuantizeSettings};
use crate::compress::{
    CLUSTER_RATE, FineTuning, PRUNE_RATE, QAT_RATE, prune_large, weights, worth_pruning,
};
use crate::manifest::RunDir;
use crate::stages::data::Data;

/// One variant.
pub struct Made {
    /// As in the table.
    pub name: String,
    /// Its `.tflite`.
    pub bytes: Vec<u8>,
    /// Whether it was trained again after it was made smaller.
    pub fine_tuned: bool,
}

/// What the variants of one trained model are made with.
pub struct Maker<'a> {
    pub app: &'a App,
    pub data: &'a Data,
    pub quantize: &'a QuantizeSettings,
    /// Epochs and seed of the training again, where there is one.
    pub tuning: Option<(u32, u64)>,
    /// Where it happens.
    pub folder: PathBuf,
}

impl Maker<'_> {
    /// Every variant of an optimized graph: the formats first, then what is stored compressed.
    ///
    /// # Errors
    /// A graph that cannot be quantized, or what the training program says.
    pub fn all(&self, graph: &Graph) -> Result<Vec<Made>> {
        let calibration = self.ranges(graph)?;
        let mut made = Vec::new();
        for variant in Variant::ALL {
            let quantized = variant
                .apply(graph, Some(&calibration))
                .with_context(|| format!("cannot make the {} variant", variant.name()))?;
            made.push(Made {
                name: variant.name().to_owned(),
                bytes: tflite::quantized(&quantized)?,
                fine_tuned: false,
            });
        }
        let half = self.pruned(graph, 0.5)?;
        made.push(self.stored(&pruned_name(0.5), &half)?);
        let pruned = self.pruned(graph, 0.8)?;
        made.push(self.stored(&pruned_name(0.8), &pruned)?);
        for clusters in [16, 8] {
            let clustered =
                self.clustered(graph, clusters, false, &format!("clustered-{clusters}"))?;
            made.push(self.stored(&format!("clustered-{clusters}"), &clustered)?);
        }
        // Pruned weights stay pruned when the others are clustered; both stay when all of it learns to be integers.
        let both = self.clustered(&pruned, 16, true, "pruned-80-clustered-16")?;
        made.push(self.stored("pruned-80-clustered-16", &both)?);
        if self.tuning.is_some() {
            made.push(self.trained_for_integers("int8-qat", "int8", graph, false)?);
            made.push(self.trained_for_integers("int4-qat", "int4", graph, false)?);
            made.push(self.trained_for_integers("ternary-qat", "ternary", graph, false)?);
            made.push(self.trained_for_integers("pcqat", "int8", &both, true)?);
        }
        Ok(made)
    }

    fn ranges(&self, graph: &Graph) -> Result<Calibration> {
        let Self { data, quantize, .. } = self;
        Ok(calibrate::calibrate(
            graph,
            &data.dataset.train,
            quantize.representative as usize,
            quantize.calibration_seed,
        )?)
    }

    /// In int8, the weights in the form of fewest bytes that a chip decodes.
    fn stored(&self, name: &str, graph: &Graph) -> Result<Made> {
        let recipe = Recipe::default();
        self.stored_by(name, graph, &self.ranges(graph)?, &recipe, true)
    }

    fn stored_by(
        &self,
        name: &str,
        graph: &Graph,
        calibration: &Calibration,
        recipe: &Recipe,
        compressed: bool,
    ) -> Result<Made> {
        let quantized = quantize_by(graph, Some(calibration), recipe)
            .with_context(|| format!("cannot make the {name} variant"))?;
        let bytes = if compressed {
            tflite::compressed(&quantized, Decoder::Ember)?.0
        } else {
            tflite::quantized(&quantized)?
        };
        Ok(Made {
            name: name.to_owned(),
            bytes,
            fine_tuned: self.tuning.is_some(),
        })
    }

    fn pruned(&self, graph: &Graph, sparsity: f64) -> Result<Graph> {
        // The small tensors stay as they are; the others give more, so that it is the share of all.
        let least = worth_pruning(graph);
        let (all, large) = (weights(graph, 0), weights(graph, least));
        let pruning = Pruning::Unstructured {
            sparsity: (sparsity * all as f64 / large.max(1) as f64).min(1.0),
        };
        let compression = CompressionSettings {
            prune: Some(pruning.to_string()),
            min_weights: Some(least as u64),
            ..CompressionSettings::default()
        };
        match self.again(&pruned_name(sparsity), PRUNE_RATE, graph, compression)? {
            Some(trained) => Ok(trained.graph),
            None => prune_large(graph, &pruning, "*", least),
        }
    }

    fn clustered(
        &self,
        graph: &Graph,
        clusters: usize,
        keep_zeros: bool,
        name: &str,
    ) -> Result<Graph> {
        let clustering = Clustering {
            clusters,
            keep_zeros,
            ..Clustering::default()
        };
        let (clustered, _) = cluster_graph(graph, &clustering, "*")?;
        let compression = CompressionSettings {
            keep_zeros,
            keep_clusters: true,
            ..CompressionSettings::default()
        };
        match self.again(name, CLUSTER_RATE, &clustered, compression)? {
            Some(trained) => Ok(trained.graph),
            None => Ok(clustered),
        }
    }

    fn trained_for_integers(
        &self,
        name: &str,
        weights: &str,
        graph: &Graph,
        keep: bool,
    ) -> Result<Made> {
        let compression = CompressionSettings {
            qat: Some(weights.to_owned()),
            keep_zeros: keep,
            keep_clusters: keep,
            ..CompressionSettings::default()
        };
        let trained = self.again(name, QAT_RATE, graph, compression)?;
        let trained = trained.context("only a training again makes integers")?;
        let (ranges, recipe) = trained
            .trained_for
            .with_context(|| format!("the training of {name} left no ranges"))?;
        let (graph, _) = ember_compress::optimize(&trained.graph)?;
        self.stored_by(name, &graph, &ranges.calibration(&graph)?, &recipe, keep)
    }

    /// The graph trained again, where that is asked for.
    fn again(
        &self,
        name: &str,
        learning_rate: f64,
        graph: &Graph,
        compression: CompressionSettings,
    ) -> Result<Option<crate::compress::Trained>> {
        let Some((epochs, seed)) = self.tuning else {
            return Ok(None);
        };
        self.app.go_on()?;
        let tuning = FineTuning {
            epochs,
            learning_rate,
            seed,
            compression,
        };
        let run = self.run(name);
        tuning.train(self.app, &run, graph, self.data).map(Some)
    }

    fn run(&self, name: &str) -> RunDir {
        RunDir::at(&self.folder.join(name), name)
    }
}

fn pruned_name(share: f64) -> String {
    format!("pruned-{:.0}", 100.0 * share)
}
