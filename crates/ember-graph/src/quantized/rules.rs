//! The rules of TensorFlow Lite's quantization specification, which its kernels rely on:
//!
//! - the graph, its numbers made real again, passes [`verify()`](crate::verify());
//! - scales are positive and finite, zero points lie in the range of their type, floats have neither;
//! - per-channel quantization has one scale for each index of its dimension;
//! - activations are FLOAT32, INT8 or INT16, integers with one scale, INT16 with the zero point 0;
//! - an operator has all its activations in one type; QUANTIZE and DEQUANTIZE stand where types meet;
//! - filters, weights and biases have a type that goes with the activations: see [`layer_types`];
//! - integer weights are symmetric: zero point 0, INT8 in -127..=127, INT4 in -7..=7, INT2 in -2..=1, per
//!   channel along the output channels;
//! - an integer bias has the scale `input scale * weight scale` of its channel, the product rounded to f32 once;
//! - pooling, reshape, pad, a relu6 that stands alone, what moves elements and what resizes images give back their input's
//!   parameters; softmax gives 1/256 and -128 in INT8, 1/32768 and 0 in INT16, and other functions what their kernels have;
//! - concatenation, maximum and minimum have all their operands in the parameters of their result;
//! - an operator that has no kernel for integers computes in FLOAT32: see [`has_integers`].
//!
//! The one about relu6 is because the engines differ: TensorFlow Lite brings its result to the output's parameters,
//! TensorFlow Lite Micro (`kernels/activations.cc`) does not.

use ember_core::Dtype;

use super::{Elements, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue};
use crate::{Binary, GraphError, Node, Op, Reduction, Resizing, Role, Unary, Weightless, verify};

/// Which parameters the result of an integer operator has.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputParameters {
    /// Its own, from its range.
    Own,
    /// Those of its first operand.
    OfInput,
    /// Its own, from its range, and its operands have the same.
    Shared,
    /// These.
    Fixed(Quantization),
}

/// Which parameters the result of `op` in integers of this type must have.
#[must_use]
pub const fn output_parameters(op: &Op, dtype: Dtype) -> OutputParameters {
    match op {
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::TransposeConv { .. }
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
        Op::Softmax { .. } => fixed(dtype, 1.0 / 256.0, -128),
        Op::Weightless(op) => of_weightless(op, dtype),
    }
}

/// The parameters of results that end at 1: in INT16 the same for all.
const fn fixed(dtype: Dtype, scale: f32, zero_point: i32) -> OutputParameters {
    OutputParameters::Fixed(match dtype {
        Dtype::Int16 => Quantization::PerTensor {
            scale: 1.0 / 32768.0,
            zero_point: 0,
        },
        _ => Quantization::PerTensor { scale, zero_point },
    })
}

const fn of_weightless(op: &Weightless, dtype: Dtype) -> OutputParameters {
    match op {
        Weightless::Unary(Unary::Logistic) => fixed(dtype, 1.0 / 256.0, -128),
        Weightless::Unary(Unary::Tanh) => fixed(dtype, 1.0 / 128.0, 0),
        Weightless::LogSoftmax => fixed(dtype, 16.0 / 256.0, 127),
        Weightless::Binary(Binary::Maximum | Binary::Minimum)
        | Weightless::Concatenation { .. } => OutputParameters::Shared,
        Weightless::Reduce {
            function: Reduction::Max | Reduction::Min,
            ..
        }
        | Weightless::Resize { .. }
        | Weightless::Transpose { .. }
        | Weightless::Slice { .. } => OutputParameters::OfInput,
        Weightless::Unary(_)
        | Weightless::Binary(_)
        | Weightless::BatchMatmul { .. }
        | Weightless::Reduce { .. } => OutputParameters::Own,
    }
}

/// Whether the kernels compute `op` with activations of this type (`docs/operators.md`).
#[must_use]
pub const fn has_integers(op: &Op, dtype: Dtype) -> bool {
    let int8 = matches!(dtype, Dtype::Int8);
    match op {
        Op::Weightless(Weightless::Unary(function)) => match function {
            Unary::Logistic | Unary::Tanh | Unary::LeakyRelu { .. } => true,
            Unary::Elu | Unary::HardSwish => int8,
            // Those on ABS and RSQRT have no scale of the result's own, or one that its range does not say.
            Unary::Abs
            | Unary::Ceil
            | Unary::Cos
            | Unary::Exp
            | Unary::Floor
            | Unary::Log
            | Unary::Neg
            | Unary::Round
            | Unary::Rsqrt
            | Unary::Sin
            | Unary::Sqrt
            | Unary::Square => false,
        },
        Op::Weightless(Weightless::Binary(function)) => match function {
            Binary::Mul | Binary::Sub | Binary::Maximum | Binary::Minimum => true,
            Binary::Div | Binary::SquaredDifference => int8,
            // The slopes are a constant in INT8, whatever the input is.
            Binary::Prelu => int8,
        },
        Op::Weightless(
            Weightless::LogSoftmax
            | Weightless::Reduce {
                function: Reduction::Max | Reduction::Min,
                ..
            }
            | Weightless::Resize {
                method: Resizing::Bilinear,
                ..
            },
        ) => int8,
        Op::Weightless(
            Weightless::BatchMatmul { .. }
            | Weightless::Reduce { .. }
            | Weightless::Resize { .. }
            | Weightless::Transpose { .. }
            | Weightless::Slice { .. }
            | Weightless::Concatenation { .. },
        )
        | Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::TransposeConv { .. }
        | Op::FullyConnected { .. }
        | Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Add { .. }
        | Op::Reshape { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Softmax { .. }
        | Op::BatchNorm { .. }
        | Op::Pad { .. }
        | Op::Quantize
        | Op::Dequantize => true,
    }
}

/// The types that filter or weights, and the bias, may have beside activations of this type.
#[must_use]
pub const fn layer_types(activations: Dtype) -> (&'static [Dtype], &'static [Dtype]) {
    match activations {
        // Weights in INT8: the kernels round the activations to INT8 for the product, each row with its own scale.
        Dtype::Float32 => (
            &[Dtype::Float32, Dtype::Float16, Dtype::Int8],
            &[Dtype::Float32, Dtype::Float16],
        ),
        Dtype::Int8 => (&[Dtype::Int8, Dtype::Int4, Dtype::Int2], &[Dtype::Int32]),
        Dtype::Int16 => (&[Dtype::Int8], &[Dtype::Int64]),
        _ => (&[], &[]),
    }
}

/// The greatest magnitude of a weight that is rounded to this type: both ends are used alike, so that 0 stands in the
/// middle, and INT2 is -1, 0 and 1.
#[must_use]
pub const fn weight_limit(dtype: Dtype) -> i8 {
    match dtype {
        Dtype::Int2 => 1,
        Dtype::Int4 => 7,
        _ => 127,
    }
}

/// Checks everything that the header of this file lists.
pub(super) fn check(graph: &QuantizedGraph) -> Result<(), GraphError> {
    for value in graph.values() {
        check_value(value)?;
    }
    verify(&graph.dequantize())?;
    for id in graph.inputs() {
        check_activation(graph.value(*id))?;
    }
    for node in graph.nodes() {
        check_node(graph, node)?;
    }
    Ok(())
}

fn check_activation(value: &QuantizedValue) -> Result<(), GraphError> {
    match (value.dtype, &value.quantization) {
        (Dtype::Float32, _) | (Dtype::Int8 | Dtype::Int16, Quantization::PerTensor { .. }) => {
            Ok(())
        }
        (Dtype::Int8 | Dtype::Int16, _) => {
            Err(fault(value, "as activation must have one scale".to_owned()))
        }
        (dtype, _) => Err(fault(
            value,
            format!("as activation must be FLOAT32, INT8 or INT16, and is {dtype}"),
        )),
    }
}

fn check_node(graph: &QuantizedGraph, node: &Node) -> Result<(), GraphError> {
    let output = graph.value(node.output);
    check_activation(output)?;
    let uses = || node.op.operands().iter().zip(&node.inputs);
    for (role, id) in uses() {
        match role {
            Role::Activation => check_activation(graph.value(*id))?,
            Role::Filter | Role::Weights | Role::Bias => {
                check_parameter(*role, graph.value(*id), output.dtype)?;
            }
            Role::Gamma | Role::Beta | Role::Mean | Role::Variance => {
                return Err(fault(
                    output,
                    "a batch_norm has no kernel: the passes fold it into its neighbours".to_owned(),
                ));
            }
        }
    }
    let integer = |value: &QuantizedValue| value.dtype != Dtype::Float32;
    let input = graph.value(node.inputs[0]);
    match node.op {
        Op::Quantize if !integer(output) => {
            return Err(fault(output, "a quantize makes integers".to_owned()));
        }
        Op::Dequantize if integer(output) || !integer(input) => {
            return Err(fault(
                output,
                "a dequantize makes FLOAT32 of integers".to_owned(),
            ));
        }
        Op::Quantize | Op::Dequantize => {}
        _ => {
            let activations = uses().filter(|(role, _)| **role == Role::Activation);
            for (_, id) in activations {
                let operand = graph.value(*id);
                if operand.dtype != output.dtype {
                    return Err(fault(
                        operand,
                        format!(
                            "is {} in a {} that makes {}: a quantize or dequantize belongs between",
                            operand.dtype,
                            node.op.name(),
                            output.dtype
                        ),
                    ));
                }
            }
        }
    }
    if !integer(output) {
        return Ok(());
    }
    check_output(graph, node)?;
    match &node.op {
        Op::Conv2d { .. } | Op::TransposeConv { .. } | Op::FullyConnected { .. } => {
            check_sum(graph, node, 0)
        }
        Op::DepthwiseConv2d { .. } => check_sum(graph, node, 3),
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Reshape { .. }
        | Op::Softmax { .. }
        | Op::Add { .. }
        | Op::Relu
        | Op::Relu6
        | Op::BatchNorm { .. }
        | Op::Pad { .. }
        | Op::Quantize
        | Op::Dequantize
        | Op::Weightless(_) => Ok(()),
    }
}

/// Filter, weights or bias of a layer with activations of this type.
fn check_parameter(
    role: Role,
    value: &QuantizedValue,
    activations: Dtype,
) -> Result<(), GraphError> {
    let wrong = |problem: String| Err(fault(value, format!("as {} {problem}", role.name())));
    let (weights, biases) = layer_types(activations);
    let allowed = if role == Role::Bias { biases } else { weights };
    if !allowed.contains(&value.dtype) {
        let allowed: Vec<&str> = allowed.iter().map(|dtype| dtype.name()).collect();
        return wrong(format!(
            "must be {} beside {activations} activations, and is {}",
            allowed.join(" or "),
            value.dtype
        ));
    }
    if value.quantization.zero_point() != 0 {
        return wrong("must have the zero point 0".to_owned());
    }
    match &value.source {
        QuantizedSource::Constant(
            Elements::Int8(numbers) | Elements::Int4(numbers) | Elements::Int2(numbers),
        ) => {
            let greatest = weight_limit(value.dtype);
            // Two bits have a fourth number, which training may use.
            let least = if value.dtype == Dtype::Int2 {
                -2
            } else {
                -greatest
            };
            let outside = |number: &&i8| **number < least || **number > greatest;
            match numbers.iter().find(outside) {
                Some(outside) => wrong(format!(
                    "holds {outside}: weights stay in {least}..={greatest}"
                )),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn check_output(graph: &QuantizedGraph, node: &Node) -> Result<(), GraphError> {
    let output = graph.value(node.output);
    if !has_integers(&node.op, output.dtype) {
        return Err(fault(
            output,
            format!(
                "a {} has no kernel for {}: it computes in FLOAT32",
                node.op.name(),
                output.dtype
            ),
        ));
    }
    match output_parameters(&node.op, output.dtype) {
        OutputParameters::Own => {}
        OutputParameters::Shared => {
            let mut operands = node.inputs.iter().map(|id| graph.value(*id));
            let other = operands.find(|operand| operand.quantization != output.quantization);
            if let Some(operand) = other {
                return Err(fault(
                    operand,
                    format!(
                        "in a {} must have the scale and zero point of its result {:?}",
                        node.op.name(),
                        output.name
                    ),
                ));
            }
        }
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
    Ok(())
}

/// The rules for a node that adds products of integer weights, whose output channels are `axis` of the weights.
fn check_sum(graph: &QuantizedGraph, node: &Node, axis: usize) -> Result<(), GraphError> {
    let [input, weights, bias] = [0, 1, 2].map(|operand| graph.value(node.inputs[operand]));
    let Quantization::PerTensor { scale, .. } = input.quantization else {
        return Ok(()); // `check_activation` refuses it.
    };
    match &weights.quantization {
        Quantization::PerChannel { axis: got, .. } if *got != axis => {
            return Err(fault(
                weights,
                format!("must be quantized along dimension {axis}, and is along {got}"),
            ));
        }
        Quantization::Real | Quantization::PerChannel { .. } | Quantization::PerTensor { .. } => {}
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
    let real = matches!(value.dtype, Dtype::Float32 | Dtype::Float16);
    if real != (value.quantization == Quantization::Real) {
        return Err(fault(
            value,
            format!("{} goes with {:?}", value.dtype, value.quantization),
        ));
    }
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
        Quantization::Real => {}
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
    if let QuantizedSource::Constant(elements) = &value.source
        && elements.dtype() != value.dtype
    {
        return Err(fault(
            value,
            format!("is {} and holds {}", value.dtype, elements.dtype()),
        ));
    }
    Ok(())
}
