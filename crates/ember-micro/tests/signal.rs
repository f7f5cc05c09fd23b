//! The signal library's operators: what their options must say, what they keep from run to run, and that nothing in the options
//! makes them panic.

mod support;

use ember_core::{BuiltinOp, Dtype};
use ember_micro::{
    Fault, Interpreter, Linked, LinkedInterpreter, Preparation, PrepareError, Registration,
    arena_bytes_needed, registry,
};
use ember_tflite::Model;
use ember_tflite::write::{ModelSpec, OperatorSpec, SubgraphSpec, TensorSpec};
use proptest::prelude::*;
use support::{Aligned, operator, prepare};

/// A FlexBuffers map of numbers of 32 bits.
fn map(fields: &[(&str, i32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut starts = Vec::new();
    for (key, _) in fields {
        starts.push(bytes.len());
        bytes.extend_from_slice(key.as_bytes());
        bytes.push(0);
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let word = |bytes: &mut Vec<u8>, word: usize| bytes.extend((word as u32).to_le_bytes());
    word(&mut bytes, fields.len());
    let keys = bytes.len();
    for start in starts {
        let back = bytes.len() - start;
        word(&mut bytes, back);
    }
    let back = bytes.len() - keys;
    word(&mut bytes, back);
    word(&mut bytes, 4);
    word(&mut bytes, fields.len());
    let values = bytes.len();
    for (_, value) in fields {
        bytes.extend(value.to_le_bytes());
    }
    // Signed integers of 4 bytes, then a map of 4 bytes that is found in 2.
    bytes.extend(fields.iter().map(|_| 1u8 << 2 | 2));
    let back = (bytes.len() - values) as u16;
    bytes.extend(back.to_le_bytes());
    bytes.extend([9 << 2 | 2, 2]);
    bytes
}

type Tensor = (Dtype, &'static [usize]);

/// An operator that is sound: its name, options, inputs and outputs.
type Row = (
    &'static str,
    &'static [(&'static str, i32)],
    &'static [Tensor],
    &'static [Tensor],
);

const I16: Dtype = Dtype::Int16;
const U32: Dtype = Dtype::Uint32;
const U64: Dtype = Dtype::Uint64;

const SOUND: &[Row] = &[
    (
        "SignalDelay",
        &[("delay_length", 3)],
        &[(I16, &[2, 4])],
        &[(I16, &[2, 4])],
    ),
    (
        "SignalEnergy",
        &[("end_index", 4), ("start_index", 1)],
        &[(I16, &[10])],
        &[(U32, &[5])],
    ),
    (
        "SignalFftAutoScale",
        &[],
        &[(I16, &[6])],
        &[(I16, &[6]), (Dtype::Int32, &[])],
    ),
    (
        "SignalFilterBank",
        &[("num_channels", 2)],
        &[
            (U32, &[9]),
            (I16, &[5]),
            (I16, &[5]),
            (I16, &[3]),
            (I16, &[3]),
            (I16, &[3]),
        ],
        &[(U64, &[2])],
    ),
    (
        "SignalFilterBankLog",
        &[("input_correction_bits", 3), ("output_scale", 1600)],
        &[(U32, &[4])],
        &[(I16, &[4])],
    ),
    (
        "SignalFilterBankSpectralSubtraction",
        &[
            ("alternate_one_minus_smoothing", 1),
            ("alternate_smoothing", 2),
            ("clamping", 1),
            ("min_signal_remaining", 3),
            ("num_channels", 4),
            ("one_minus_smoothing", 4),
            ("smoothing", 5),
            ("smoothing_bits", 6),
            ("spectral_subtraction_bits", 14),
        ],
        &[(U32, &[4])],
        &[(U32, &[4]), (U32, &[4])],
    ),
    (
        "SignalFilterBankSquareRoot",
        &[],
        &[(U64, &[3]), (Dtype::Int32, &[])],
        &[(U32, &[3])],
    ),
    (
        "SignalFramer",
        &[("frame_size", 5), ("frame_step", 2), ("prefill", 0)],
        &[(I16, &[3, 4])],
        &[(I16, &[3, 2, 5]), (Dtype::Bool, &[])],
    ),
    (
        "SignalIrfft",
        &[("T", 7), ("fft_length", 12)],
        &[(I16, &[2, 14])],
        &[(I16, &[2, 12])],
    ),
    (
        "SignalOverlapAdd",
        &[("T", 7), ("frame_step", 3)],
        &[(I16, &[2, 2, 5])],
        &[(I16, &[2, 6])],
    ),
    (
        "SignalPCAN",
        &[("snr_shift", 6)],
        &[(U32, &[4]), (U32, &[4]), (I16, &[125])],
        &[(U32, &[4])],
    ),
    (
        "SignalRfft",
        &[("T", 7), ("fft_length", 12)],
        &[(I16, &[2, 9])],
        &[(I16, &[2, 14])],
    ),
    (
        "SignalStacker",
        &[
            ("num_channels", 3),
            ("stacker_left_context", 1),
            ("stacker_right_context", 1),
            ("stacker_step", 2),
        ],
        &[(I16, &[3])],
        &[(I16, &[9]), (Dtype::Bool, &[])],
    ),
    (
        "SignalWindow",
        &[("shift", 4)],
        &[(I16, &[2, 4]), (I16, &[4])],
        &[(I16, &[2, 4])],
    ),
];

/// A model of one operator with these options.
fn model((name, _, inputs, outputs): &Row, options: Vec<u8>) -> ModelSpec {
    let mut spec = ModelSpec::default();
    let mut add = |tensors: &[Tensor]| -> Vec<u32> {
        let ids = tensors.iter().map(|(dtype, shape)| {
            spec.push_tensor(TensorSpec::new("", *dtype, shape.to_vec()))
                .0
        });
        ids.collect()
    };
    let (inputs, outputs) = (add(inputs), add(outputs));
    let operator = OperatorSpec {
        custom_code: (*name).to_owned(),
        custom_options: options,
        ..operator(BuiltinOp::Custom, &inputs, &outputs)
    };
    spec.inputs = operator.inputs.iter().flatten().copied().collect();
    spec.outputs = operator.outputs.iter().flatten().copied().collect();
    spec.operators = vec![operator];
    spec
}

fn row(name: &str) -> &'static Row {
    SOUND.iter().find(|(own, ..)| *own == name).unwrap()
}

#[test]
fn sound_ones_are_taken() {
    for row in SOUND {
        assert_eq!(
            prepare(&model(row, map(row.1)), registry::ALL),
            Ok(()),
            "{}",
            row.0
        );
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    for (name, key, values) in [
        ("SignalDelay", "delay_length", &[-1, i32::MAX][..]),
        ("SignalEnergy", "end_index", &[6, -1]),
        ("SignalEnergy", "start_index", &[-1]),
        ("SignalFilterBankLog", "input_correction_bits", &[-1, 32]),
        (
            "SignalFilterBankSpectralSubtraction",
            "smoothing_bits",
            &[-1, 32],
        ),
        (
            "SignalFilterBankSpectralSubtraction",
            "spectral_subtraction_bits",
            &[-1, 64],
        ),
        ("SignalFramer", "frame_step", &[0, -1, 3]),
        ("SignalFramer", "frame_size", &[0, -1]),
        ("SignalIrfft", "fft_length", &[0, 2, 11, 14, -4, 24]),
        ("SignalIrfft", "T", &[0, 2, 99]),
        ("SignalOverlapAdd", "frame_step", &[6, -1]),
        ("SignalOverlapAdd", "T", &[0]),
        ("SignalPCAN", "snr_shift", &[-1, 64]),
        (
            "SignalRfft",
            "fft_length",
            &[0, 2, 8, 11, 14, i32::MIN, i32::MAX],
        ),
        ("SignalRfft", "T", &[2]),
        ("SignalStacker", "stacker_step", &[0, 4, -1]),
        ("SignalStacker", "stacker_left_context", &[-1, i32::MAX]),
        ("SignalWindow", "shift", &[-1, 32]),
    ] {
        for value in values {
            let row = row(name);
            let fields = row
                .1
                .iter()
                .map(|(own, old)| (*own, if *own == key { *value } else { *old }));
            let fields: Vec<_> = fields.collect();
            let found = prepare(&model(row, map(&fields)), registry::ALL);
            let Err(PrepareError::Operator {
                fault: Fault::Options,
                index: 0,
                ..
            }) = found
            else {
                panic!("{name}, {key} {value}: {found:?}");
            };
        }
    }
    for row in SOUND.iter().filter(|row| !row.1.is_empty()) {
        for options in [vec![], map(&row.1[1..]), vec![1, 2, 3]] {
            let found = prepare(&model(row, options), registry::ALL);
            let refused = matches!(
                found,
                Err(PrepareError::Operator {
                    fault: Fault::Options,
                    ..
                })
            );
            assert!(refused, "{}: {found:?}", row.0);
        }
    }
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    for row in SOUND {
        let count = row.2.len() + row.3.len();
        for tensor in 0..count {
            let mut spec = model(row, map(row.1));
            let shape = &mut spec.tensors[tensor].shape;
            match shape.last_mut() {
                Some(size) => *size = 77,
                None => shape.push(1),
            }
            // A bank reads as many starts as it has channels and does not mind more; energies and tables are looked at when
            // they are read; frames may be of any size that is not below their step.
            let free = match row.0 {
                "SignalFilterBank" => tensor == 0 || (3..6).contains(&tensor),
                "SignalPCAN" => tensor == 2,
                "SignalOverlapAdd" => tensor == 0,
                _ => false,
            };
            let found = prepare(&spec, registry::ALL);
            assert_eq!(found.is_ok(), free, "{}, tensor {tensor}: {found:?}", row.0);
        }
    }
}

#[test]
fn a_state_lasts_until_it_is_reset_linked_or_not() {
    let row: &Row = &(
        "SignalDelay",
        &[("delay_length", 3)],
        &[(I16, &[1])],
        &[(I16, &[1])],
    );
    let file = Aligned::model(&model(row, map(row.1)));
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

    let mut run = |x: i16, reset: bool| {
        if reset {
            interpreter.reset_variables();
            linked.reset_variables();
        }
        interpreter.input_as(0).unwrap().copy_from_slice(&[x]);
        interpreter.invoke().unwrap();
        linked.input(0).unwrap().copy_from_slice(&x.to_le_bytes());
        linked.invoke().unwrap();
        assert_eq!(interpreter.output(0).unwrap(), linked.output(0).unwrap());
        interpreter.output_as::<i16>(0).unwrap()[0]
    };
    let found = [1, 2, 3, 4, 5].map(|x| run(x, false));
    assert_eq!(found, [0, 0, 0, 1, 2]);
    assert_eq!(run(9, true), 0);
    assert_eq!([0, 0, 0].map(|x| run(x, false)), [0, 0, 9]);
}

#[test]
fn a_state_in_a_called_subgraph_is_refused() {
    let inner = model(row("SignalDelay"), map(&[("delay_length", 3)]));
    let mut spec = ModelSpec::default();
    let shape = [2, 4];
    let condition = spec.push_tensor(TensorSpec::new("", Dtype::Bool, [1]));
    let input = spec.push_tensor(TensorSpec::new("", I16, shape));
    let output = spec.push_tensor(TensorSpec::new("", I16, shape));
    let options = ember_tflite::IfOptions {
        then_subgraph_index: 1,
        else_subgraph_index: 1,
    };
    spec.operators = vec![OperatorSpec {
        options: options.into(),
        ..operator(BuiltinOp::If, &[condition.0, input.0], &[output.0])
    }];
    (spec.inputs, spec.outputs) = (vec![condition, input], vec![output]);
    spec.called = vec![SubgraphSpec {
        tensors: inner.tensors,
        operators: inner.operators,
        inputs: inner.inputs,
        outputs: inner.outputs,
        name: String::new(),
    }];
    let found = prepare(&spec, registry::ALL);
    let Err(PrepareError::Operator {
        subgraph: 1,
        fault: Fault::InnerState,
        ..
    }) = found
    else {
        panic!("{found:?}");
    };
}

/// Runs a model a few times, if it can be prepared in little memory.
fn try_out(spec: &ModelSpec, bytes: &[u8]) {
    let file = Aligned::model(spec);
    let model = Model::parse(file.bytes()).unwrap();
    match arena_bytes_needed(&model, registry::ALL) {
        Ok(needed) if needed < 1 << 20 => {}
        _ => return,
    }
    let needed = arena_bytes_needed(&model, registry::ALL).unwrap();
    let mut arena = Aligned::arena(needed);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();
    let mut bytes = bytes.iter().cycle();
    for _ in 0..3 {
        for index in 0..spec.inputs.len() {
            for place in interpreter.input(index).unwrap() {
                *place = *bytes.next().unwrap();
            }
        }
        // A shift or a table's place that is not there is an error of the run.
        let _ = interpreter.invoke();
    }
}

/// A number of an option: mostly small, sometimes absurd.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![8 => 0..9, 2 => -2..70, 1 => any::<i32>(), 1 => Just(i32::MIN), 1 => Just(i32::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_options_and_inputs_never_panic(
        which in 0..SOUND.len(), numbers in proptest::collection::vec(proptest::option::of(number()), 9),
        cut in proptest::option::of(any::<proptest::sample::Index>()), flip in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let row = &SOUND[which];
        let fields: Vec<_> = row.1.iter().zip(numbers).map(|((key, sound), number)| (*key, number.unwrap_or(*sound))).collect();
        let mut options = map(&fields);
        if let Some(cut) = cut {
            options.truncate(cut.index(options.len()));
        }
        if let Some((place, value)) = flip && !options.is_empty() {
            let place = place.index(options.len());
            options[place] = value;
        }
        try_out(&model(row, options), &bytes);
    }
}
