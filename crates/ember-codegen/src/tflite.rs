//! Graphs to `.tflite` files and back: static batch of 1, one signature `serving_default`, the oldest TensorFlow release that runs
//! the model and the arena's plan in the metadata.
//!
//! Tensors are the graph's values in their order, under their names; each reshape gets its shape as one more constant,
//! as TensorFlow's converter writes it.

mod compressed;
mod import;
mod lower;
mod version;

pub use compressed::{Decoder, StoredWeights};
pub use ember_tflite::write::StoredForm;
pub use import::to_graph;

use ember_core::Dtype;
use ember_graph::{Graph, Quantization, QuantizedGraph, QuantizedSource, Source, verify};
use ember_micro::plan;
use ember_tflite::write::{
    ModelSpec, QuantizationSpec, SignatureSpec, TensorSpec, WriteError, write,
};
use ember_tflite::{Model, TensorId};

use crate::CodegenError;

/// What the file says wrote it.
const DESCRIPTION: &str = "Ember";

/// The file of a graph in float32.
///
/// # Errors
/// When the graph is not valid or has an attribute that the format cannot hold.
pub fn float32(graph: &Graph) -> Result<Vec<u8>, CodegenError> {
    verify(graph)?;
    let tensors = graph.values.iter().map(|value| {
        let tensor = TensorSpec::new(&value.name, Dtype::Float32, value.shape.clone());
        match &value.source {
            Source::Input | Source::Node => tensor,
            Source::Constant(numbers) => {
                let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
                tensor.with_data(bytes.collect::<Vec<u8>>())
            }
        }
    });
    let lowered = Lowered {
        name: &graph.name,
        tensors: tensors.collect(),
        nodes: &graph.nodes,
        inputs: &graph.inputs,
        outputs: &graph.outputs,
    };
    lowered.file(|_| Ok(()))
}

/// The file of a graph of typed values: in int8 throughout, or in whatever types a recipe gave its layers.
///
/// Weights in float16 are made float32 again by a DEQUANTIZE each, as TensorFlow's converter writes them.
///
/// # Errors
/// When the graph has an attribute that the format cannot hold.
pub fn quantized(graph: &QuantizedGraph) -> Result<Vec<u8>, CodegenError> {
    lowered(graph).file(|_| Ok(()))
}

/// [`quantized`] with each tensor of int8 weights in the form of fewest bytes that the device runtimes decode: look-up
/// tables for clustered weights, a map of zeros for pruned ones, both for both; and how each is stored.
///
/// LiteRT has no such operator. The file computes what the plain file computes.
///
/// # Errors
/// As [`quantized`].
pub fn compressed(
    graph: &QuantizedGraph,
    decoder: Decoder,
) -> Result<(Vec<u8>, Vec<StoredWeights>), CodegenError> {
    let mut stored = Vec::new();
    let bytes = lowered(graph).file(|spec| {
        stored = compressed::store(spec, graph, decoder)?;
        Ok(())
    })?;
    Ok((bytes, stored))
}

fn lowered(graph: &QuantizedGraph) -> Lowered<'_> {
    let tensors = graph.values().iter().map(|value| {
        let mut tensor = TensorSpec::new(&value.name, value.dtype, value.shape.clone());
        tensor.quantization = match &value.quantization {
            Quantization::Real => None,
            Quantization::PerTensor { scale, zero_point } => {
                Some(QuantizationSpec::per_tensor(*scale, *zero_point))
            }
            // An axis is less than the rank, which the shapes of the operators keep below 5.
            Quantization::PerChannel { axis, scales } => {
                Some(QuantizationSpec::per_channel(scales.clone(), *axis as i32))
            }
        };
        match &value.source {
            QuantizedSource::Input | QuantizedSource::Node => tensor,
            QuantizedSource::Constant(elements) => tensor.with_data(elements.to_le_bytes()),
        }
    });
    Lowered {
        name: graph.name(),
        tensors: tensors.collect(),
        nodes: graph.nodes(),
        inputs: graph.inputs(),
        outputs: graph.outputs(),
    }
}

/// A graph whose values have become tensors, in float or in integers.
struct Lowered<'g> {
    name: &'g str,
    tensors: Vec<TensorSpec>,
    nodes: &'g [ember_graph::Node],
    inputs: &'g [ember_graph::ValueId],
    outputs: &'g [ember_graph::ValueId],
}

impl Lowered<'_> {
    /// The file of what `change` makes of the model.
    fn file(
        self,
        change: impl FnOnce(&mut ModelSpec) -> Result<(), WriteError>,
    ) -> Result<Vec<u8>, CodegenError> {
        let name = self.name.to_owned();
        let cannot = |problem| CodegenError::Write {
            graph: name.clone(),
            problem,
        };
        let mut spec = self.spec()?;
        change(&mut spec).map_err(cannot)?;
        // The plan needs the model, and the model the plan: written once without, read back, and written with.
        let bytes = write(&spec).map_err(cannot)?;
        let offsets = plan::offsets(&Model::parse(&bytes)?)?;
        spec.set_arena_plan(&offsets);
        write(&spec).map_err(cannot)
    }

    fn spec(self) -> Result<ModelSpec, CodegenError> {
        let ids = |values: &[ember_graph::ValueId]| values.iter().map(|id| tensor(*id)).collect();
        let names = |values: &[ember_graph::ValueId]| {
            let named = values
                .iter()
                .map(|id| (self.tensors[id.index()].name.clone(), tensor(*id)));
            named.collect()
        };
        let mut spec = ModelSpec {
            description: DESCRIPTION.to_owned(),
            name: self.name.to_owned(),
            inputs: ids(self.inputs),
            outputs: ids(self.outputs),
            signatures: vec![SignatureSpec {
                key: SignatureSpec::DEFAULT_KEY.to_owned(),
                inputs: names(self.inputs),
                outputs: names(self.outputs),
                ..SignatureSpec::default()
            }],
            tensors: self.tensors,
            ..ModelSpec::default()
        };
        let widened = lower::widen_constants(&mut spec);
        for node in self.nodes {
            let mut operator = lower::operator(&mut spec, node)?;
            for input in operator.inputs.iter_mut().flatten() {
                *input = widened.get(input).copied().unwrap_or(*input);
            }
            spec.operators.push(operator);
        }
        let oldest = version::min_runtime(&spec.operators);
        spec.set_min_runtime_version(&oldest);
        Ok(spec)
    }
}

/// The tensor of a value: they have the same positions. [`write`] refuses a model with 2³¹ tensors.
const fn tensor(id: ember_graph::ValueId) -> TensorId {
    TensorId(id.index() as u32)
}
