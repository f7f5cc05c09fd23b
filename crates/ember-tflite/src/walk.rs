//! Going over everything that a model can be asked, for tests and fuzzing.

use core::fmt::Write;
use core::hash::{Hash, Hasher};

use crate::model::{Model, Subgraph, TensorIds};
use crate::options;
use crate::tensor::{Quantization, Shape, Tensor};

/// Calls every accessor of every part of the model, once within and once beyond each list, and feeds what they answer
/// to `sink`. It shows that a model which passed [`Model::parse`] can be used without a panic; two models of one content
/// feed the same.
pub fn walk(model: &Model<'_>, sink: &mut impl Hasher) {
    model.bytes().len().hash(sink);
    model.description().hash(sink);
    model.min_runtime_version().hash(sink);
    for index in 0..=model.operator_code_count() {
        model.operator_code(index).hash(sink);
    }
    for index in 0..=model.buffer_count() {
        model.buffer(index).hash(sink);
    }
    for (name, bytes) in model.metadata_entries() {
        (name, bytes, model.metadata(name).is_some()).hash(sink);
    }
    if let Some(plan) = model.arena_plan() {
        (plan.version(), plan.subgraph()).hash(sink);
        for (tensor, offset) in plan.offsets().enumerate() {
            (offset, plan.offset(tensor)).hash(sink);
        }
        plan.offset(usize::MAX).hash(sink);
    }
    for signature in model.signatures() {
        (signature.key(), signature.subgraph()).hash(sink);
        for (name, id) in signature.inputs().chain(signature.outputs()) {
            let graph = model.subgraph(signature.subgraph());
            let tensor = graph.and_then(|graph| graph.tensor(id));
            (name, tensor.is_some()).hash(sink);
        }
    }
    model.main().name().hash(sink);
    for graph in model.subgraphs() {
        subgraph(&graph, sink);
    }
}

fn subgraph(graph: &Subgraph<'_>, sink: &mut impl Hasher) {
    graph.name().hash(sink);
    tensor_ids(graph.inputs(), graph, sink);
    tensor_ids(graph.outputs(), graph, sink);
    graph.tensor_count().hash(sink);
    for one in graph.tensors() {
        tensor(&one, sink);
    }
    graph.operator(graph.operator_count()).is_some().hash(sink);
    for op in graph.operators() {
        (op.opcode(), op.builtin(), op.version(), op.opcode_index()).hash(sink);
        tensor_ids(op.inputs(), graph, sink);
        tensor_ids(op.outputs(), graph, sink);
        (op.custom_options(), op.variable()).hash(sink);
        // The answer holds floats, which cannot be hashed; writing to a `Text` cannot fail.
        let _ = write!(Text(sink), "{:?}", op.options());
        options::types_answering(&op).hash(sink);
    }
}

/// Hashes what is written to it.
struct Text<'a, H>(&'a mut H);

impl<H: Hasher> core::fmt::Write for Text<'_, H> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

fn tensor_ids(ids: TensorIds<'_>, graph: &Subgraph<'_>, sink: &mut impl Hasher) {
    (ids.len(), ids.is_empty(), ids.get(ids.len())).hash(sink);
    for (index, id) in ids.iter().enumerate() {
        let tensor = id.and_then(|id| graph.tensor(id));
        (id, ids.get(index) == id, tensor.is_some()).hash(sink);
    }
}

fn tensor(tensor: &Tensor<'_>, sink: &mut impl Hasher) {
    (
        tensor.name(),
        tensor.dtype(),
        tensor.elements(),
        tensor.byte_len(),
    )
        .hash(sink);
    (tensor.data(), tensor.is_variable(), tensor.has_rank()).hash(sink);
    shape(tensor.shape(), sink);
    if let Some(params) = tensor.quantization() {
        quantization(params, sink);
    }
}

fn shape(shape: Shape<'_>, sink: &mut impl Hasher) {
    (
        shape.len(),
        shape.is_empty(),
        shape.last(),
        shape.get(usize::MAX),
    )
        .hash(sink);
    shape.to_array::<4>().hash(sink);
    for (index, dim) in shape.iter().enumerate() {
        (dim, shape.get(index)).hash(sink);
    }
}

fn quantization(params: Quantization<'_>, sink: &mut impl Hasher) {
    (
        params.len(),
        params.is_empty(),
        params.quantized_dimension(),
    )
        .hash(sink);
    for (channel, zero_point) in params.zero_points().enumerate() {
        let scale = params.scale(channel).map(f32::to_bits);
        (zero_point, params.zero_point(channel), scale).hash(sink);
    }
    params.scales().last().map(f32::to_bits).hash(sink);
}
