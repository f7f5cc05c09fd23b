//! Which operators there are on which types, and how that compares with TensorFlow Lite Micro: for documents and tests.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use ember_core::BuiltinOp;
use ember_tflite::OpCode;

use crate::kernel::Registration;
use crate::registry;

/// The builtin operators that TensorFlow Lite Micro registers (`AddBuiltin` in `micro/micro_mutable_op_resolver.h`) and
/// that [`registry::ALL`] has, too.
pub const IN_TFLM: &[BuiltinOp] = {
    use BuiltinOp::*;
    &[
        Abs,
        Add,
        AddN,
        ArgMax,
        ArgMin,
        AssignVariable,
        AveragePool2d,
        BatchMatmul,
        BatchToSpaceNd,
        BroadcastArgs,
        BroadcastTo,
        CallOnce,
        Cast,
        Ceil,
        Concatenation,
        Conv2d,
        Cos,
        Cumsum,
        DepthwiseConv2d,
        DepthToSpace,
        Dequantize,
        Div,
        DynamicUpdateSlice,
        Elu,
        EmbeddingLookup,
        Equal,
        Exp,
        ExpandDims,
        Fill,
        Floor,
        FloorDiv,
        FloorMod,
        FullyConnected,
        Gather,
        GatherNd,
        Greater,
        GreaterEqual,
        HardSwish,
        If,
        L2Normalization,
        L2Pool2d,
        LeakyRelu,
        Less,
        LessEqual,
        Log,
        LogicalAnd,
        LogicalNot,
        LogicalOr,
        Logistic,
        LogSoftmax,
        Maximum,
        MaxPool2d,
        Mean,
        Minimum,
        MirrorPad,
        Mul,
        Neg,
        NotEqual,
        Pack,
        Pad,
        Padv2,
        Prelu,
        Quantize,
        ReadVariable,
        ReduceAll,
        ReduceMax,
        ReduceMin,
        Relu,
        Relu6,
        Reshape,
        ResizeBilinear,
        ResizeNearestNeighbor,
        ReverseV2,
        Round,
        Rsqrt,
        SelectV2,
        Shape,
        Sin,
        Slice,
        Softmax,
        SpaceToBatchNd,
        SpaceToDepth,
        Split,
        SplitV,
        Sqrt,
        Square,
        SquaredDifference,
        Squeeze,
        StridedSlice,
        Sub,
        Sum,
        Svdf,
        Tanh,
        Transpose,
        TransposeConv,
        UnidirectionalSequenceLstm,
        Unpack,
        VarHandle,
        While,
        ZerosLike,
    ]
};

/// The builtin operators that TensorFlow Lite Micro registers and that Ember does not have: none.
pub const ONLY_IN_TFLM: &[BuiltinOp] = &[];

/// The types that a registration is for, in words: that of the first input, and the other that decides where there is one.
#[must_use]
pub fn types_of(registration: &Registration) -> String {
    let first = registration.dtype.map_or("any", |dtype| dtype.name());
    match registration.other {
        None => first.to_owned(),
        Some((slot, other)) if slot.is_output() => format!("{first} to {other}"),
        Some((_, other)) => format!("{first} with {other}"),
    }
}

/// Every operator of [`registry::ALL`] with the types that it takes, each once, in the order of the operators' codes; custom
/// ones come last.
#[must_use]
pub fn operators() -> Vec<(&'static str, Vec<String>)> {
    let mut table: BTreeMap<(i32, &'static str), Vec<String>> = BTreeMap::new();
    for registration in registry::ALL {
        let key = match registration.code {
            OpCode::Builtin(op) => (op.code(), op.name()),
            OpCode::Custom(name) => (i32::MAX, name),
        };
        let types = table.entry(key).or_default();
        let own = types_of(registration);
        if !types.contains(&own) {
            types.push(own);
        }
    }
    table
        .into_iter()
        .map(|((_, name), types)| (name, types))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{IN_TFLM, ONLY_IN_TFLM, operators};
    use ember_core::BuiltinOp;

    #[test]
    fn the_lists_say_what_the_registry_has() {
        let table = operators();
        let has = |op: &BuiltinOp| table.iter().any(|(name, _)| *name == op.name());
        for op in IN_TFLM {
            assert!(
                has(op),
                "{op} is in no registration: it belongs to ONLY_IN_TFLM"
            );
        }
        for op in ONLY_IN_TFLM {
            assert!(!has(op), "{op} has a registration: it belongs to IN_TFLM");
        }
    }

    #[test]
    fn every_operator_is_listed_once() {
        let mut listed: alloc::vec::Vec<_> = IN_TFLM.iter().chain(ONLY_IN_TFLM).collect();
        listed.sort();
        let all = listed.len();
        listed.dedup();
        assert_eq!(listed.len(), all);
        assert_eq!(all, 100, "what TFLM registers");
    }

    #[test]
    fn types_are_those_of_the_registrations() {
        let table = operators();
        let types = |wanted: &str| {
            let row = table.iter().find(|(name, _)| *name == wanted);
            row.map(|(_, types)| types.join(", ")).unwrap_or_default()
        };
        assert_eq!(types("TANH"), "INT8, INT16, FLOAT32");
        assert_eq!(types("TRANSPOSE"), "any");
        assert!(types("CAST").contains("BOOL to FLOAT32"));
        assert!(types("CONV_2D").contains("INT8 with INT4"));
    }
}
