//! Versions of operators, and the TensorFlow release that first ran them.
//!
//! An operator's version rises with what it can do; a reader refuses one that it does not know. These are the versions
//! that TensorFlow's converter gives (`compiler/mlir/lite/tools/versioning/op_version.cc`), and the releases of its
//! `runtime_version.cc`, which it writes as `min_runtime_version`. Where it gives a depthwise convolution of int16 no
//! version of its own, ours is the one in which that came; a
//! convolution of int2, which only Ember has, has the version of int4.

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_graph::{Binary, Node, Op, Reduction, Unary, Weightless};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec};

/// The version of a DEQUANTIZE of float16 or int16.
pub(super) const DEQUANTIZE_FLOAT16: i32 = 3;

/// What every release of TensorFlow Lite runs.
const FIRST: (u32, u32) = (1, 5);

/// The version of `node`, whose operands and result are tensors of `spec`.
pub(super) fn of(spec: &ModelSpec, node: &Node) -> i32 {
    let tensor = |operand: usize| &spec.tensors[node.inputs[operand].index()];
    let (input, output) = (tensor(0).dtype, spec.tensors[node.output.index()].dtype);
    // Version 1 is float32; int8 and int16 came one after the other in nearly all.
    let by_type = |int8: i32, int16: i32| match input {
        Dtype::Int8 => int8,
        Dtype::Int16 => int16,
        _ => 1,
    };
    let narrow = || matches!(tensor(1).dtype, Dtype::Int4 | Dtype::Int2);
    match &node.op {
        Op::Conv2d { .. } if narrow() => 7,
        Op::Conv2d { .. } if is_hybrid(spec, node) => {
            if per_channel(tensor(1)) {
                5
            } else {
                2
            }
        }
        Op::Conv2d { .. } => by_type(3, 8),
        Op::DepthwiseConv2d { .. } if narrow() => 7,
        Op::DepthwiseConv2d { .. } if is_hybrid(spec, node) => {
            if per_channel(tensor(1)) {
                6
            } else {
                4
            }
        }
        Op::DepthwiseConv2d { window, .. } if input == Dtype::Float32 => {
            if window.dilation == [1, 1] { 1 } else { 2 }
        }
        Op::DepthwiseConv2d { .. } => by_type(3, 5),
        Op::FullyConnected { .. } if tensor(1).dtype == Dtype::Int2 => 14,
        Op::FullyConnected { .. } if narrow() => 10,
        Op::FullyConnected { .. } if is_hybrid(spec, node) => {
            if per_channel(tensor(1)) {
                12
            } else {
                9
            }
        }
        Op::FullyConnected { .. } => by_type(4, 11),
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Add { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Softmax { .. }
        | Op::Pad { .. } => by_type(2, 3),
        Op::Quantize => {
            if output == Dtype::Int16 {
                2
            } else {
                1
            }
        }
        Op::Dequantize => by_type(2, DEQUANTIZE_FLOAT16),
        // A bias came with version 3, an activation with version 4.
        Op::TransposeConv { activation, .. } => {
            if *activation == Activation::None {
                3
            } else {
                4
            }
        }
        Op::Weightless(op) => of_weightless(op, by_type, tensor(0).shape.len()),
        Op::Reshape { .. } | Op::BatchNorm { .. } => 1,
    }
}

/// The version of an operator without weights on operands of `rank` dimensions.
fn of_weightless(op: &Weightless, by_type: impl Fn(i32, i32) -> i32, rank: usize) -> i32 {
    match op {
        Weightless::Unary(function) => match function {
            Unary::Logistic | Unary::Tanh => by_type(2, 3),
            Unary::LeakyRelu { .. } => by_type(1, 2),
            Unary::Abs
            | Unary::Ceil
            | Unary::Cos
            | Unary::Elu
            | Unary::Exp
            | Unary::Floor
            | Unary::HardSwish
            | Unary::Log
            | Unary::Neg
            | Unary::Round
            | Unary::Rsqrt
            | Unary::Sin
            | Unary::Sqrt
            | Unary::Square => 1,
        },
        Weightless::Binary(function) => match function {
            Binary::Mul | Binary::Maximum | Binary::Minimum => by_type(2, 4),
            Binary::Sub => by_type(2, 5),
            Binary::Div | Binary::SquaredDifference => by_type(2, 2),
            Binary::Prelu => 1,
        },
        Weightless::LogSoftmax => by_type(2, 2),
        Weightless::Resize {
            align_corners,
            half_pixel_centers,
            ..
        } => {
            let float = if *align_corners || *half_pixel_centers {
                3
            } else {
                1
            };
            by_type(float.max(2), 4).max(float)
        }
        Weightless::Transpose { .. } if rank > 4 => 4,
        Weightless::Transpose { .. } | Weightless::Slice { .. } => by_type(2, 4),
        Weightless::Reduce {
            function: Reduction::Max | Reduction::Min | Reduction::Sum,
            ..
        } => by_type(2, 2),
        Weightless::BatchMatmul { .. }
        | Weightless::Reduce { .. }
        | Weightless::Concatenation { .. } => by_type(2, 3),
    }
}

/// Whether a layer computes float activations with integer weights.
pub(super) fn is_hybrid(spec: &ModelSpec, node: &Node) -> bool {
    let dtype = |operand: usize| spec.tensors[node.inputs[operand].index()].dtype;
    node.inputs.len() > 1 && dtype(0) == Dtype::Float32 && dtype(1) == Dtype::Int8
}

fn per_channel(weights: &TensorSpec) -> bool {
    let quantization = weights.quantization.as_ref();
    quantization.is_some_and(|quantization| quantization.scales.len() > 1)
}

/// The oldest release that runs all of these.
pub(super) fn min_runtime(operators: &[OperatorSpec]) -> String {
    let releases = operators
        .iter()
        .map(|operator| release(operator.op, operator.version));
    let (major, minor) = releases.max().unwrap_or(FIRST);
    format!("{major}.{minor}.0")
}

const fn release(op: BuiltinOp, version: i32) -> (u32, u32) {
    match op {
        BuiltinOp::Exp => (1, 7),
        BuiltinOp::Prelu => (1, 8),
        BuiltinOp::Floor | BuiltinOp::Neg | BuiltinOp::Sin => (1, 9),
        BuiltinOp::Rsqrt | BuiltinOp::Sqrt => (1, 10),
        BuiltinOp::Square => (1, 12),
        BuiltinOp::Abs => (1, 13),
        BuiltinOp::Ceil
        | BuiltinOp::Cos
        | BuiltinOp::Elu
        | BuiltinOp::Log
        | BuiltinOp::LogSoftmax
        | BuiltinOp::Round => (1, 14),
        BuiltinOp::HardSwish => (1, 15),
        _ => by_version(op, version),
    }
}

/// [`release`] of operators that can do more in a later one.
const fn by_version(op: BuiltinOp, version: i32) -> (u32, u32) {
    match (op, version) {
        (BuiltinOp::Mean | BuiltinOp::Sub | BuiltinOp::Div, 1) => (1, 6),
        (BuiltinOp::Transpose | BuiltinOp::StridedSlice, 1) => (1, 6),
        (BuiltinOp::ResizeBilinear, 1) => (1, 7),
        (BuiltinOp::Sum, 1) => (1, 10),
        (BuiltinOp::ReduceMax | BuiltinOp::ReduceMin, 1) => (1, 11),
        (BuiltinOp::Logistic | BuiltinOp::Tanh, 1) => (1, 14),
        (BuiltinOp::Maximum | BuiltinOp::Minimum | BuiltinOp::SquaredDifference, 1) => (1, 14),
        (BuiltinOp::LeakyRelu | BuiltinOp::ResizeNearestNeighbor, 1) => (1, 14),
        (BuiltinOp::Sum, _) => (1, 15),
        (BuiltinOp::BatchMatmul, 1 | 2) | (BuiltinOp::TransposeConv, 3) => (2, 3),
        (BuiltinOp::Div | BuiltinOp::LeakyRelu, 2) => (2, 3),
        (BuiltinOp::SquaredDifference, 2) => (2, 5),
        (BuiltinOp::ResizeBilinear, 3) | (BuiltinOp::StridedSlice, 4) => (2, 2),
        (BuiltinOp::Logistic | BuiltinOp::Tanh | BuiltinOp::Concatenation, 3) => (2, 3),
        (BuiltinOp::ResizeNearestNeighbor, 3) => (2, 3),
        (BuiltinOp::Mul | BuiltinOp::Transpose, 4) => (2, 3),
        (BuiltinOp::Mean | BuiltinOp::BatchMatmul, 3) | (BuiltinOp::Sub, 5) => (2, 4),
        (BuiltinOp::Maximum | BuiltinOp::Minimum | BuiltinOp::ResizeNearestNeighbor, 4) => (2, 4),
        (BuiltinOp::ResizeBilinear, 4) => (2, 5),
        // Its fused activation.
        (BuiltinOp::TransposeConv, 4) => (2, 13),
        (BuiltinOp::Quantize, 1) => (1, 14),
        (BuiltinOp::Quantize, _) | (BuiltinOp::Dequantize, DEQUANTIZE_FLOAT16) => (1, 15),
        (_, ..=1) => FIRST,
        (BuiltinOp::DepthwiseConv2d, 2) => (1, 12),
        (BuiltinOp::DepthwiseConv2d, 4) => (2, 2),
        (BuiltinOp::DepthwiseConv2d, 5 | 6) | (BuiltinOp::FullyConnected, 9) => (2, 3),
        (BuiltinOp::Relu, 2) => (2, 1),
        (BuiltinOp::Relu | BuiltinOp::Relu6, _) if version == 3 => (2, 5),
        (BuiltinOp::MaxPool2d | BuiltinOp::AveragePool2d | BuiltinOp::Softmax, 3) => (2, 3),
        (BuiltinOp::Add | BuiltinOp::Pad, 3) | (BuiltinOp::Conv2d, 5) => (2, 4),
        (BuiltinOp::Conv2d | BuiltinOp::DepthwiseConv2d, 7) | (BuiltinOp::FullyConnected, 10) => {
            (2, 11)
        }
        (BuiltinOp::Conv2d, 8) | (BuiltinOp::FullyConnected, 11) => (2, 15),
        (BuiltinOp::FullyConnected, 12) => (2, 17),
        (BuiltinOp::FullyConnected, 14) => (2, 21),
        (_, _) => (1, 14),
    }
}
