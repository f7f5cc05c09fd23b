//! Which weights are stored in fewer bytes, and in which form: for each tensor the one that takes fewest.
//!
//! The forms are those of [`StoredForm`]; the decoded weights are those of the plain file, so that both compute the same.

use ember_core::Dtype;
use ember_graph::{Elements, QuantizedGraph, QuantizedSource, Role, ValueId};
use ember_tflite::TensorId;
use ember_tflite::write::{ModelSpec, StoredForm, WriteError};

use super::tensor;

/// Who is to decode the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// TensorFlow Lite Micro, and Ember.
    Tflm,
    /// Ember alone, which has a form more.
    Ember,
}

impl Decoder {
    const fn forms(self) -> &'static [StoredForm] {
        match self {
            Self::Tflm => &[StoredForm::Lut, StoredForm::Pruned],
            Self::Ember => &[StoredForm::Lut, StoredForm::Pruned, StoredForm::PrunedLut],
        }
    }
}

/// How one tensor of weights is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWeights {
    /// Its name.
    pub tensor: String,
    /// In which form; none as it is.
    pub form: Option<StoredForm>,
    /// Weights in it.
    pub weights: usize,
    /// Bytes that they take: encoded, and all that is needed to decode them.
    pub bytes: usize,
}

/// Bytes that a form must save: decoding costs instructions at every inference, and a convolution of stored weights is not
/// joined with the max-pool behind it.
const WORTHWHILE: usize = 64;

/// Stores each tensor of int8 weights beside int8 activations in the form of fewest bytes, and leaves the others as they are:
/// `spec` is the lowered `graph`.
pub(super) fn store(
    spec: &mut ModelSpec,
    graph: &QuantizedGraph,
    decoder: Decoder,
) -> Result<Vec<StoredWeights>, WriteError> {
    let mut stored = Vec::new();
    let mut seen = Vec::new();
    for node in graph.nodes() {
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            let QuantizedSource::Constant(elements) = &graph.value(*id).source else {
                continue;
            };
            if !matches!(role, Role::Filter | Role::Weights) || seen.contains(id) {
                continue;
            }
            seen.push(*id);
            let plain = elements.to_le_bytes().len();
            let best = match elements {
                Elements::Int8(_) if is_decodable(graph, *id) => best(spec, tensor(*id), decoder),
                _ => None,
            };
            let best = best.filter(|(bytes, _)| *bytes + WORTHWHILE <= plain);
            if let Some((_, form)) = best {
                spec.store(tensor(*id), form)?;
            }
            stored.push(StoredWeights {
                tensor: graph.value(*id).name.clone(),
                form: best.map(|(_, form)| form),
                weights: elements.len(),
                bytes: best.map_or(plain, |(bytes, _)| bytes),
            });
        }
    }
    Ok(stored)
}

/// The form of fewest bytes, and those; none where there is no form for these weights.
fn best(spec: &ModelSpec, id: TensorId, decoder: Decoder) -> Option<(usize, StoredForm)> {
    let forms = decoder.forms().iter();
    let possible = forms.filter_map(|form| Some((spec.stored_bytes(id, *form).ok()?, *form)));
    possible.min_by_key(|(bytes, _)| *bytes)
}

/// Whether all who read the weights can decode them: the runtimes do beside int8 alone.
fn is_decodable(graph: &QuantizedGraph, weights: ValueId) -> bool {
    let mut readers = graph
        .nodes()
        .iter()
        .filter(|node| node.inputs.contains(&weights));
    readers.all(|node| graph.value(node.output).dtype == Dtype::Int8)
}
