//! What is refused, and with which words: files that a writer of ours cannot make are built from parts.
//!
//! Here are the file as a whole, its indices and what no reader handles; tensors and operators have files of their own.

mod operators;
mod tensors;

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use ember_core::{BuiltinOp, Dtype};

use super::layout::{Fields, Layout};
use super::*;
use crate::error::StructureFault;
use crate::model::{Model, SubgraphId, TensorId};
use crate::options::Options;
use crate::schema::{self, buffer, model, quantization_parameters, sub_graph, tensor};

/// One RELU from tensor 0 to tensor 1, and a constant.
fn sample() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let input = spec.push_tensor(TensorSpec::new("input", Dtype::Int8, [1, 3]));
    let output = spec.push_tensor(TensorSpec::new("output", Dtype::Int8, [1, 3]));
    spec.push_tensor(
        TensorSpec::new("constant", Dtype::Int32, [12345]).with_data(vec![1; 4 * 12345]),
    );
    spec.operators = vec![OperatorSpec::new(
        BuiltinOp::Relu,
        [input],
        [output],
        Options::None,
    )];
    spec.inputs = vec![input];
    spec.outputs = vec![output];
    spec
}

fn parse_error(bytes: &[u8]) -> ReadError {
    Model::parse(bytes).err().expect("the file is damaged")
}

/// The place, item and fault of the first structural error.
fn structure_fault(bytes: &[u8]) -> (std::string::String, usize, StructureFault) {
    match parse_error(bytes) {
        ReadError::Structure {
            place, item, fault, ..
        } => (place.to_string(), item, fault),
        other => panic!("{other:?}"),
    }
}

/// A file whose root table has these fields besides a good version.
fn file(fields: impl FnOnce(&mut Layout, &mut Fields)) -> Vec<u8> {
    let mut layout = Layout::new();
    let mut root = Fields::default();
    root.word(model::version, schema::VERSION);
    fields(&mut layout, &mut root);
    let root = layout.table(root);
    layout.finish(root, schema::IDENTIFIER)
}

/// A file of one subgraph of one tensor with these fields, and one buffer.
fn file_of_tensor(fields: impl FnOnce(&mut Layout, &mut Fields)) -> Vec<u8> {
    file(|layout, root| {
        let mut one = Fields::default();
        fields(layout, &mut one);
        let one = layout.table(one);
        let mut graph = Fields::default();
        graph.tables(sub_graph::tensors, layout.tables(&[one]));
        let graph = layout.table(graph);
        root.tables(model::subgraphs, layout.tables(&[graph]));
        let empty = layout.table(Fields::default());
        root.tables(model::buffers, layout.tables(&[empty]));
    })
}

#[test]
fn headers() {
    let good = write(&sample()).unwrap();
    assert_eq!(parse_error(&[]), ReadError::TooShort { len: 0 });
    assert_eq!(parse_error(&good[..7]), ReadError::TooShort { len: 7 });
    let mut other = good.clone();
    other[4..8].copy_from_slice(b"TFL2");
    assert_eq!(
        parse_error(&other),
        ReadError::Identifier { found: *b"TFL2" }
    );
    assert!(parse_error(&other).to_string().contains("TFL3"));
    let file = file(|_, root| root.word(model::version, 4));
    assert_eq!(parse_error(&file), ReadError::Version { found: 4 });
    assert!(parse_error(&file).to_string().contains("expected 3"));
    let mut far = good.clone();
    far[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        structure_fault(&far),
        ("Model".into(), 0, StructureFault::Misaligned)
    );
    far[..4].copy_from_slice(&0x7fff_fffc_u32.to_le_bytes());
    assert_eq!(
        structure_fault(&far),
        ("Model".into(), 0, StructureFault::OutOfBounds)
    );
    // The root offset names itself: a table whose vtable would be far away.
    far[..4].copy_from_slice(&0_u32.to_le_bytes());
    assert!(matches!(parse_error(&far), ReadError::Structure { .. }));
}

#[test]
fn every_shortening_of_a_file_is_refused() {
    let good = write(&sample()).unwrap();
    for len in (0..good.len()).step_by(101) {
        let error = parse_error(&good[..len]);
        assert!(
            error.to_string().contains("cut off") || len < 8,
            "{len}: {error}"
        );
    }
}

#[test]
fn empty_models() {
    assert_eq!(parse_error(&file(|_, _| {})), ReadError::NoSubgraph);
    let model = file(|layout, root| {
        let graph = layout.table(Fields::default());
        root.tables(model::subgraphs, layout.tables(&[graph]));
    });
    let model = Model::parse(&model).unwrap();
    assert_eq!(model.main().operator_count(), 0);
}

#[test]
fn indices() {
    let error = |change: fn(&mut ModelSpec)| {
        let mut spec = sample();
        change(&mut spec);
        match write(&spec) {
            Err(WriteError::Rejected(ReadError::Index {
                place,
                item,
                found,
                limit,
                ..
            })) => (place.to_string(), item, found, limit),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        error(|spec| spec.inputs[0] = TensorId(3)),
        ("SubGraph.inputs".into(), 0, 3, 3)
    );
    assert_eq!(
        error(|spec| {
            let operator = spec.operators[0].clone();
            spec.operators.push(operator);
            spec.operators[1].outputs[0] = Some(TensorId(1 << 31));
        }),
        ("Operator.outputs".into(), 1, i32::MIN, 3)
    );
    assert_eq!(
        error(|spec| {
            let inputs = vec![("x".into(), TensorId(7))];
            spec.signatures = vec![SignatureSpec {
                key: "s".into(),
                inputs,
                ..SignatureSpec::default()
            }];
        }),
        ("TensorMap.tensor_index".into(), 0, 7, 3)
    );
    let bytes = file_of_tensor(|_, one| one.word(tensor::buffer, 9));
    let error = parse_error(&bytes).to_string();
    assert!(
        error.starts_with("Tensor.buffer (item 0 of its list), at byte "),
        "{error}"
    );
    assert!(error.contains("is 9, expected less than 1"), "{error}");
}

#[test]
fn an_absent_index_needs_a_list_too() {
    let bytes = file(|layout, root| {
        let op = layout.table(Fields::default());
        let mut graph = Fields::default();
        graph.tables(sub_graph::operators, layout.tables(&[op]));
        let graph = layout.table(graph);
        root.tables(model::subgraphs, layout.tables(&[graph]));
    });
    let error = parse_error(&bytes).to_string();
    assert!(
        error.contains("Operator.opcode_index") && error.contains("is 0, expected less than 0"),
        "{error}"
    );
}

#[test]
fn features_that_nobody_handles() {
    let unsupported = |bytes: &[u8], place: &str| {
        assert_eq!(
            structure_fault(bytes),
            (place.into(), 0, StructureFault::Unsupported)
        );
    };
    let bytes = file_of_tensor(|_, one| one.word_in(tensor::external_buffer.slot, 1, 0));
    unsupported(&bytes, "Tensor.external_buffer");
    let bytes = file_of_tensor(|layout, one| {
        let sparsity = layout.table(Fields::default());
        one.part(tensor::sparsity.slot, Some(sparsity));
    });
    unsupported(&bytes, "Tensor.sparsity");
    let bytes = file_of_tensor(|layout, one| {
        let mut params = Fields::default();
        params.byte_in(quantization_parameters::details_type.slot, 2, 0);
        one.table(tensor::quantization, Some(layout.table(params)));
    });
    unsupported(&bytes, "QuantizationParameters.details_type");
    unsupported(&file_with_external_buffer(), "Buffer.offset");
}

/// A file whose buffer lies at byte 4096 behind the flatbuffer. Our layout has no 64-bit fields; the builder has.
fn file_with_external_buffer() -> Vec<u8> {
    let entry = |slot: u8| 4 + 2 * flatbuffers::VOffsetT::from(slot);
    let mut builder = flatbuffers::FlatBufferBuilder::new();
    let external = builder.start_table();
    builder.push_slot_always(entry(buffer::offset.slot), 4096_u64);
    let external = builder.end_table(external);
    let buffers = builder.create_vector(&[external]);
    let root = builder.start_table();
    builder.push_slot_always(entry(model::version.slot), schema::VERSION);
    builder.push_slot_always(entry(model::buffers.slot), buffers);
    let root = builder.end_table(root);
    builder.finish(root, Some(schema::IDENTIFIER));
    builder.finished_data().to_vec()
}

#[test]
fn parts_that_are_shared_too_often() {
    // 2,000 tensors that are one, in 2,000 subgraphs that are one: 32 KB that would be 4 million tensors.
    let bytes = file(|layout, root| {
        let one = layout.table(Fields::default());
        let mut graph = Fields::default();
        graph.tables(sub_graph::tensors, layout.tables(&[one; 2000]));
        let graph = layout.table(graph);
        root.tables(model::subgraphs, layout.tables(&[graph; 2000]));
        root.tables(model::buffers, layout.tables(&[one]));
    });
    assert_eq!(structure_fault(&bytes).2, StructureFault::Shared);
}

#[test]
fn arena_plans() {
    let mut spec = sample();
    spec.set_arena_plan(&[0, 16, -1]);
    let bytes = write(&spec).unwrap();
    let plan = Model::parse(&bytes).unwrap().arena_plan().unwrap();
    assert_eq!(plan.version(), 1);
    assert_eq!(plan.offsets().collect::<Vec<_>>(), [0, 16, -1]);
    assert_eq!(plan.offset(1), Some(16));
    assert_eq!(plan.offset(3), None);
    spec.set_arena_plan(&[0, 16]);
    let found = ReadError::ArenaPlan {
        found: 20,
        expected: 24,
    };
    assert_eq!(write(&spec), Err(WriteError::Rejected(found)));
}

#[test]
fn a_signature_calls_a_subgraph_that_is_there() {
    let mut spec = sample();
    spec.called.push(SubgraphSpec::default());
    spec.signatures = vec![SignatureSpec {
        key: "other".into(),
        subgraph: 1,
        ..SignatureSpec::default()
    }];
    let bytes = write(&spec).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let signature = model.signatures().next().unwrap();
    assert_eq!(signature.subgraph(), SubgraphId(1));
    spec.signatures[0].subgraph = 2;
    let error = write(&spec).unwrap_err().to_string();
    assert!(error.contains("SignatureDef.subgraph_index"), "{error}");
}

#[test]
fn a_variable_belongs_to_a_handle() {
    let mut spec = sample();
    let variable = VariableSpec {
        container: "box".into(),
        name: "counter".into(),
    };
    let handle = spec.push_tensor(TensorSpec::new("handle", Dtype::Resource, [1]));
    spec.operators
        .push(OperatorSpec::var_handle(variable.clone(), handle));
    let bytes = write(&spec).unwrap();
    verify(&bytes).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let operator = model.main().operators().last().unwrap();
    assert_eq!(operator.variable(), Some((&b"box"[..], &b"counter"[..])));
    assert_eq!(ModelSpec::from_model(&model).unwrap(), spec);
    spec.operators[0].variable = Some(variable);
    let error = write(&spec).unwrap_err();
    let op = spec.operators[0].op;
    assert_eq!(error, WriteError::Variable { operator: 0, op });
}

#[test]
fn a_fault_of_a_called_subgraph_is_found() {
    let mut spec = sample();
    let mut called = SubgraphSpec::default();
    let empty = TensorSpec::new("empty", Dtype::Int8, [0]).with_data([]);
    called.tensors.push(empty);
    spec.called.push(called);
    let error = write(&spec).unwrap_err().to_string();
    assert!(error.contains("a constant of 0 bytes"), "{error}");
}
