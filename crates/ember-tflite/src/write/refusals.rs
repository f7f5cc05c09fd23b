//! What is refused, and with which words: files that a writer of ours cannot make are built from parts.

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use ember_core::{BuiltinOp, Dtype};

use super::layout::{Fields, Layout, Part};
use super::*;
use crate::error::{OperatorCodeFault, StructureFault, TensorFault};
use crate::model::{Model, OpCode, TensorId};
use crate::options::{Conv2dOptions, Options, SoftmaxOptions};
use crate::schema::{
    self, buffer, model, operator, operator_code, quantization_parameters, sub_graph, tensor,
};

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

fn tensor_fault(change: impl FnOnce(&mut TensorSpec)) -> TensorFault {
    let mut spec = sample();
    change(&mut spec.tensors[2]);
    match write(&spec) {
        Err(WriteError::Rejected(ReadError::Tensor {
            subgraph: 0,
            tensor: 2,
            fault,
        })) => fault,
        other => panic!("{other:?}"),
    }
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

/// Replaces the one place where the four bytes `from` stand.
fn patch(bytes: &mut [u8], from: u32, to: u32) {
    let places: Vec<_> = (0..bytes.len() / 4)
        .filter(|word| bytes[4 * word..][..4] == from.to_le_bytes())
        .collect();
    assert_eq!(places.len(), 1, "{from:#x} is at {places:?}");
    bytes[4 * places[0]..][..4].copy_from_slice(&to.to_le_bytes());
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
fn shapes() {
    let mut negative = write(&sample()).unwrap();
    patch(&mut negative, 12345, -5_i32 as u32);
    let error = parse_error(&negative);
    let fault = TensorFault::NegativeDimension {
        dimension: 0,
        found: -5,
    };
    assert_eq!(
        error,
        ReadError::Tensor {
            subgraph: 0,
            tensor: 2,
            fault
        }
    );
    assert_eq!(
        error.to_string(),
        "tensor 2 of subgraph 0: dimension 0 is -5, expected 0 or more; convert the model with static shapes"
    );
    let most = i32::MAX as usize;
    for shape in [vec![most, most, most, most, 2], vec![most, 2], vec![most]] {
        let fault = tensor_fault(|tensor| {
            tensor.shape = shape;
            tensor.data = None;
        });
        assert_eq!(fault, TensorFault::TooLarge);
    }
    // The bytes of packed elements fit, their number does not.
    let fault = tensor_fault(|tensor| {
        tensor.dtype = Dtype::Int4;
        tensor.shape = vec![1 << 16, 1 << 15];
        tensor.data = None;
    });
    assert_eq!(fault, TensorFault::TooLarge);
    let mut spec = sample();
    spec.tensors[1].shape = vec![1, most + 1];
    let error = write(&spec).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("tensor 1 (\"output\"): dimension 1"),
        "{error}"
    );
}

#[test]
fn constants() {
    let fault = tensor_fault(|tensor| tensor.data = Some(vec![1; 7]));
    let expected = TensorFault::DataLength {
        found: 7,
        expected: 4 * 12345,
    };
    assert_eq!(fault, expected);
    let mut spec = sample();
    spec.tensors[2].data = Some(vec![]);
    assert!(matches!(
        write(&spec),
        Err(WriteError::EmptyConstant { tensor: 2, .. })
    ));
}

#[test]
fn quantization() {
    let with = |scales: &[f32], zero_points: &[i64], dimension| {
        tensor_fault(|tensor| {
            tensor.quantization = Some(QuantizationSpec {
                scales: scales.into(),
                zero_points: zero_points.into(),
                quantized_dimension: dimension,
            });
        })
    };
    assert_eq!(
        with(&[1.0, 2.0], &[0, 0], 0),
        TensorFault::QuantizationLength {
            scales: 2,
            zero_points: 2
        }
    );
    assert_eq!(
        with(&[1.0], &[0, 0], 0),
        TensorFault::QuantizationLength {
            scales: 1,
            zero_points: 2
        }
    );
    for bad in [-1.0, f32::NAN, f32::INFINITY, -0.0] {
        assert_eq!(with(&[bad], &[0], 0), TensorFault::Scale { index: 0 });
    }
    assert_eq!(
        with(&[1.0], &[1 << 40], 0),
        TensorFault::ZeroPoint { index: 0 }
    );
}

#[test]
fn the_channels_of_a_dimension_beyond_the_shape_are_the_last() {
    let mut spec = sample();
    for dimension in [3, -1, i32::MIN] {
        spec.tensors[1].quantization =
            Some(QuantizationSpec::per_channel([1.0, 2.0, 3.0], dimension));
        write(&spec).unwrap();
        spec.tensors[1].quantization = Some(QuantizationSpec::per_channel([1.0, 2.0], dimension));
        write(&spec).unwrap_err();
    }
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
                outputs: vec![],
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
fn operators() {
    let one_operator = |code: &dyn Fn(&mut Layout, &mut Fields)| {
        file(|layout, root| {
            let mut fields = Fields::default();
            code(layout, &mut fields);
            let code = layout.table(fields);
            root.tables(model::operator_codes, layout.tables(&[code]));
            let op = layout.table(Fields::default());
            let mut graph = Fields::default();
            graph.tables(sub_graph::operators, layout.tables(&[op]));
            let graph = layout.table(graph);
            root.tables(model::subgraphs, layout.tables(&[graph]));
        })
    };
    // Old converters wrote only the older field, the newest operators have only the newer one.
    let old = one_operator(&|_, code| code.byte(operator_code::deprecated_builtin_code, 9));
    let model = Model::parse(&old).unwrap();
    assert_eq!(
        model.operator_code(0),
        Some((OpCode::Builtin(BuiltinOp::FullyConnected), 1))
    );
    let new = one_operator(&|_, code| {
        code.byte(operator_code::deprecated_builtin_code, 127);
        code.word(operator_code::builtin_code, 150);
    });
    let model = Model::parse(&new).unwrap();
    assert_eq!(
        model.main().operator(0).unwrap().builtin(),
        Some(BuiltinOp::Gelu)
    );
    for found in [127, 300, -1] {
        let unknown = one_operator(&|_, code| {
            code.byte(operator_code::deprecated_builtin_code, found as u8);
            code.word(operator_code::builtin_code, found);
        });
        assert_eq!(
            parse_error(&unknown),
            ReadError::OperatorCode {
                index: 0,
                found,
                fault: OperatorCodeFault::Unknown
            }
        );
    }
    let unnamed = one_operator(&|_, code| code.word(operator_code::builtin_code, 32));
    assert_eq!(
        parse_error(&unnamed),
        ReadError::OperatorCode {
            index: 0,
            found: 32,
            fault: OperatorCodeFault::Unnamed
        }
    );
}

#[test]
fn options_of_another_operator() {
    let mut spec = sample();
    spec.operators[0].options = Conv2dOptions::default().into();
    let error = write(&spec).unwrap_err().to_string();
    assert_eq!(
        error,
        "operator 0 (RELU) has options of union type 1, the operator takes none: give it its own options"
    );
    spec.operators[0].op = BuiltinOp::Softmax;
    let error = write(&spec).unwrap_err().to_string();
    assert!(error.contains("the operator takes type 9"), "{error}");
    // A file of somebody else can have it all the same: turn the operator code of a SOFTMAX into ADD.
    spec.operators[0].options = SoftmaxOptions { beta: 0.5 }.into();
    let mut bytes = write(&spec).unwrap();
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(
        model
            .main()
            .operator(0)
            .unwrap()
            .options_as::<SoftmaxOptions>(),
        Some(SoftmaxOptions { beta: 0.5 })
    );
    let code = model.table.tables(model::operator_codes).get(0).unwrap();
    let codes = [
        operator_code::deprecated_builtin_code.slot,
        operator_code::builtin_code.slot,
    ];
    for at in codes.map(|slot| code.slot(slot).unwrap()) {
        bytes[at] = 0;
    }
    assert_eq!(
        parse_error(&bytes),
        ReadError::OptionsType {
            subgraph: 0,
            operator: 0,
            op: BuiltinOp::Add,
            found: 9,
            expected: 11
        }
    );
}

#[test]
fn a_union_with_only_one_of_type_and_content() {
    for with_type in [true, false] {
        let bytes = file(|layout, root| {
            let mut op = Fields::default();
            let options = layout.table(Fields::default());
            if with_type {
                op.byte(operator::builtin_options_type, 1);
            } else {
                op.options(operator::builtin_options, Some(options));
            }
            let op = layout.table(op);
            let mut graph = Fields::default();
            graph.tables(sub_graph::operators, layout.tables(&[op]));
            let graph = layout.table(graph);
            let code = layout.table(Fields::default());
            root.tables(model::operator_codes, layout.tables(&[code]));
            root.tables(model::subgraphs, layout.tables(&[graph]));
        });
        let place = "Operator.builtin_options".into();
        assert_eq!(structure_fault(&bytes), (place, 0, StructureFault::Union));
        assert!(verify(&bytes).is_err());
    }
}

#[test]
fn a_list_of_nine_dimensions() {
    const RESHAPE_OPTIONS: u8 = 17;
    let bytes = file(|layout, root| {
        let mut options = Fields::default();
        options.part(0, Some(layout.words([1; 9])));
        let mut op = Fields::default();
        op.byte(operator::builtin_options_type, RESHAPE_OPTIONS);
        op.options(operator::builtin_options, Some(layout.table(options)));
        let op = layout.table(op);
        let mut graph = Fields::default();
        graph.tables(sub_graph::operators, layout.tables(&[op]));
        let graph = layout.table(graph);
        let code = layout.table(Fields::default());
        root.tables(model::operator_codes, layout.tables(&[code]));
        root.tables(model::subgraphs, layout.tables(&[graph]));
    });
    let place = "ReshapeOptions.new_shape".into();
    assert_eq!(structure_fault(&bytes), (place, 0, StructureFault::TooMany));
}

#[test]
fn options_with_codes_the_schema_does_not_know() {
    let mut spec = sample();
    spec.operators[0].op = BuiltinOp::Conv2d;
    let options = Conv2dOptions {
        stride_w: 0x7abc_def0,
        fused_activation_function: ember_core::Activation::SignBit,
        ..Conv2dOptions::default()
    };
    spec.operators[0].options = options.into();
    let mut bytes = write(&spec).unwrap();
    let stride = 0x7abc_def0_u32.to_le_bytes();
    let at = (0..bytes.len())
        .find(|at| bytes[*at..].starts_with(&stride))
        .unwrap();
    // The activation is the only byte of the table: it is in the word before or after the stride.
    let near = at.saturating_sub(8)..at + 12;
    let activation = near.into_iter().find(|at| bytes[*at] == 5).unwrap();
    bytes[activation] = 6;
    let place = "Conv2DOptions.fused_activation_function".into();
    assert_eq!(structure_fault(&bytes), (place, 0, StructureFault::Value));
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
fn constants_begin_at_multiples_of_16_and_equal_ones_are_one() {
    let mut spec = sample();
    for (index, len) in [1_usize, 5, 16, 17, 5].into_iter().enumerate() {
        let name = std::format!("c{index}");
        spec.push_tensor(TensorSpec::new(name, Dtype::Int8, [len]).with_data(vec![3; len]));
    }
    let bytes = write(&spec).unwrap();
    assert_eq!(bytes.len() % 16, 0);
    let model = Model::parse(&bytes).unwrap();
    for tensor in model
        .main()
        .tensors()
        .filter(|tensor| !tensor.data().is_empty())
    {
        let at = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert_eq!(at % 16, 0, "{}", tensor.name());
    }
    // The empty one, the big one, and 1, 5, 16 and 17 bytes.
    assert_eq!(model.buffer_count(), 6);
}

#[test]
fn several_subgraphs_are_not_taken_over() {
    let bytes = file(|layout, root| {
        let graph: Part = layout.table(Fields::default());
        root.tables(model::subgraphs, layout.tables(&[graph; 2]));
    });
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(
        ModelSpec::from_model(&model),
        Err(WriteError::Subgraphs { found: 2 })
    );
}

#[test]
fn options_that_would_be_lost_are_not_taken_over() {
    // MUL has options that no row reads; RELU has none.
    const MUL_OPTIONS: u8 = 21;
    let mut spec = sample();
    spec.operators[0].op = BuiltinOp::Softmax;
    spec.operators[0].options = SoftmaxOptions { beta: 2.0 }.into();
    let mut bytes = write(&spec).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let code = model.table.tables(model::operator_codes).get(0).unwrap();
    let codes = [
        operator_code::deprecated_builtin_code.slot,
        operator_code::builtin_code.slot,
    ];
    let codes = codes.map(|slot| code.slot(slot).unwrap());
    let graph = model.main().table;
    let op = graph.tables(sub_graph::operators).get(0).unwrap();
    let union = op.slot(operator::builtin_options_type.slot).unwrap();
    bytes[codes[0]] = BuiltinOp::Mul as u8;
    bytes[codes[1]] = BuiltinOp::Mul as u8;
    bytes[union] = MUL_OPTIONS;
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(
        ModelSpec::from_model(&model),
        Err(WriteError::UnreadOptions {
            operator: 0,
            op: BuiltinOp::Mul,
            code: MUL_OPTIONS
        })
    );
}
