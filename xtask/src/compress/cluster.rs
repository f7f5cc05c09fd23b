//! `cargo xtask cluster`: few different weights, which a chip stores as indices.

use anyhow::{Result, bail};
use ember_compress::cluster::{Clustering, Start, cluster_graph};
use ember_compress::scheme::Granularity;

use super::{CLUSTER_RATE, FineTuning, Source, fine_tune, finish, out};
use crate::app::App;
use crate::cli::compress::{ClusterCommand, ClusterStart, CompressionSettings};
use crate::stages::data;

/// Clusters a model's weights, trains the shared values where that was asked for, writes the model and says what came of it.
///
/// # Errors
/// A model that is not there or cannot be clustered like this, a data set that does not fit it.
pub fn run(app: &App, settings: &ClusterCommand) -> Result<()> {
    let source = Source::open(settings.one.model.as_deref())?;
    let before = source.optimized()?;
    if settings.tune.fine_tune.is_some() && settings.tensors != "*" {
        bail!(
            "--tensors {} cannot be trained again: expected no --tensors with --fine-tune; `cluster --tensors` first and \
             `train --init FILE --keep-clusters` after it do",
            settings.tensors
        );
    }
    let clustering = Clustering {
        clusters: settings.clusters,
        start: match settings.start {
            ClusterStart::KmeansPlusPlus => Start::KmeansPlusPlus,
            ClusterStart::Linear => Start::Linear,
            ClusterStart::Density => Start::Density,
            ClusterStart::Random => Start::Random,
        },
        per: if settings.channels {
            Granularity::Channel
        } else {
            Granularity::Tensor
        },
        keep_zeros: settings.keep_zeros,
        seed: settings.tune.seed,
    };
    let (clustered, _) = cluster_graph(&before, &clustering, &settings.tensors)?;
    let data = data::resolve(app, &settings.data)?;
    let what = format!("clustered-{}", settings.clusters);
    let compression = CompressionSettings {
        keep_clusters: true,
        keep_zeros: settings.keep_zeros,
        ..CompressionSettings::default()
    };
    let after = match FineTuning::asked(&settings.tune, CLUSTER_RATE, compression) {
        None => clustered,
        Some(tuning) => {
            let run = fine_tune::run_of(&source.title, &what);
            tuning.train(app, &run, &clustered, &data)?.graph
        }
    };
    let path = out(&settings.one, &source.title, &what);
    let title = format!("{} {what}", source.title);
    finish(app, &data, &title, &path, [&before, &after])
}
