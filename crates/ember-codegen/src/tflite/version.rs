//! Versions of operators, and the TensorFlow release that first ran them.
//!
//! An operator's version rises with what it can do; a reader refuses one that it does not know. These are the versions
//! that TensorFlow's converter gives (`compiler/mlir/lite/tools/versioning/op_version.cc`), and the releases of its
//! `runtime_version.cc`, which it writes as `min_runtime_version`.

use ember_core::{BuiltinOp, Dtype};
use ember_graph::Op;
use ember_tflite::write::OperatorSpec;

/// What every release of TensorFlow Lite runs.
const FIRST: (u32, u32) = (1, 5);

/// The releases, as numbers to compare and as the text that is written.
const RELEASES: [((u32, u32), &str); 4] = [
    (FIRST, "1.5.0"),
    ((1, 12), "1.12.0"),
    ((1, 14), "1.14.0"),
    ((2, 1), "2.1.0"),
];

/// The version of `op` on activations of this type.
pub(super) const fn of(op: &Op, dtype: Dtype) -> i32 {
    let int8 = matches!(dtype, Dtype::Int8);
    match op {
        Op::Conv2d { .. } => {
            if int8 {
                3
            } else {
                1
            }
        }
        Op::DepthwiseConv2d { window, .. } => {
            if int8 {
                3
            } else if window.dilation[0] != 1 || window.dilation[1] != 1 {
                2
            } else {
                1
            }
        }
        Op::FullyConnected { .. } => {
            if int8 {
                4
            } else {
                1
            }
        }
        Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Add { .. }
        | Op::Relu
        | Op::Relu6
        | Op::Softmax { .. } => {
            if int8 {
                2
            } else {
                1
            }
        }
        Op::Pad { .. } | Op::Quantize | Op::Dequantize => {
            if int8 {
                2
            } else {
                1
            }
        }
        Op::Reshape { .. } | Op::BatchNorm { .. } => 1,
    }
}

/// The oldest release that runs all of these.
pub(super) fn min_runtime(operators: &[OperatorSpec]) -> &'static str {
    let releases = operators
        .iter()
        .map(|operator| release(operator.op, operator.version));
    let newest = releases.max().unwrap_or(FIRST);
    RELEASES
        .iter()
        .find(|(release, _)| *release == newest)
        .map_or(RELEASES[0].1, |(_, text)| text)
}

const fn release(op: BuiltinOp, version: i32) -> (u32, u32) {
    match (op, version) {
        (_, ..=1) => FIRST,
        (BuiltinOp::DepthwiseConv2d, 2) => (1, 12),
        (BuiltinOp::Relu, 2) => (2, 1),
        (_, _) => (1, 14),
    }
}
