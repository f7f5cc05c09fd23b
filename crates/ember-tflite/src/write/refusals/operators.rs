//! Operator codes and options: old and new ones, wrong ones, and those that would be lost.

use std::string::ToString;

use ember_core::BuiltinOp;

use super::{file, parse_error, sample, structure_fault};
use crate::error::{OperatorCodeFault, ReadError, StructureFault};
use crate::model::{Model, OpCode};
use crate::options::{Conv2dOptions, SoftmaxOptions};
use crate::schema::{model, operator, operator_code, sub_graph};
use crate::write::layout::{Fields, Layout};
use crate::write::{ModelSpec, WriteError, verify, write};

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
fn options_that_would_be_lost_are_not_taken_over() {
    // ONE_HOT has options that no row reads; RELU has none.
    const ONE_HOT_OPTIONS: u8 = 61;
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
    bytes[codes[0]] = BuiltinOp::OneHot as u8;
    bytes[codes[1]] = BuiltinOp::OneHot as u8;
    bytes[union] = ONE_HOT_OPTIONS;
    let model = Model::parse(&bytes).unwrap();
    assert_eq!(
        ModelSpec::from_model(&model),
        Err(WriteError::UnreadOptions {
            operator: 0,
            op: BuiltinOp::OneHot,
            code: ONE_HOT_OPTIONS
        })
    );
}
