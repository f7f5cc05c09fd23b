//! What is in a quantized graph, layer by layer: types, bytes, and what pruning and clustering left in the weights.

use std::collections::BTreeSet;

use ember_graph::{Elements, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue, Role};
use serde::{Deserialize, Serialize};

/// One layer with weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerWeights {
    /// The name of the layer's result.
    pub layer: String,
    /// Its operator, as in the graph's text form.
    pub op: String,
    /// The type of what it takes and makes.
    pub activations: String,
    /// The name of its filter or weights.
    pub tensor: String,
    /// Their type.
    pub weights: String,
    /// How many there are.
    pub count: usize,
    /// Bytes of them as they are, packed where they share bytes; the bias is left out.
    pub bytes: usize,
    /// How many of them are 0.
    pub zeros: usize,
    /// How many different ones there are, in the channel that has most: those that share a scale.
    pub clusters: usize,
}

/// Every layer with weights, in the order in which they run.
#[must_use]
pub fn describe(graph: &QuantizedGraph) -> Vec<LayerWeights> {
    let mut layers = Vec::new();
    for node in graph.nodes() {
        let output = graph.value(node.output);
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            let weights = graph.value(*id);
            let QuantizedSource::Constant(elements) = &weights.source else {
                continue;
            };
            if !matches!(role, Role::Filter | Role::Weights) {
                continue;
            }
            let numbers = bits(elements);
            layers.push(LayerWeights {
                layer: output.name.clone(),
                op: node.op.name().to_owned(),
                activations: output.dtype.name().to_lowercase(),
                tensor: weights.name.clone(),
                weights: weights.dtype.name().to_lowercase(),
                count: numbers.len(),
                bytes: elements.to_le_bytes().len(),
                zeros: numbers.iter().filter(|number| **number == 0).count(),
                clusters: clusters(weights, &numbers),
            });
        }
    }
    layers
}

/// Bytes of all constants of the graph: what it takes on the chip beside its description.
#[must_use]
pub fn constant_bytes(graph: &QuantizedGraph) -> usize {
    let bytes = graph.values().iter().map(|value| match &value.source {
        QuantizedSource::Constant(elements) => elements.to_le_bytes().len(),
        QuantizedSource::Input | QuantizedSource::Node => 0,
    });
    bytes.sum()
}

/// The numbers, such that equal ones are equal and 0 is 0.
pub(crate) fn bits(elements: &Elements) -> Vec<i64> {
    match elements {
        // Both zeros of a float are 0.
        Elements::Float32(numbers) => {
            let bits = |number: &f32| i64::from((number + 0.0).to_bits());
            numbers.iter().map(bits).collect()
        }
        Elements::Float16(numbers) => {
            let bits =
                |number: &ember_graph::quantized::f16| i64::from((number.to_f32() + 0.0).to_bits());
            numbers.iter().map(bits).collect()
        }
        Elements::Int2(numbers) | Elements::Int4(numbers) | Elements::Int8(numbers) => {
            numbers.iter().copied().map(i64::from).collect()
        }
        Elements::Int16(numbers) => numbers.iter().copied().map(i64::from).collect(),
        Elements::Int32(numbers) => numbers.iter().copied().map(i64::from).collect(),
        Elements::Int64(numbers) => numbers.clone(),
    }
}

fn clusters(weights: &QuantizedValue, numbers: &[i64]) -> usize {
    let (axis, count) = match &weights.quantization {
        Quantization::PerChannel { axis, scales } => (*axis, scales.len()),
        Quantization::Real | Quantization::PerTensor { .. } => (0, 1),
    };
    let inner: usize = if count == 1 {
        numbers.len()
    } else {
        weights.shape[axis + 1..].iter().product()
    };
    let mut different = vec![BTreeSet::new(); count];
    for (position, number) in numbers.iter().enumerate() {
        different[position / inner.max(1) % count].insert(*number);
    }
    different.iter().map(BTreeSet::len).max().unwrap_or(0)
}
