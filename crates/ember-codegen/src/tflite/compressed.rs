//! Files whose weights are stored in fewer bytes: a DECODE operator in front of each layer that reads such weights, as
//! TensorFlow Lite Micro's own compressor puts it (`micro/compression/decode_insert.py`).
//!
//! The weights' tensor becomes a list of bytes; the decoded tensor, which takes its name's place with the same type, shape and
//! quantization, is what the layer reads. The decoded weights are those of the plain file, so that both compute the same.

use ember_core::{BuiltinOp, Dtype};
use ember_graph::{Elements, Quantization, QuantizedGraph, QuantizedSource, Role, ValueId};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec};
use ember_tflite::{Options, TensorId};

use super::encode::{self, Channels, Decoder, Encoded, Encoding};

/// The name of the custom operator.
const DECODE: &str = "TFLM_DECODE";

/// How one tensor of weights is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWeights {
    /// Its name.
    pub tensor: String,
    /// How.
    pub encoding: Encoding,
    /// Weights in it.
    pub weights: usize,
    /// Bytes that they take: encoded, and all that is needed to decode them.
    pub bytes: usize,
}

/// The encoded weights of a graph, by value.
pub(super) struct Compressed {
    encoded: Vec<(ValueId, Encoded)>,
    pub(super) stored: Vec<StoredWeights>,
}

impl Compressed {
    /// Each tensor of int8 weights beside int8 activations in the form of fewest bytes; the others as they are.
    pub(super) fn new(graph: &QuantizedGraph, decoder: Decoder) -> Self {
        let mut compressed = Self {
            encoded: Vec::new(),
            stored: Vec::new(),
        };
        let mut seen = Vec::new();
        for node in graph.nodes() {
            for (role, id) in node.op.operands().iter().zip(&node.inputs) {
                if matches!(role, Role::Filter | Role::Weights) && !seen.contains(id) {
                    seen.push(*id);
                    // The runtimes decode beside int8 alone.
                    let readers = graph.nodes().iter().filter(|node| node.inputs.contains(id));
                    let mut types = readers.map(|node| graph.value(node.output).dtype);
                    let decodable = types.all(|dtype| dtype == Dtype::Int8);
                    compressed.store(graph, *id, decodable.then_some(decoder));
                }
            }
        }
        compressed
    }

    /// Stores one tensor in the form of fewest bytes, as it is where nobody decodes it.
    fn store(&mut self, graph: &QuantizedGraph, id: ValueId, decoder: Option<Decoder>) {
        let value = graph.value(id);
        let QuantizedSource::Constant(elements) = &value.source else {
            return;
        };
        let channels = match &value.quantization {
            Quantization::PerChannel { axis: 0, scales } => Channels::First(scales.len()),
            Quantization::PerChannel { scales, .. } => Channels::Last(scales.len()),
            Quantization::Real | Quantization::PerTensor { .. } => Channels::One,
        };
        let encoded = match (elements, decoder) {
            (Elements::Int8(weights), Some(decoder)) => {
                encode::smallest(weights, channels, decoder)
            }
            _ => None,
        };
        self.stored.push(StoredWeights {
            tensor: value.name.clone(),
            encoding: encoded
                .as_ref()
                .map_or(Encoding::Plain, |encoded| encoded.encoding),
            weights: elements.len(),
            bytes: encoded
                .as_ref()
                .map_or_else(|| elements.to_le_bytes().len(), Encoded::len),
        });
        self.encoded.extend(encoded.map(|encoded| (id, encoded)));
    }

    /// Puts a DECODE in front of the operator that is about to be added, when it reads encoded weights, and lets it read the
    /// decoded ones.
    pub(super) fn decode(&self, spec: &mut ModelSpec, reader: &mut OperatorSpec) {
        for input in reader.inputs.iter_mut().flatten() {
            let id = ValueId::from_index(input.index());
            let Some((_, encoded)) = self.encoded.iter().find(|(known, _)| *known == id) else {
                continue;
            };
            let plain = spec.tensors[input.index()].clone();
            let ancillary = TensorSpec::new(
                format!("{}.ancillary", plain.name),
                Dtype::Uint8,
                [encoded.ancillary.len()],
            );
            let ancillary = spec.push_tensor(ancillary.with_data(encoded.ancillary.clone()));
            let name = format!("{}.decoded", plain.name);
            let decoded = spec.push_tensor(TensorSpec {
                name,
                data: None,
                ..plain
            });
            let mut operator = OperatorSpec::new(
                BuiltinOp::Custom,
                [*input, ancillary],
                [decoded],
                Options::None,
            );
            operator.custom_code = DECODE.to_owned();
            spec.operators.push(operator);
            *input = decoded;
        }
    }

    /// Makes lists of bytes of the tensors that are encoded, once all decoded ones are made.
    pub(super) fn replace(&self, spec: &mut ModelSpec) {
        for (id, encoded) in &self.encoded {
            let tensor = &mut spec.tensors[TensorId(id.index() as u32).index()];
            tensor.dtype = Dtype::Uint8;
            tensor.shape = vec![encoded.bytes.len()];
            tensor.quantization = None;
            tensor.data = Some(encoded.bytes.clone());
        }
    }
}
