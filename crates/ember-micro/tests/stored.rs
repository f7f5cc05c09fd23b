//! Stored weights: every form gives what the plain int8 weights give, to the byte.

mod support;

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_micro::{Interpreter, arena_bytes_needed, registry};
use ember_tflite::write::{
    ModelSpec, OperatorSpec, QuantizationSpec, StoredForm, TensorSpec, write,
};
use ember_tflite::{
    Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions, Model, Options, TensorId,
};
use proptest::prelude::*;
use support::Aligned;

/// Numbers that depend on the seed alone (SplitMix64, Steele, Lea and Flood, 2014).
fn numbers(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Which operator, and its sizes: `[batches, height, width, input channels]`, window, output channels or multiplier.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    op: BuiltinOp,
    input: [usize; 4],
    window: [usize; 2],
    outputs: usize,
    groups: usize,
    per_channel: bool,
}

fn sizes() -> impl Strategy<Value = Sizes> {
    let op = prop::sample::select(
        &[
            BuiltinOp::Conv2d,
            BuiltinOp::DepthwiseConv2d,
            BuiltinOp::FullyConnected,
        ][..],
    );
    let channels = prop_oneof![4 => 1..6usize, 1 => 200..300usize];
    (
        op,
        [1..3usize, 1..6usize, 1..6usize],
        channels,
        [1..4usize, 1..4usize],
        1..9usize,
        1..3usize,
        any::<bool>(),
    )
        .prop_map(
            |(op, [batches, height, width], channels, window, outputs, groups, per_channel)| {
                Sizes {
                    op,
                    input: [batches, height, width, channels * groups],
                    window,
                    outputs: outputs * groups,
                    groups,
                    per_channel,
                }
            },
        )
}

/// A model of one operator with these weights; the first tensor is the input, the second the filter.
fn model(sizes: &Sizes, weight: &mut dyn FnMut() -> i8) -> ModelSpec {
    let Sizes {
        op,
        input,
        window,
        outputs,
        groups,
        per_channel,
    } = *sizes;
    let [batches, height, width, depth] = input;
    let (filter, output, channels, dimension, options): (
        Vec<usize>,
        Vec<usize>,
        usize,
        i32,
        Options,
    ) = match op {
        BuiltinOp::Conv2d => {
            let options = Conv2dOptions {
                padding: Padding::Same,
                stride_w: 1,
                stride_h: 1,
                ..Conv2dOptions::default()
            };
            let filter = vec![outputs, window[0], window[1], depth / groups];
            (
                filter,
                vec![batches, height, width, outputs],
                outputs,
                0,
                options.into(),
            )
        }
        BuiltinOp::DepthwiseConv2d => {
            let multiplier = outputs.min(3);
            let options = DepthwiseConv2dOptions {
                padding: Padding::Same,
                stride_w: 1,
                stride_h: 1,
                depth_multiplier: multiplier as i32,
                fused_activation_function: Activation::Relu,
                ..DepthwiseConv2dOptions::default()
            };
            let channels = depth * multiplier;
            (
                vec![1, window[0], window[1], channels],
                vec![batches, height, width, channels],
                channels,
                3,
                options.into(),
            )
        }
        _ => {
            let filter = vec![outputs, height * width * depth];
            (
                filter,
                vec![batches, outputs],
                outputs,
                0,
                FullyConnectedOptions::default().into(),
            )
        }
    };
    let weights: Vec<u8> = (0..filter.iter().product())
        .map(|_| weight().cast_unsigned())
        .collect();
    let scales: Vec<f32> = (0..if per_channel { channels } else { 1 })
        .map(|n| 0.01 + n as f32 * 1e-4)
        .collect();
    let mut spec = ModelSpec::default();
    let x = spec.push_tensor(
        TensorSpec::new("x", Dtype::Int8, input)
            .with_quantization(QuantizationSpec::per_tensor(0.05, -3)),
    );
    let w = spec.push_tensor(
        TensorSpec::new("w", Dtype::Int8, filter)
            .with_data(weights)
            .with_quantization(QuantizationSpec::per_channel(scales, dimension)),
    );
    let y = spec.push_tensor(
        TensorSpec::new("y", Dtype::Int8, output)
            .with_quantization(QuantizationSpec::per_tensor(0.2, 5)),
    );
    spec.operators
        .push(OperatorSpec::new(op, [x, w], [y], options).with_version(3));
    (spec.inputs, spec.outputs) = (vec![x], vec![y]);
    spec
}

/// What the model gives for this input, twice in an arena of exactly the bytes that it asks for.
fn run(spec: &ModelSpec, input: &[u8]) -> Vec<u8> {
    let bytes = Aligned::new(&write(spec).unwrap());
    let model = Model::parse(bytes.bytes()).unwrap();
    let needed = arena_bytes_needed(&model, registry::ALL).unwrap();
    let mut arena = Aligned::new(&vec![0xa5; needed]);
    let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut()).unwrap();
    assert_eq!(interpreter.arena_bytes_used(), needed);
    let mut outputs = Vec::new();
    for _ in 0..2 {
        interpreter.input(0).unwrap().copy_from_slice(input);
        interpreter.invoke().unwrap();
        outputs.push(interpreter.output(0).unwrap().to_vec());
    }
    assert_eq!(outputs[0], outputs[1]);
    outputs.swap_remove(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_gives_what_plain_weights_give(
        sizes in sizes(), seed: u64, values in 1..128u64, sparsity in 0..101u64,
    ) {
        let mut next = numbers(seed);
        let palette: Vec<i8> = (0..values).map(|_| next() as i8).collect();
        let forms: &[(StoredForm, i8)] = &[
            (StoredForm::Lut, 0), (StoredForm::Pruned, 0), (StoredForm::PrunedLut, 0),
            (StoredForm::Int4, 4), (StoredForm::Int2, 6),
        ];
        for (form, shift) in forms {
            let mut weight = || {
                let picked = palette[(next() % values) as usize] >> shift;
                if next() % 100 < sparsity { 0 } else { picked }
            };
            let plain = model(&sizes, &mut weight);
            let input: Vec<u8> = (0..sizes.input.iter().product()).map(|_| next() as u8).collect();
            let mut stored = plain.clone();
            stored.store(TensorId(1), *form).unwrap();
            prop_assert_eq!(run(&stored, &input), run(&plain, &input), "{:?}", form);
        }
    }
}

/// A description that does not fit is an error of the preparation, whatever its bytes.
#[test]
fn damaged_descriptions_are_refused_or_harmless() {
    let sizes = Sizes {
        op: BuiltinOp::FullyConnected,
        input: [1, 1, 1, 40],
        window: [1, 1],
        outputs: 4,
        groups: 1,
        per_channel: true,
    };
    let mut next = numbers(7);
    for form in [StoredForm::Lut, StoredForm::Pruned, StoredForm::PrunedLut] {
        let mut stored = model(&sizes, &mut || (next() % 5) as i8);
        stored.store(TensorId(1), form).unwrap();
        let (encoded, description) = (3, 4);
        let prepare = |spec: &ModelSpec| {
            let bytes = Aligned::new(&write(spec).unwrap());
            let model = Model::parse(bytes.bytes()).unwrap();
            let mut arena = Aligned::new(&[0; 4096]);
            let mut interpreter = Interpreter::new(&model, registry::ALL, arena.bytes_mut());
            interpreter.as_mut().map_or_else(
                |error| Err(error.to_string()),
                |i| i.invoke().map_err(|error| error.to_string()),
            )
        };
        assert_eq!(prepare(&stored), Ok(()));
        for (tensor, cut) in [(encoded, 1), (description, 1), (description, 20)] {
            let mut short = stored.clone();
            let data = short.tensors[tensor].data.as_mut().unwrap();
            data.truncate(data.len() - cut);
            short.tensors[tensor].shape = vec![data.len()];
            let text = prepare(&short).unwrap_err();
            assert!(text.contains("encod"), "{form:?} {tensor}: {text}");
        }
        for byte in 0..16 {
            for value in [0, 1, 3, 7, 129, 255] {
                let mut other = stored.clone();
                other.tensors[description].data.as_mut().unwrap()[byte] = value;
                let _ = prepare(&other);
            }
        }
    }
}

/// An encoded tensor that an operator reads which cannot decode it.
#[test]
fn who_cannot_decode_is_refused() {
    let sizes = Sizes {
        op: BuiltinOp::FullyConnected,
        input: [1, 1, 1, 4],
        window: [1, 1],
        outputs: 1,
        groups: 1,
        per_channel: false,
    };
    let mut spec = model(&sizes, &mut || 3);
    spec.store(TensorId(1), StoredForm::Lut).unwrap();
    let y = spec.push_tensor(
        TensorSpec::new("z", Dtype::Int8, [1, 4])
            .with_quantization(QuantizationSpec::per_tensor(0.05, -3)),
    );
    spec.operators.push(OperatorSpec::new(
        BuiltinOp::Relu,
        [TensorId(1)],
        [y],
        Options::None,
    ));
    let bytes = Aligned::new(&write(&spec).unwrap());
    let model = Model::parse(bytes.bytes()).unwrap();
    let mut arena = Aligned::new(&[0; 4096]);
    let error = Interpreter::new(&model, registry::ALL, arena.bytes_mut())
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("operator 0, CUSTOM: its output 0 is encoded"),
        "{error}"
    );
}
