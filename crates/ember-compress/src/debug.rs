//! The quantization debugger: what each layer loses, the worst first.
//!
//! Each layer is measured in two ways over the samples: by itself, its float arithmetic on the rounded operands against its
//! rounded result, which says whose fault it is; and as it stands in the model, the float model's result against the
//! rounded model's, which says how much there is by then. Both run in f32, as [`simulate`](crate::simulate) says.

mod fix;

pub use fix::{Fix, Trial, fix};

use std::collections::BTreeMap;

use ember_data::Split;
use ember_graph::eval::{evaluate, evaluate_observed};
use ember_graph::{Graph, Node, QuantizedGraph, Role, ValueId};
use serde::{Deserialize, Serialize};

use crate::CompressError;
use crate::calibrate::for_each_batch;
use crate::simulate::simulate;
use crate::single::node_alone;

/// Measures on `count` images that are drawn from `images` with `seed`.
///
/// # Errors
/// When `quantized` was not made of `graph`, or the images do not fit its input.
pub fn debug(
    graph: &Graph,
    quantized: &QuantizedGraph,
    images: &Split,
    count: usize,
    seed: u64,
) -> Result<DebugReport, CompressError> {
    let mut debugger = Debugger::new(graph, quantized)?;
    for_each_batch(graph, images, count, seed, |batch, numbers| {
        debugger.observe(batch, &[numbers])
    })?;
    debugger.finish()
}

/// How far numbers are from those that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Signal to noise, `10 log10(Σ expected² / Σ difference²)`, in decibels; none where nothing differs.
    pub snr_db: Option<f64>,
    /// The cosine of the angle between both, 1 where they agree or one of them is all zeros.
    pub cosine: f64,
    /// The greatest difference.
    pub max_error: f64,
}

/// What one layer loses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The name of its result.
    pub layer: String,
    /// Its operator, as in the graph's text form.
    pub op: String,
    /// The type of its weights, where it has any.
    pub weights: Option<String>,
    /// The type of its result.
    pub activations: String,
    /// By itself: on the rounded operands.
    pub own: Difference,
    /// With all that came before it.
    pub total: Difference,
    /// Of its weights alone, in decibels; none where they are not rounded, or there are none.
    pub weights_snr_db: Option<f64>,
}

/// What a model loses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DebugReport {
    /// Samples that were measured.
    pub samples: usize,
    /// The layers, the one that loses most by itself first.
    pub layers: Vec<LayerReport>,
    /// Of the model's outputs together.
    pub outputs: Difference,
}

/// Sums over all samples.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    expected: f64,
    found: f64,
    product: f64,
    noise: f64,
    max_error: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, expected: &[f32], found: &[f32]) {
        for (expected, found) in expected.iter().zip(found) {
            let (expected, found) = (f64::from(*expected), f64::from(*found));
            self.expected += expected * expected;
            self.found += found * found;
            self.product += expected * found;
            self.noise += (expected - found) * (expected - found);
            self.max_error = self.max_error.max((expected - found).abs());
        }
    }

    fn difference(&self) -> Difference {
        let lengths = (self.expected * self.found).sqrt();
        Difference {
            snr_db: self.snr_db(),
            cosine: if lengths > 0.0 {
                self.product / lengths
            } else {
                1.0
            },
            max_error: self.max_error,
        }
    }

    /// Finite also where there is no signal, so that it can be written as a number.
    pub(crate) fn snr_db(&self) -> Option<f64> {
        const LEAST: f64 = -200.0;
        (self.noise > 0.0).then(|| (10.0 * (self.expected / self.noise).log10()).max(LEAST))
    }
}

/// Measures a quantized graph against the float graph that it was made of, sample by sample.
#[derive(Debug)]
pub struct Debugger<'g> {
    graph: &'g Graph,
    quantized: &'g QuantizedGraph,
    /// Each node as a graph of its own, and where its result is in the quantized graph.
    nodes: Vec<(Graph, ValueId)>,
    own: Vec<Sums>,
    total: Vec<Sums>,
    outputs: Sums,
    samples: usize,
}

impl<'g> Debugger<'g> {
    /// For a graph and what [`quantize_by`](crate::quantize_by) made of it.
    ///
    /// # Errors
    /// When the graph is not valid or `quantized` was made of another one.
    pub fn new(graph: &'g Graph, quantized: &'g QuantizedGraph) -> Result<Self, CompressError> {
        ember_graph::verify(graph)?;
        let places: BTreeMap<&str, ValueId> = (quantized.values().iter().enumerate())
            .map(|(index, value)| (value.name.as_str(), ValueId::from_index(index)))
            .collect();
        let strange = |value: &str| CompressError::OtherGraph {
            value: value.to_owned(),
        };
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            let value = &graph.values[node.output.index()];
            let place = places.get(value.name.as_str()).copied();
            let place = place.filter(|place| quantized.value(*place).shape == value.shape);
            let alone = node_alone(graph, node);
            let (Some(place), Some(alone)) = (place, alone) else {
                return Err(strange(&value.name));
            };
            nodes.push((alone, place));
        }
        Ok(Self {
            graph,
            quantized,
            own: vec![Sums::default(); nodes.len()],
            total: vec![Sums::default(); nodes.len()],
            nodes,
            outputs: Sums::default(),
            samples: 0,
        })
    }

    /// Measures on `batch` samples: for each input, in order, `batch` times its elements.
    ///
    /// # Errors
    /// When an input has another length.
    pub fn observe(&mut self, batch: usize, inputs: &[&[f32]]) -> Result<(), CompressError> {
        let mut float: BTreeMap<ValueId, Vec<f32>> = BTreeMap::new();
        let expected = evaluate_observed(self.graph, batch, inputs, |id, numbers| {
            float.insert(id, numbers.to_vec());
        })?;
        let mut rounded: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let found = simulate(self.quantized, batch, inputs, |id, numbers| {
            rounded.insert(self.quantized.value(id).name.clone(), numbers.to_vec());
        })?;
        for (expected, found) in expected.iter().zip(&found) {
            self.outputs.add(expected, found);
        }
        for (position, (alone, place)) in self.nodes.iter().enumerate() {
            let name = |id: ValueId| alone.values[id.index()].name.as_str();
            let node = &self.graph.nodes[position];
            let found = &rounded[&self.quantized.value(*place).name];
            self.total[position].add(&float[&node.output], found);
            let operands: Vec<&[f32]> = (alone.inputs.iter())
                .filter_map(|id| rounded.get(name(*id)).map(Vec::as_slice))
                .collect();
            let expected = evaluate(alone, batch, &operands)?.remove(0);
            self.own[position].add(&expected, found);
        }
        self.samples += batch;
        Ok(())
    }

    /// What was measured.
    ///
    /// # Errors
    /// When there was no sample.
    pub fn finish(self) -> Result<DebugReport, CompressError> {
        if self.samples == 0 {
            return Err(CompressError::NoSamples);
        }
        let mut layers: Vec<LayerReport> = Vec::with_capacity(self.nodes.len());
        for (position, node) in self.graph.nodes.iter().enumerate() {
            let place = self.nodes[position].1;
            let weights = self.weights(node, place);
            layers.push(LayerReport {
                layer: self.graph.values[node.output.index()].name.clone(),
                op: node.op.name().to_owned(),
                weights: weights.map(|(name, _)| name.to_owned()),
                activations: self.quantized.value(place).dtype.name().to_lowercase(),
                own: self.own[position].difference(),
                total: self.total[position].difference(),
                weights_snr_db: weights.and_then(|(_, sums)| sums.snr_db()),
            });
        }
        let loss = |layer: &LayerReport| layer.own.snr_db.unwrap_or(f64::INFINITY);
        layers.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        Ok(DebugReport {
            samples: self.samples,
            layers,
            outputs: self.outputs.difference(),
        })
    }

    /// The type of a layer's weights, and what rounding them changed.
    fn weights(&self, node: &Node, place: ValueId) -> Option<(&'static str, Sums)> {
        let position = (node.op.operands().iter())
            .position(|role| matches!(role, Role::Filter | Role::Weights))?;
        let made = self
            .quantized
            .nodes()
            .iter()
            .find(|made| made.output == place)?;
        let weights = made.inputs[position];
        let real = self.quantized.dequantize();
        let mut sums = Sums::default();
        sums.add(
            self.graph.constant(node.inputs[position])?,
            real.constant(weights)?,
        );
        let name = match self.quantized.value(weights).dtype {
            ember_core::Dtype::Float32 => "float32",
            ember_core::Dtype::Float16 => "float16",
            ember_core::Dtype::Int4 => "int4",
            ember_core::Dtype::Int2 => "int2",
            _ => "int8",
        };
        Some((name, sums))
    }
}
