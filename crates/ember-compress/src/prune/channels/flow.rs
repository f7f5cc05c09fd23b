//! Where the channels of a layer go, and what makes values that must have the same ones.
//!
//! Pooling, relu, pad, batch norm and depthwise convolutions have the channels of what they read; an addition those of both
//! operands; a flatten has each at many places; convolutions and dense layers read channels with the last dimension of their
//! weights and make those of the first one.

use std::collections::{BTreeMap, BTreeSet};

use ember_graph::{Graph, Node, Op, Source, ValueId, shape};

/// Where the channels of a layer go.
pub(super) struct Flow {
    count: usize,
    /// Of each value that has them, and of each constant that has them in its last dimension, whose channel each place of
    /// that dimension is.
    last: BTreeMap<ValueId, Vec<usize>>,
    /// Of each constant that has them in its first dimension, the same.
    first: BTreeMap<ValueId, Vec<usize>>,
    /// The results of the layers that make them.
    layers: BTreeSet<ValueId>,
}

impl Flow {
    /// The channels of `layer`, when all that has them can do without them.
    pub(super) fn of(graph: &Graph, layer: ValueId) -> Option<Self> {
        let count = *graph.get(layer)?.shape.last()?;
        let mut flow = Self {
            count,
            last: BTreeMap::from([(layer, (0..count).collect())]),
            first: BTreeMap::new(),
            layers: BTreeSet::new(),
        };
        // Channels go on to the users of a value and back to what makes it: again until nothing is new.
        loop {
            let known = (flow.last.len(), flow.first.len());
            for node in &graph.nodes {
                flow.pass(graph, node)?;
            }
            if (flow.last.len(), flow.first.len()) == known {
                break;
            }
        }
        let fixed = graph.outputs.iter().chain(&graph.inputs);
        let mut constants = flow.last.keys().chain(flow.first.keys());
        let is_shared = |id: &ValueId| {
            let value = &graph.values[id.index()];
            matches!(value.source, Source::Constant(_)) && graph.uses(*id) != 1
        };
        let cannot =
            fixed.into_iter().any(|id| flow.last.contains_key(id)) || constants.any(is_shared);
        (!cannot).then_some(flow)
    }

    /// How many channels there are.
    pub(super) const fn channels(&self) -> usize {
        self.count
    }

    /// The results of the layers that make the channels.
    pub(super) fn layers(&self) -> impl Iterator<Item = ValueId> {
        self.layers.iter().copied()
    }

    /// The magnitudes of all weights that make each channel, summed up.
    pub(super) fn sums(&self, graph: &Graph) -> Vec<f32> {
        let mut sums = vec![0.0; self.count];
        for layer in &self.layers {
            let node = graph.producer(*layer);
            let Some(weights) = node.and_then(|node| node.inputs.get(1)) else {
                continue;
            };
            let numbers = graph.constant(*weights).unwrap_or_default();
            let channels = self.first.get(weights).map_or(&[][..], Vec::as_slice);
            let rows = numbers.chunks((numbers.len() / channels.len().max(1)).max(1));
            for (channel, row) in channels.iter().zip(rows) {
                sums[*channel] += row.iter().map(|weight| weight.abs()).sum::<f32>();
            }
        }
        sums
    }

    /// What a node means for the channels of its operands and its result; `None` when it cannot do without one.
    fn pass(&mut self, graph: &Graph, node: &Node) -> Option<()> {
        let input = node.inputs[0];
        let [read, made] = [input, node.output].map(|id| self.last.get(&id).cloned());
        let touches = |id: &ValueId| self.last.contains_key(id);
        if !touches(&node.output) && !node.inputs.iter().any(touches) {
            return Some(());
        }
        match &node.op {
            Op::MaxPool2d { .. }
            | Op::AveragePool2d { .. }
            | Op::Relu
            | Op::Relu6
            | Op::Pad { .. }
            | Op::Quantize
            | Op::Dequantize => self.same(&[input, node.output]),
            Op::BatchNorm { .. } => {
                let all: Vec<ValueId> = node.inputs.iter().copied().chain([node.output]).collect();
                self.same(&all)
            }
            Op::Add { .. } => {
                // An operand that is repeated has no channels of its own.
                let shape = |id: &ValueId| Some(&graph.get(*id)?.shape);
                if shape(&input)? != shape(&node.inputs[1])? {
                    return None;
                }
                self.same(&[input, node.inputs[1], node.output])
            }
            Op::DepthwiseConv2d { .. } => {
                let channels = *graph.get(input)?.shape.last()?;
                let filters = *graph.get(node.output)?.shape.last()?;
                let each = filters / channels;
                let result: Vec<usize> = match (read, made) {
                    (Some(read), _) => (read.iter().copied())
                        .flat_map(|channel| std::iter::repeat_n(channel, each))
                        .collect(),
                    // One of several results of a channel cannot go alone.
                    (None, Some(made)) if each == 1 => {
                        self.set(input, made.clone())?;
                        made
                    }
                    (None, _) => return None,
                };
                for id in node.inputs[1..].iter().chain([&node.output]) {
                    self.set(*id, result.clone())?;
                }
                Some(())
            }
            // A flatten, or a reshape that leaves the channels last.
            Op::Reshape { shape } => {
                let from = *graph.get(input)?.shape.last()?;
                let to = *shape.last()?;
                if from == to {
                    return self.same(&[input, node.output]);
                }
                if to % from != 0 || shape.len() != 2 {
                    return None;
                }
                let result = read?.iter().copied().cycle().take(to).collect();
                self.set(node.output, result)
            }
            Op::Conv2d { .. } | Op::FullyConnected { .. } => {
                if let Some(read) = read {
                    self.set(node.inputs[1], read)?;
                }
                if let Some(made) = made {
                    // A layer that makes some channel at several places would lose all of them.
                    if made.len() != self.count {
                        return None;
                    }
                    self.layers.insert(node.output);
                    self.first.insert(node.inputs[1], made.clone());
                    self.first.insert(node.inputs[2], made);
                }
                Some(())
            }
            Op::Softmax { .. } | Op::TransposeConv { .. } | Op::Weightless(_) => None,
        }
    }

    /// All of these have the channels of the first that has any.
    fn same(&mut self, ids: &[ValueId]) -> Option<()> {
        let known = ids.iter().find_map(|id| self.last.get(id)).cloned()?;
        for id in ids {
            self.set(*id, known.clone())?;
        }
        Some(())
    }

    /// `None` when the value is known to have other channels.
    fn set(&mut self, id: ValueId, channels: Vec<usize>) -> Option<()> {
        let known = self.last.entry(id).or_insert_with(|| channels.clone());
        (*known == channels).then_some(())
    }

    /// Takes away the channels that do not stay.
    pub(super) fn keep(&self, graph: &mut Graph, stays: &[bool]) {
        for (id, channels) in &self.first {
            keep_rows(graph, *id, channels, stays);
        }
        for (id, channels) in &self.last {
            keep_columns(graph, *id, channels, stays);
        }
        for node in &mut graph.nodes {
            if let Op::Reshape { shape } = &mut node.op
                && self.last.contains_key(&node.output)
            {
                shape.clone_from(&graph.values[node.output.index()].shape);
            }
        }
    }
}

/// Keeps the positions of the first dimension whose channel stays.
fn keep_rows(graph: &mut Graph, id: ValueId, channels: &[usize], stays: &[bool]) {
    let value = &mut graph.values[id.index()];
    let row = shape::elements(&value.shape[1..]).unwrap_or(1);
    value.shape[0] = channels.iter().filter(|channel| stays[**channel]).count();
    if let Source::Constant(numbers) = &mut value.source {
        let rows = numbers.chunks(row).zip(channels);
        let kept = rows.filter(|(_, channel)| stays[**channel]);
        *numbers = kept.flat_map(|(row, _)| row.iter().copied()).collect();
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
