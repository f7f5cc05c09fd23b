//! What rounding does to a graph, in f32: the real numbers that its constants stand for, and every activation rounded to
//! the integers of its type as soon as it is there.
//!
//! It differs from the integer kernels by what their fixed-point multipliers round, a step of the result at most here and
//! there; which model is exact is the runtime's to say. Float activations that meet int8 weights are left as they are,
//! where the runtime rounds each row of them to its own scale.

use ember_core::Dtype;
use ember_graph::eval::evaluate_mapped;
use ember_graph::{QuantizedGraph, QuantizedValue, ValueId};

use crate::CompressError;

/// The outputs of `graph`, in their order, as real numbers, each `[batch, ...]`; calls `observe` with every input and every
/// result, rounded, under the ids of `graph`.
///
/// # Errors
/// When an input has another length.
pub fn simulate(
    graph: &QuantizedGraph,
    batch: usize,
    inputs: &[&[f32]],
    mut observe: impl FnMut(ValueId, &[f32]),
) -> Result<Vec<Vec<f32>>, CompressError> {
    let real = graph.dequantize();
    Ok(evaluate_mapped(&real, batch, inputs, |id, numbers| {
        round(graph.value(id), numbers);
        observe(id, numbers);
    })?)
}

/// Makes of each number the nearest that the value's integers stand for.
pub fn round(value: &QuantizedValue, numbers: &mut [f32]) {
    let (least, greatest) = match value.dtype {
        Dtype::Int8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        Dtype::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        _ => return,
    };
    let Some(scale) = value.quantization.scales().first() else {
        return;
    };
    let scale = f64::from(*scale);
    let zero_point = f64::from(value.quantization.zero_point());
    for number in numbers {
        let integer = (f64::from(*number) / scale).round() + zero_point;
        *number = (scale * (integer.clamp(least, greatest) - zero_point)) as f32;
    }
}
