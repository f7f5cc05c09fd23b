//! The rules of TensorFlow Lite's 8-bit quantization specification, which its integer kernels rely on:
//!
//! - the graph, its numbers made real again, passes [`verify()`](crate::verify());
//! - scales are positive and finite, zero points lie in the range of their type;
//! - per-channel quantization has one scale for each index of its dimension;
//! - activations are INT8 with one scale; filters and weights are INT8 in -127..=127 with zero point 0, per channel along
//!   the output channels; biases are INT32 with zero point 0;
//! - a bias has the scale `input scale * weight scale` of its channel, the product rounded to f32 once;
//! - pooling, reshape and a relu6 that stands alone give back their input's parameters; softmax gives 1/256 and -128.
//!
//! The one about relu6 is because the engines differ: TensorFlow Lite brings its result to the output's parameters,
//! TensorFlow Lite Micro (`kernels/activations.cc`) does not.

use ember_core::Dtype;

use super::{Integers, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue};
use crate::{GraphError, Node, Op, Role, ValueId, verify};

/// Which parameters the result of an integer operator has.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputParameters {
    /// Its own, from its range.
    Own,
    /// Those of its first operand.
    OfInput,
    /// These.
    Fixed(Quantization),
}

/// Which parameters the result of `op` must have.
#[must_use]
pub const fn output_parameters(op: &Op) -> OutputParameters {
    match op {
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::FullyConnected { .. }
        | Op::Add { .. }
        | Op::Relu
        | Op::BatchNorm { .. }
        | Op::Quantize
        | Op::Dequantize => OutputParameters::Own,
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Reshape { .. }
        | Op::Relu6
        | Op::Pad { .. } => OutputParameters::OfInput,
        Op::Softmax { .. } => OutputParameters::Fixed(Quantization::PerTensor {
            scale: 1.0 / 256.0,
            zero_point: -128,
        }),
    }
}
/// Checks everything that the header of this file lists.
pub(super) fn check(graph: &QuantizedGraph) -> Result<(), GraphError> {
    for value in graph.values() {
        check_value(value)?;
    }
    verify(&graph.dequantize())?;
    for node in graph.nodes() {
        check_node(graph, node)?;
    }
    for (role, id) in roles(graph) {
        check_role(role, graph.value(id))?;
    }
    Ok(())
}

/// What each value is used as; inputs and results are activations.
fn roles(graph: &QuantizedGraph) -> impl Iterator<Item = (Role, ValueId)> {
    let uses = graph.nodes().iter().flat_map(|node| {
        let operands = node
            .op
            .operands()
            .iter()
            .copied()
            .zip(node.inputs.iter().copied());
        operands.chain([(Role::Activation, node.output)])
    });
    uses.chain(graph.inputs().iter().map(|id| (Role::Activation, *id)))
}

fn check_role(role: Role, value: &QuantizedValue) -> Result<(), GraphError> {
    let wrong = |problem: &str| Err(fault(value, format!("as {} {problem}", role.name())));
    let dtype = match role {
        Role::Activation | Role::Filter | Role::Weights => Dtype::Int8,
        Role::Bias => Dtype::Int32,
        // `check_node` has refused the operator.
        Role::Gamma | Role::Beta | Role::Mean | Role::Variance => return Ok(()),
    };
    if value.dtype != dtype {
        return wrong(&format!("must be {dtype}, and is {}", value.dtype));
    }
    if role == Role::Activation {
        return match value.quantization {
            Quantization::PerTensor { .. } => Ok(()),
            Quantization::PerChannel { .. } => wrong("must have one scale"),
        };
    }
    if value.quantization.zero_point() != 0 {
        return wrong("must have the zero point 0");
    }
    match &value.source {
        QuantizedSource::Constant(Integers::Int8(numbers)) if numbers.contains(&i8::MIN) => {
            wrong("holds -128: weights stay in -127..=127")
        }
        _ => Ok(()),
    }
}

fn check_node(graph: &QuantizedGraph, node: &Node) -> Result<(), GraphError> {
    let output = graph.value(node.output);
    match output_parameters(&node.op) {
        OutputParameters::Own => {}
        OutputParameters::Fixed(fixed) => {
            if output.quantization != fixed {
                return Err(fault(
                    output,
                    format!("a {} must have {fixed:?}", node.op.name()),
                ));
            }
        }
        OutputParameters::OfInput => {
            let input = graph.value(node.inputs[0]);
            if input.quantization != output.quantization {
                return Err(fault(
                    output,
                    format!(
                        "a {} must have the scale and zero point of its input {:?}",
                        node.op.name(),
                        input.name
                    ),
                ));
            }
        }
    }
    match &node.op {
        Op::Conv2d { .. } | Op::FullyConnected { .. } => check_sum(graph, node, 0),
        Op::DepthwiseConv2d { .. } => check_sum(graph, node, 3),
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Reshape { .. }
        | Op::Softmax { .. }
        | Op::Add { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Pad { .. }
        | Op::Quantize
        | Op::Dequantize => Ok(()),
        Op::BatchNorm { .. } => Err(fault(
            output,
            "a batch_norm has no integers: the passes fold it into its neighbours".to_owned(),
        )),
    }
}

/// The rules for a node that adds products of weights, whose output channels are `axis` of the weights.
fn check_sum(graph: &QuantizedGraph, node: &Node, axis: usize) -> Result<(), GraphError> {
    let [input, weights, bias] = [0, 1, 2].map(|operand| graph.value(node.inputs[operand]));
    let Quantization::PerTensor { scale, .. } = input.quantization else {
        return Ok(()); // `check_role` refuses it.
    };
    match &weights.quantization {
        Quantization::PerChannel { axis: got, .. } if *got != axis => {
            return Err(fault(
                weights,
                format!("must be quantized along dimension {axis}, and is along {got}"),
            ));
        }
        Quantization::PerChannel { .. } | Quantization::PerTensor { .. } => {}
    }
    let weight_scales = weights.quantization.scales();
    let bias_scales = bias.quantization.scales();
    let fits = weight_scales.len() == bias_scales.len()
        && weight_scales
            .iter()
            .zip(bias_scales)
            .all(|(weight, bias)| (scale * weight).to_bits() == bias.to_bits());
    if fits {
        Ok(())
    } else {
        Err(fault(
            bias,
            format!(
                "must have for each channel the product of the scales of {:?} and {:?}",
                input.name, weights.name
            ),
        ))
    }
}

fn fault(value: &QuantizedValue, problem: String) -> GraphError {
    GraphError::Quantization {
        value: value.name.clone(),
        problem,
    }
}

fn check_value(value: &QuantizedValue) -> Result<(), GraphError> {
    let usable = |scale: &f32| scale.is_finite() && *scale > 0.0;
    if let Some(scale) = value
        .quantization
        .scales()
        .iter()
        .find(|scale| !usable(scale))
    {
        return Err(fault(
            value,
            format!("the scale {scale} is not a positive finite number"),
        ));
    }
    match &value.quantization {
        Quantization::PerTensor { zero_point, .. } => {
            let in_range = match value.dtype {
                Dtype::Int8 => i8::try_from(*zero_point).is_ok(),
                _ => *zero_point == 0,
            };
            if !in_range {
                return Err(fault(
                    value,
                    format!("the zero point {zero_point} does not fit {}", value.dtype),
                ));
            }
        }
        Quantization::PerChannel { axis, scales } => {
            if value.shape.get(*axis) != Some(&scales.len()) {
                return Err(fault(
                    value,
                    format!(
                        "{} scales along dimension {axis} of the shape {:?}",
                        scales.len(),
                        value.shape
                    ),
                ));
            }
        }
    }
    if let QuantizedSource::Constant(integers) = &value.source
        && integers.dtype() != value.dtype
    {
        return Err(fault(
            value,
            format!("is {} and holds {}", value.dtype, integers.dtype()),
        ));
    }
    Ok(())
}
