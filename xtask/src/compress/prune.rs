//! `cargo xtask prune`: the smallest weights become 0, or whole channels go.

use anyhow::{Result, bail};
use ember_compress::prune::{ChannelPruning, Pruning, prune, prune_channels};
use ember_graph::Graph;

use super::{FineTuning, PRUNE_RATE, Source, fine_tune, finish, out};
use crate::app::App;
use crate::cli::compress::{CompressionSettings, PruneCommand};
use crate::stages::data;

/// Prunes a model, trains it again where that was asked for, writes it and says what came of it.
///
/// # Errors
/// A model that is not there or cannot be pruned like this, a data set that does not fit it.
pub fn run(app: &App, settings: &PruneCommand) -> Result<()> {
    let source = Source::open(settings.one.model.as_deref())?;
    let before = source.optimized()?;
    let tensors = settings.tensors.as_str();
    let (pruned, what, compression) = match settings.channels {
        Some(share) => {
            let channels = ChannelPruning {
                share,
                layers: tensors,
            };
            let (pruned, layers) = prune_channels(&before, &channels)?;
            for layer in layers {
                app.console.line(format!(
                    "{:>12} {} of {} channels stay",
                    layer.layer, layer.after, layer.before
                ));
            }
            let what = format!("channels-{}", percent(share));
            (pruned, what, CompressionSettings::default())
        }
        None => {
            let pruning: Pruning = settings.pattern.parse()?;
            if settings.tune.fine_tune.is_some() && tensors != "*" {
                bail!(
                    "--tensors {tensors} cannot be trained again: expected no --tensors with --fine-tune, which prunes step by \
                     step while it trains; `prune --tensors` first and `train --init FILE --keep-zeros` after it do"
                );
            }
            let least = settings
                .min_weights
                .unwrap_or_else(|| worth_pruning(&before));
            let pruned = large(&before, &pruning, tensors, least)?;
            let compression = CompressionSettings {
                prune: Some(pruning.to_string()),
                min_weights: Some(least as u64),
                ..CompressionSettings::default()
            };
            let what = match pruning {
                Pruning::NOfM { keep, of } => format!("pruned-{keep}-of-{of}"),
                _ => format!("pruned-{}", percent(pruning.sparsity())),
            };
            (pruned, what, compression)
        }
    };
    let data = data::resolve(app, &settings.data)?;
    let after = match FineTuning::asked(&settings.tune, PRUNE_RATE, compression) {
        None => pruned,
        Some(tuning) => {
            // Weights go step by step while the training makes up for them; channels are gone from the start.
            let start = if settings.channels.is_some() {
                &pruned
            } else {
                &before
            };
            let run = fine_tune::run_of(&source.title, &what);
            tuning.train(app, &run, start, &data)?.graph
        }
    };
    let path = out(&settings.one, &source.title, &what);
    let title = format!("{} {what}", source.title);
    finish(app, &data, &title, &path, [&before, &after])
}

/// Elements from which on a tensor is worth pruning: a smaller one saves little and costs much.
pub fn worth_pruning(graph: &Graph) -> usize {
    weights(graph, 0) / 20
}

/// Weights of all tensors with at least `least` of them; biases do not count.
pub fn weights(graph: &Graph, least: usize) -> usize {
    graph
        .constants()
        .filter(|(_, tensor, numbers)| tensor.shape.len() > 1 && numbers.len() >= least)
        .map(|(_, _, numbers)| numbers.len())
        .sum()
}

/// Prunes the tensors that match and have at least so many weights.
///
/// # Errors
/// As [`prune`], and where every tensor that matches is smaller.
pub fn large(graph: &Graph, pruning: &Pruning, tensors: &str, min_weights: usize) -> Result<Graph> {
    let (mut pruned, done) = prune(graph, pruning, tensors)?;
    let (small, large): (Vec<_>, Vec<_>) =
        done.iter().partition(|tensor| tensor.weights < min_weights);
    if large.is_empty() {
        let most = small.iter().map(|tensor| tensor.weights).max();
        bail!(
            "--min-weights {min_weights} leaves nothing to prune: the largest tensor has {} weights",
            most.unwrap_or(0)
        );
    }
    for tensor in small {
        if let Some(id) = graph.find(&tensor.tensor)
            && let Some(numbers) = graph.constant(id)
        {
            pruned.set_constant(id, numbers.to_vec())?;
        }
    }
    Ok(pruned)
}

/// A share in whole percent, for names of files.
fn percent(share: f64) -> String {
    format!("{:.0}", 100.0 * share)
}
