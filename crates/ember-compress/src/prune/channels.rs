//! Whole channels out of a graph: what is left is a smaller dense model that every runtime runs faster.
//!
//! Where the channels of a layer go is worked out by [`Flow`](flow::Flow). An addition ties the layers that make its operands,
//! as in a residual block: they lose the same channels, those whose weights are least in all of them together. A layer whose
//! result reaches a softmax, an output or the input of the model keeps all its channels.

mod flow;

use std::collections::BTreeSet;

use ember_graph::{Graph, Op, ValueId, verify};
use serde::{Deserialize, Serialize};

use super::smallest;
use crate::{CompressError, recipe};
use flow::Flow;

/// How many channels go, and of which layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelPruning<'p> {
    /// The share of channels that go, in 0..=1; one always stays.
    pub share: f64,
    /// A pattern for the names of the layers' results. Layers that are tied to one that matches lose the same channels.
    pub layers: &'p str,
}

/// What was done to one layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrunedLayer {
    /// The name of its result.
    pub layer: String,
    /// Channels that it had.
    pub before: usize,
    /// Channels that it has.
    pub after: usize,
}

/// The graph without the channels of least weight (sum of magnitudes), and what was done to each layer, in the order in
/// which they run.
///
/// # Errors
/// When the graph is not valid, the share is not in 0..=1, or no layer that matches can do without channels.
pub fn prune_channels(
    graph: &Graph,
    pruning: &ChannelPruning<'_>,
) -> Result<(Graph, Vec<PrunedLayer>), CompressError> {
    verify(graph)?;
    if !(0.0..=1.0).contains(&pruning.share) {
        return Err(CompressError::Sparsity {
            found: pruning.share,
        });
    }
    let mut pruned = graph.clone();
    let mut done: Vec<(ValueId, PrunedLayer)> = Vec::new();
    let mut seen = BTreeSet::new();
    for node in &graph.nodes {
        let is_layer = matches!(node.op, Op::Conv2d { .. } | Op::FullyConnected { .. });
        let name = &graph.values[node.output.index()].name;
        if !is_layer || seen.contains(&node.output) || !recipe::matches(pruning.layers, name) {
            continue;
        }
        let Some(flow) = Flow::of(&pruned, node.output) else {
            continue;
        };
        seen.extend(flow.layers());
        let before = flow.channels();
        let gone = ((pruning.share * before as f64).floor() as usize).min(before - 1);
        let mut stays = vec![true; before];
        for channel in smallest(&flow.sums(&pruned), gone) {
            stays[channel] = false;
        }
        flow.keep(&mut pruned, &stays);
        done.extend(flow.layers().map(|layer| {
            let pruned_layer = PrunedLayer {
                layer: graph.values[layer.index()].name.clone(),
                before,
                after: before - gone,
            };
            (layer, pruned_layer)
        }));
    }
    if done.is_empty() {
        return Err(CompressError::NoChannels {
            graph: graph.name.clone(),
            pattern: pruning.layers.to_owned(),
        });
    }
    verify(&pruned)?;
    done.sort_by_key(|(layer, _)| *layer);
    Ok((pruned, done.into_iter().map(|(_, layer)| layer).collect()))
}
