//! Operators with a state: it lasts from run to run, a reset forgets it, and operators that lack what they need are refused.

mod support;

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_micro::{
    Fault, Interpreter, Linked, LinkedInterpreter, Preparation, PrepareError, Registration, Slot,
    registry,
};
use ember_tflite::write::{ModelSpec, OperatorSpec, QuantizationSpec, TensorSpec};
use ember_tflite::{Model, SvdfOptions, TensorId, UnidirectionalSequenceLstmOptions};
use support::{Aligned, float32, int8, operator, prepare};

const STATE: usize = 4;

/// SVDF with one filter that sums up its last three inputs, and two operators behind it whose tensors would fit where the
/// state lies.
fn sums() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let constant = |name: &str, shape: &[usize], values: &[f32]| {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        TensorSpec {
            data: Some(bytes),
            ..float32(name, shape)
        }
    };
    let state = TensorSpec {
        is_variable: true,
        ..float32("state", &[1, 3])
    };
    for tensor in [
        float32("x", &[1, 1]),
        constant("feature", &[1, 1], &[1.0]),
        constant("time", &[1, 3], &[1.0; 3]),
        constant("bias", &[1], &[0.5]),
        state,
        float32("sum", &[1, 1]),
        float32("relu", &[1, 1]),
        float32("relu6", &[1, 1]),
    ] {
        spec.push_tensor(tensor);
    }
    let options = SvdfOptions {
        rank: 1,
        ..SvdfOptions::default()
    };
    spec.operators = vec![
        OperatorSpec {
            options: options.into(),
            ..operator(BuiltinOp::Svdf, &[0, 1, 2, 3, 4], &[5])
        },
        operator(BuiltinOp::Relu, &[5], &[6]),
        operator(BuiltinOp::Relu, &[6], &[7]),
    ];
    spec.inputs = vec![TensorId(0)];
    spec.outputs = vec![TensorId(7)];
    spec
}

#[test]
fn a_state_lasts_until_it_is_reset() {
    let file = Aligned::model(&sums());
    let model = Model::parse(file.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();
    let mut run = |x: f32, reset: bool| {
        if reset {
            interpreter.reset_variables();
        }
        interpreter.input_as(0).unwrap().copy_from_slice(&[x]);
        interpreter.invoke().unwrap();
        interpreter.output_as::<f32>(0).unwrap()[0]
    };
    let sums = [1.0, 10.0, 100.0, 1000.0].map(|x| run(x, false));
    assert_eq!(sums, [1.5, 11.5, 111.5, 1110.5]);
    assert_eq!(run(2.0, true), 2.5);
}

/// [`sums`] in int8; the state's zero point is 7.
fn sums_of_int8() -> ModelSpec {
    let mut spec = sums();
    let integers =
        |name: &str, shape: &[usize], scale: f32, zero_point: i32, data: Vec<u8>| TensorSpec {
            data: Some(data),
            ..int8(name, shape, scale, zero_point)
        };
    spec.tensors[0] = int8("x", &[1, 1], 0.5, 3);
    spec.tensors[1] = integers("feature", &[1, 1], 1.0, 0, vec![1]);
    spec.tensors[2] = integers("time", &[1, 3], 1.0, 0, vec![1; 3]);
    spec.tensors[3] = TensorSpec {
        dtype: Dtype::Int32,
        quantization: Some(QuantizationSpec::per_tensor(0.5, 0)),
        ..spec.tensors[3].clone()
    };
    spec.tensors[3].data = Some(vec![0; 4]);
    spec.tensors[STATE] = TensorSpec {
        is_variable: true,
        ..int8("state", &[1, 3], 0.5, 7)
    };
    for tensor in 5..8 {
        spec.tensors[tensor] = int8("", &[1, 1], 0.5, -100);
    }
    spec
}

#[test]
fn a_state_of_int8_begins_at_its_zero_point_linked_or_not() {
    let file = Aligned::model(&sums_of_int8());
    let model = Model::parse(file.bytes()).unwrap();
    let mut arena = Aligned::arena(1024);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();

    let preparation = Preparation::of(&model).unwrap();
    let named = registry::NAMED.iter();
    let rows = named.filter(|(name, _)| preparation.registry.contains(name));
    let rows: Vec<Registration> = rows.map(|(_, row)| *row).collect();
    let linked = Linked::new(file.bytes(), &rows, &preparation.numbers).unwrap();
    let mut linked_arena = Aligned::arena(linked.arena_bytes());
    let mut linked = LinkedInterpreter::new(&linked, linked_arena.bytes_mut()).unwrap();

    let mut run = |x: u8, reset: bool| {
        if reset {
            interpreter.reset_variables();
            linked.reset_variables();
        }
        interpreter.input(0).unwrap().copy_from_slice(&[x]);
        interpreter.invoke().unwrap();
        linked.input(0).unwrap().copy_from_slice(&[x]);
        linked.invoke().unwrap();
        let output = interpreter.output(0).unwrap();
        assert_eq!(output, linked.output(0).unwrap());
        output[0] as i8
    };
    // The sum of x - 3 over three runs, from -100 on.
    let found = [4, 13, 103, 23].map(|x| run(x, false));
    assert_eq!(found, [-99, -89, 11, 30]);
    assert_eq!(run(5, true), -98);
}

#[track_caller]
fn fault(spec: &ModelSpec) -> Fault {
    match prepare(spec, registry::ALL) {
        Err(PrepareError::Operator {
            index: 0, fault, ..
        }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_state_that_is_no_variable_is_refused() {
    let mut spec = sums();
    spec.tensors[STATE].is_variable = false;
    spec.inputs.push(TensorId(STATE as u32));
    let error = prepare(&spec, registry::ALL).unwrap_err();
    assert_eq!(fault(&spec), Fault::NotVariable(Slot::input(4)));
    assert_eq!(
        error.to_string(),
        "operator 0, SVDF: its input 4 is no variable: the operator keeps its state there, mark the tensor as one"
    );
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let mut spec = sums();
    spec.tensors[STATE].shape = vec![1, 4];
    assert_eq!(
        fault(&spec),
        Fault::Size {
            slot: Slot::input(4),
            dimension: 1,
            found: 4,
            expected: 3
        }
    );
    for rank in [0, -1, 2] {
        let mut spec = sums();
        let options = SvdfOptions {
            rank,
            ..SvdfOptions::default()
        };
        spec.operators[0].options = options.into();
        assert_eq!(fault(&spec), Fault::Options, "rank {rank}");
    }
}

/// An LSTM of one unit on one feature.
fn lstm() -> ModelSpec {
    let mut spec = ModelSpec::default();
    let constant = |shape: &[usize]| TensorSpec {
        data: Some(vec![0; 4]),
        ..float32("", shape)
    };
    let state = || TensorSpec {
        is_variable: true,
        ..float32("", &[1, 1])
    };
    spec.push_tensor(float32("x", &[1, 2, 1]));
    for _ in 0..8 {
        spec.push_tensor(constant(&[1, 1]));
    }
    for _ in 0..4 {
        spec.push_tensor(constant(&[1]));
    }
    for tensor in [state(), state(), float32("y", &[1, 2, 1]), constant(&[1])] {
        spec.push_tensor(tensor);
    }
    let some = |ids: core::ops::Range<u32>| ids.map(|id| Some(TensorId(id)));
    let mut inputs: Vec<_> = some(0..9).chain([None; 3]).collect();
    inputs.extend(some(9..13).chain([None; 2]).chain(some(13..15)));
    inputs.extend([None; 4]);
    let options = UnidirectionalSequenceLstmOptions {
        fused_activation_function: Activation::Tanh,
        ..UnidirectionalSequenceLstmOptions::default()
    };
    spec.operators = vec![OperatorSpec {
        inputs,
        options: options.into(),
        ..operator(BuiltinOp::UnidirectionalSequenceLstm, &[], &[15])
    }];
    spec.inputs = vec![TensorId(0)];
    spec.outputs = vec![TensorId(15)];
    spec
}

#[test]
fn variants_of_the_lstm_are_refused() {
    assert_eq!(prepare(&lstm(), registry::ALL), Ok(()));
    for place in [9, 10, 11, 16, 17, 20, 23] {
        let mut spec = lstm();
        spec.operators[0].inputs[place] = Some(TensorId(16));
        let slot = Slot::input(place as u8);
        assert_eq!(fault(&spec), Fault::Unsupported(slot));
    }
    let text = prepare(
        &{
            let mut spec = lstm();
            spec.operators[0].inputs[9] = Some(TensorId(16));
            spec
        },
        registry::ALL,
    );
    assert_eq!(
        text.unwrap_err().to_string(),
        "operator 0, UNIDIRECTIONAL_SEQUENCE_LSTM: its input 9 is given, which makes it a variant of the operator that is \
         not supported: leave it out"
    );
    let mut spec = lstm();
    spec.tensors[14].is_variable = false;
    spec.inputs.push(TensorId(14));
    assert_eq!(fault(&spec), Fault::NotVariable(Slot::input(19)));
    let mut spec = lstm();
    spec.operators[0].options = UnidirectionalSequenceLstmOptions::default().into();
    assert_eq!(
        fault(&spec),
        Fault::Options,
        "the cell gate's function is none"
    );
}
