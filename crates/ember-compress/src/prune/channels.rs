//! Whole channels out of a graph: what is left is a smaller dense model that every runtime runs faster.
//!
//! A channel of a convolution or dense layer can go when everything that its result flows into can do without it: pooling,
//! relu, pad, batch norm and depthwise convolutions lose the same channel, a flatten loses all places of it, and the
//! convolutions and dense layers at the end lose the weights that read it. A layer whose result reaches an addition, a
//! softmax or an output of the model keeps all its channels.

use std::collections::BTreeMap;

use ember_graph::{Graph, Node, Op, Role, Source, ValueId, shape, verify};
use serde::{Deserialize, Serialize};

use super::smallest;
use crate::{CompressError, recipe};

/// How many channels go, and of which layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelPruning<'p> {
    /// The share of channels that go, in 0..=1; one always stays.
    pub share: f64,
    /// A pattern for the names of the layers' results.
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

/// The graph without the channels of least weight (sum of magnitudes), and what was done to each layer.
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
    let mut done = Vec::new();
    for position in 0..graph.nodes.len() {
        let node = &graph.nodes[position];
        let layer = &graph.values[node.output.index()].name;
        let is_layer = matches!(node.op, Op::Conv2d { .. } | Op::FullyConnected { .. });
        if !is_layer || !recipe::matches(pruning.layers, layer) {
            continue;
        }
        let Some(flow) = Flow::of(&pruned, node.output) else {
            continue;
        };
        // Earlier layers have changed how many inputs this one has, not its channels.
        let weights = pruned.constant(node.inputs[1]).unwrap_or_default();
        let before = pruned.values[node.output.index()]
            .shape
            .last()
            .copied()
            .unwrap_or(1);
        let sums: Vec<f32> = weights
            .chunks((weights.len() / before).max(1))
            .map(|row| row.iter().map(|weight| weight.abs()).sum())
            .collect();
        let gone = ((pruning.share * before as f64).floor() as usize).min(before - 1);
        let mut stays = vec![true; before];
        for channel in smallest(&sums, gone) {
            stays[channel] = false;
        }
        flow.keep(&mut pruned, position, &stays);
        done.push(PrunedLayer {
            layer: layer.clone(),
            before,
            after: before - gone,
        });
    }
    if done.is_empty() {
        return Err(CompressError::NoChannels {
            graph: graph.name.clone(),
            pattern: pruning.layers.to_owned(),
        });
    }
    verify(&pruned)?;
    Ok((pruned, done))
}

/// Where the channels of a layer go.
struct Flow {
    /// Of each value that has them, and of each constant that has them in its last dimension, whose channel each place of
    /// that dimension is.
    channels: BTreeMap<ValueId, Vec<usize>>,
}

impl Flow {
    /// The channels of `layer`, when all that they flow into can do without them.
    fn of(graph: &Graph, layer: ValueId) -> Option<Self> {
        let count = *graph.get(layer)?.shape.last()?;
        let mut flow = Self {
            channels: BTreeMap::from([(layer, (0..count).collect())]),
        };
        // Nodes stand in the order in which they run, so that one pass sees every value before its users.
        for node in &graph.nodes {
            let carried: Vec<bool> = node
                .inputs
                .iter()
                .map(|id| flow.channels.contains_key(id))
                .collect();
            if node.output != layer && carried.contains(&true) {
                flow.pass(graph, node)?;
            }
        }
        let reaches = |id: &ValueId| flow.channels.contains_key(id);
        let shared = |(id, value): (ValueId, &ember_graph::Value)| {
            matches!(value.source, Source::Constant(_)) && reaches(&id) && graph.uses(id) != 1
        };
        let own = graph
            .producer(layer)?
            .inputs
            .iter()
            .skip(1)
            .any(|id| graph.uses(*id) != 1);
        if graph.outputs.iter().any(reaches) || own || graph.ids().zip(&graph.values).any(shared) {
            return None;
        }
        Some(flow)
    }

    /// What `node` does with the channels of its first operand; `None` when it cannot do without one.
    fn pass(&mut self, graph: &Graph, node: &Node) -> Option<()> {
        let channels = self.channels.get(&node.inputs[0])?.clone();
        let from = graph.get(node.inputs[0])?.shape.last()?;
        let result = match &node.op {
            Op::MaxPool2d { .. }
            | Op::AveragePool2d { .. }
            | Op::Relu
            | Op::Relu6
            | Op::Pad { .. }
            | Op::Quantize
            | Op::Dequantize => channels,
            Op::BatchNorm { .. } => {
                for id in &node.inputs[1..] {
                    self.channels.insert(*id, channels.clone());
                }
                channels
            }
            Op::DepthwiseConv2d { .. } => {
                let filters = *graph.get(node.output)?.shape.last()?;
                let each = channels.iter().copied();
                let result: Vec<usize> = each
                    .flat_map(|channel| std::iter::repeat_n(channel, filters / from))
                    .collect();
                for id in &node.inputs[1..] {
                    self.channels.insert(*id, result.clone());
                }
                result
            }
            // A flatten, or a reshape that leaves the channels last.
            Op::Reshape { shape } => {
                let last = *shape.last()?;
                if last % from != 0 || (last != *from && shape.len() != 2) {
                    return None;
                }
                channels.iter().copied().cycle().take(last).collect()
            }
            Op::Conv2d { .. } | Op::FullyConnected { .. } => {
                self.channels.insert(node.inputs[1], channels);
                return Some(());
            }
            Op::Add { .. } | Op::Softmax { .. } => return None,
        };
        self.channels.insert(node.output, result);
        Some(())
    }

    /// Takes away the channels that do not stay, `position` being the layer that makes them.
    fn keep(&self, graph: &mut Graph, position: usize, stays: &[bool]) {
        let node = graph.nodes[position].clone();
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            if *role != Role::Activation {
                keep_rows(graph, *id, stays);
            }
        }
        for (id, channels) in &self.channels {
            keep_columns(graph, *id, channels, stays);
        }
        for node in &mut graph.nodes {
            if let Op::Reshape { shape } = &mut node.op
                && self.channels.contains_key(&node.output)
            {
                shape.clone_from(&graph.values[node.output.index()].shape);
            }
        }
    }
}

/// Keeps the positions of the first dimension that stay.
fn keep_rows(graph: &mut Graph, id: ValueId, stays: &[bool]) {
    let value = &mut graph.values[id.index()];
    let row = shape::elements(&value.shape[1..]).unwrap_or(1);
    value.shape[0] = stays.iter().filter(|stays| **stays).count();
    if let Source::Constant(numbers) = &mut value.source {
        let rows = numbers.chunks(row).zip(stays).filter(|(_, stays)| **stays);
        *numbers = rows.flat_map(|(row, _)| row.iter().copied()).collect();
    }
}

/// Keeps the positions of the last dimension whose channel stays.
fn keep_columns(graph: &mut Graph, id: ValueId, channels: &[usize], stays: &[bool]) {
    let value = &mut graph.values[id.index()];
    let Some(last) = value.shape.last_mut() else {
        return;
    };
    *last = channels.iter().filter(|channel| stays[**channel]).count();
    if let Source::Constant(numbers) = &mut value.source {
        let of = channels.iter().cycle();
        let kept = numbers
            .iter()
            .zip(of)
            .filter(|(_, channel)| stays[**channel]);
        *numbers = kept.map(|(number, _)| *number).collect();
    }
}
