//! Random models: what is written reads back.

use std::vec;

use ember_core::{BuiltinOp, Dtype};
use proptest::prelude::*;

use super::*;
use crate::model::{Model, TensorId};
use crate::options::Options;

/// Any tensor that a file can express.
fn any_tensor() -> impl Strategy<Value = TensorSpec> {
    let dtype = prop::sample::select(Dtype::ALL);
    let shape = prop::collection::vec(0_usize..5, 0..5);
    (
        dtype,
        shape,
        ".{0,12}",
        any::<(bool, bool, bool)>(),
        -1000_i64..1000,
        0.0_f32..10.0,
    )
        .prop_map(
            |(dtype, shape, name, (constant, per_channel, is_variable), zero_point, scale)| {
                let len = dtype.bytes_for(shape.iter().product()).unwrap_or(0);
                let channels = if per_channel {
                    shape.first().copied().unwrap_or(1)
                } else {
                    1
                };
                let quantization = QuantizationSpec {
                    scales: (0..channels)
                        .map(|channel| scale + channel as f32)
                        .collect(),
                    zero_points: vec![zero_point; channels],
                    quantized_dimension: 0,
                };
                TensorSpec {
                    name,
                    dtype,
                    shape,
                    data: (constant && len > 0).then(|| (0..len).map(|byte| byte as u8).collect()),
                    quantization: (scale > 1.0 && channels > 0).then_some(quantization),
                    is_variable,
                }
            },
        )
}

fn any_operator(tensors: u32) -> impl Strategy<Value = OperatorSpec> {
    let id = prop::option::of((0..tensors).prop_map(TensorId));
    let ids = prop::collection::vec(id, 0..4);
    let op = prop::sample::select(BuiltinOp::ALL);
    (op, 1..20_i32, ids.clone(), ids, any::<bool>()).prop_map(
        |(op, version, inputs, outputs, defaults)| {
            let custom = op == BuiltinOp::Custom;
            OperatorSpec {
                op,
                version,
                inputs,
                outputs,
                options: if defaults {
                    Options::default_for(op)
                } else {
                    Options::None
                },
                variable: (op == BuiltinOp::VarHandle && defaults).then(|| VariableSpec {
                    container: "".into(),
                    name: std::format!("variable {version}"),
                }),
                custom_code: if custom { "Custom".into() } else { "".into() },
                custom_options: if custom { vec![1, 2] } else { vec![] },
            }
        },
    )
}

fn any_spec() -> impl Strategy<Value = ModelSpec> {
    prop::collection::vec(any_tensor(), 1..6).prop_flat_map(|tensors| {
        let count = tensors.len() as u32;
        let ids = prop::collection::vec((0..count).prop_map(TensorId), 0..3);
        let named = prop::collection::vec((".{0,6}", (0..count).prop_map(TensorId)), 0..3);
        let signature =
            (".{0,6}", named.clone(), named).prop_map(|(key, inputs, outputs)| SignatureSpec {
                key,
                subgraph: 0,
                inputs,
                outputs,
            });
        let called = (
            prop::collection::vec(any_tensor(), 1..3),
            prop::collection::vec(any_operator(1), 0..3),
            ".{0,9}",
        )
            .prop_map(|(tensors, operators, name)| SubgraphSpec {
                name,
                tensors,
                operators,
                inputs: vec![TensorId(0)],
                outputs: vec![],
            });
        let metadata = (".{0,6}", prop::collection::vec(any::<u8>(), 0..20));
        (
            Just(tensors),
            prop::collection::vec(any_operator(count), 0..4),
            (ids.clone(), ids),
            prop::collection::vec(signature, 0..2),
            prop::collection::vec(metadata, 0..3),
            (".{0,9}", ".{0,9}"),
            prop::collection::vec(called, 0..3),
        )
            .prop_map(
                |(tensors, operators, (inputs, outputs), signatures, metadata, texts, called)| {
                    ModelSpec {
                        description: texts.0,
                        name: texts.1,
                        tensors,
                        operators,
                        inputs,
                        outputs,
                        signatures,
                        metadata,
                        called,
                    }
                },
            )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(spec in any_spec()) {
        let bytes = write(&spec).unwrap();
        verify(&bytes).unwrap();
        let model = Model::parse(&bytes).unwrap();
        prop_assert_eq!(ModelSpec::from_model(&model).unwrap(), spec);
    }
}
