//! What the tools call operators and tensors.

use ember_core::Dtype;
use ember_tflite::{OpCode, Operator, Quantization, Subgraph, Tensor, TensorId, TensorIds};

/// `CONV_2D`, or the name of a custom operator.
pub(crate) fn operator(operator: &Operator<'_>) -> String {
    code(operator.opcode())
}

/// As [`operator`].
pub(crate) fn code(code: OpCode<'_>) -> String {
    match code {
        OpCode::Builtin(op) => op.to_string(),
        OpCode::Custom(name) => name.to_owned(),
    }
}

/// A tensor's name, or its number where it has none.
pub(crate) fn tensor(id: TensorId, tensor: &Tensor<'_>) -> String {
    match tensor.name() {
        "" => format!("#{}", id.0),
        name => name.to_owned(),
    }
}

/// `INT8 [1, 28, 28, 1]`.
pub(crate) fn kind(dtype: Dtype, shape: &[usize]) -> String {
    format!("{dtype} {shape:?}")
}

/// `scale 0.00392157, zero point -128`, or `8 scales along dimension 0`; empty without quantization.
pub(crate) fn quantization(quantization: Option<Quantization<'_>>) -> String {
    match quantization {
        None => String::new(),
        Some(one) if one.len() == 1 => format!(
            "scale {}, zero point {}",
            one.scale(0).unwrap_or_default(),
            one.zero_point(0).unwrap_or_default()
        ),
        Some(many) => format!(
            "{} scales along dimension {}",
            many.len(),
            many.quantized_dimension()
        ),
    }
}

/// The tensors of a list that are there, with their numbers.
pub(crate) fn present<'a>(
    graph: &Subgraph<'a>,
    ids: TensorIds<'a>,
) -> impl Iterator<Item = (TensorId, Tensor<'a>)> {
    let graph = *graph;
    ids.into_iter()
        .flatten()
        .filter_map(move |id| Some((id, graph.tensor(id)?)))
}
