//! Every variant of a model as a file: how large it is, what it says of itself, and that LiteRT loads it and agrees.
//!
//! LiteRT is found through `EMBER_REFERENCE_PYTHON`, a Python that has `ai_edge_litert` or TensorFlow; without it nothing is
//! compared, and the test says so.

mod support;

use ember_codegen::tflite;
use ember_compress::recipe::{Recipe, Rule};
use ember_compress::scheme::{ActivationType, WeightType};
use ember_compress::{Calibration, Calibrator, Variant, optimize, quantize_by};
use ember_graph::{Graph, Op, QuantizedGraph, random};
use ember_tflite::{Model, OpCode};
use support::{images, input_len, reference_scores, seed_cnn};

/// The graph after the passes and its ranges on 50 samples.
fn calibrated(graph: &Graph) -> (Graph, Calibration) {
    let (graph, _) = optimize(graph).unwrap();
    let numbers = images(&graph, 50, 3);
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(50, &[&numbers]).unwrap();
    let calibration = calibrator.finish().unwrap();
    (graph, calibration)
}

fn operators(bytes: &[u8]) -> Vec<(String, i32)> {
    let model = Model::parse(bytes).unwrap();
    let named = model.main().operators().map(|operator| {
        let OpCode::Builtin(op) = operator.opcode() else {
            panic!("{:?} is builtin", operator.opcode())
        };
        (op.name().to_owned(), operator.version())
    });
    named.collect()
}

/// TensorFlow 2.21 makes 90,316, 47,604, 25,744, 25,992 and 26,640 bytes of the first five.
#[test]
fn files_are_smaller_than_tensorflows() {
    let (graph, calibration) = calibrated(&seed_cnn());
    let sizes = Variant::ALL.iter().map(|variant| {
        let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
        (*variant, tflite::quantized(&quantized).unwrap().len())
    });
    let limits = [89_600, 47_000, 25_744, 24_900, 25_200, 14_500];
    for ((variant, size), limit) in sizes.zip(limits) {
        println!("{} {size}", variant.name());
        assert!(size <= limit, "{} has {size} bytes", variant.name());
    }
    let float32 = Variant::Float32.apply(&graph, None).unwrap();
    assert_eq!(
        tflite::quantized(&float32).unwrap(),
        tflite::float32(&graph).unwrap()
    );
}

#[test]
fn files_say_what_they_need() {
    let (graph, calibration) = calibrated(&seed_cnn());
    let dense = |variant: Variant| {
        let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
        let bytes = tflite::quantized(&quantized).unwrap();
        let version = |name: &str| {
            let found = operators(&bytes).into_iter().find(|(op, _)| op == name);
            found.map(|(_, version)| version)
        };
        let runtime = Model::parse(&bytes)
            .unwrap()
            .min_runtime_version()
            .unwrap()
            .to_owned();
        let versions = ["CONV_2D", "FULLY_CONNECTED", "SOFTMAX", "DEQUANTIZE"].map(version);
        (runtime, versions)
    };
    let expected = [
        (Variant::Float32, "1.5.0", [Some(1), Some(1), Some(1), None]),
        (
            Variant::Float16,
            "1.15.0",
            [Some(1), Some(1), Some(1), Some(3)],
        ),
        (
            Variant::DynamicRange,
            "2.17.0",
            [Some(1), Some(12), Some(1), None],
        ),
        (Variant::Int8, "1.14.0", [Some(3), Some(4), Some(2), None]),
        (
            Variant::Int16x8,
            "2.15.0",
            [Some(8), Some(11), Some(3), None],
        ),
        (Variant::Int4, "2.11.0", [Some(3), Some(10), Some(2), None]),
    ];
    for (variant, runtime, versions) in expected {
        assert_eq!(
            dense(variant),
            (runtime.to_owned(), versions),
            "{}",
            variant.name()
        );
    }
}

#[test]
fn a_layer_left_in_float_has_conversions_around_it() {
    let (graph, calibration) = calibrated(&seed_cnn());
    let recipe = Recipe {
        rules: vec![Rule::tensor("dense").types(WeightType::Float32, ActivationType::Float32)],
        ..Recipe::default()
    };
    let mixed = quantize_by(&graph, Some(&calibration), &recipe).unwrap();
    let bytes = tflite::quantized(&mixed).unwrap();
    let names: Vec<String> = operators(&bytes)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "CONV_2D",
            "MAX_POOL_2D",
            "RESHAPE",
            "DEQUANTIZE",
            "FULLY_CONNECTED",
            "QUANTIZE",
            "FULLY_CONNECTED",
            "SOFTMAX"
        ]
    );
}

/// What the script prints: for each sample the outputs as real numbers.
fn litert(python: &str, bytes: &[u8], samples: &[f32]) -> Vec<f32> {
    let samples: Vec<u8> = samples
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let scores = reference_scores(python, "litert.py", bytes, &samples);
    let (numbers, _) = scores.as_chunks::<4>();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// LiteRT's results lie within `steps` steps of the output, or where that is a float within `relative` of the greatest.
fn agrees(
    python: &str,
    name: &str,
    quantized: &QuantizedGraph,
    samples: &[f32],
    tolerance: [f32; 2],
) {
    let bytes = tflite::quantized(quantized).unwrap();
    let found = litert(python, &bytes, samples);
    let one = quantized
        .value(quantized.inputs()[0])
        .shape
        .iter()
        .product::<usize>();
    let ignore = |_, _: &[f32]| {};
    let expected =
        ember_compress::simulate::simulate(quantized, samples.len() / one, &[samples], ignore);
    let expected = expected.unwrap().remove(0);
    assert_eq!(found.len(), expected.len(), "{name}");
    let [steps, relative] = tolerance;
    let output = quantized.value(quantized.outputs()[0]);
    let reach = expected
        .iter()
        .fold(0.0_f32, |reach, number| reach.max(number.abs()));
    let allowed = match output.quantization.scales() {
        [scale] => scale * steps,
        _ => reach * relative,
    };
    for (found, expected) in found.iter().zip(&expected) {
        let difference = (found - expected).abs();
        assert!(
            difference <= allowed * 1.001,
            "{name}: {found} {expected} {allowed}"
        );
    }
}

fn python() -> Option<String> {
    let python = std::env::var("EMBER_REFERENCE_PYTHON").ok();
    if python.is_none() {
        println!("EMBER_REFERENCE_PYTHON is not set: not compared with LiteRT");
    }
    python
}

#[test]
fn litert_agrees_on_every_variant() {
    let Some(python) = python() else { return };
    let (graph, calibration) = calibrated(&seed_cnn());
    let samples = images(&graph, 20, 4);
    for variant in Variant::ALL {
        let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
        let tolerance = match variant {
            // The evaluator does not round the activations that meet int8 weights.
            Variant::DynamicRange => [0.0, 0.03],
            // int16 softmax reads its exponential from a table.
            Variant::Int16x8 => [60.0, 0.0],
            _ => [3.0, 1e-5],
        };
        agrees(&python, variant.name(), &quantized, &samples, tolerance);
    }
    for (layer, weights, activations) in [
        ("dense", WeightType::Float32, ActivationType::Float32),
        ("conv", WeightType::Float16, ActivationType::Float32),
        ("dense_1", WeightType::Int8, ActivationType::Int16),
        ("conv", WeightType::Int8, ActivationType::Int16),
        ("conv", WeightType::Int4, ActivationType::Int8),
        ("softmax", WeightType::Int8, ActivationType::Float32),
        ("dense", WeightType::Int2, ActivationType::Int8),
    ] {
        let recipe = Recipe {
            rules: vec![Rule::tensor(layer).types(weights, activations)],
            ..Recipe::default()
        };
        let quantized = quantize_by(&graph, Some(&calibration), &recipe).unwrap();
        let name = format!("{layer} {}", weights.name());
        agrees(&python, &name, &quantized, &samples, [3.0, 0.02]);
    }
    let one_scale =
        Recipe::parse("[[rule]]\nop = \"*\"\nper = \"tensor\"\nclip = \"octav\"").unwrap();
    let quantized = quantize_by(&graph, Some(&calibration), &one_scale).unwrap();
    agrees(&python, "one scale", &quantized, &samples, [3.0, 0.0]);
}

/// Other operators, shapes and paddings than the reference model's, in every pair of types.
#[test]
fn litert_agrees_on_random_graphs() {
    let Some(python) = python() else { return };
    // How far single steps add up over few layers; a wrong scale, axis or layout is far beyond.
    let pairs = [
        (WeightType::Float32, ActivationType::Float32, [0.0, 1e-4]),
        (WeightType::Float16, ActivationType::Float32, [0.0, 1e-4]),
        (WeightType::Int8, ActivationType::Float32, [0.0, 0.06]),
        (WeightType::Int8, ActivationType::Int8, [4.0, 0.0]),
        (WeightType::Int4, ActivationType::Int8, [4.0, 0.0]),
        (WeightType::Int8, ActivationType::Int16, [60.0, 0.0]),
    ];
    let mut compared = 0;
    for seed in 0..12 {
        let (graph, calibration) = calibrated(&random::unoptimized(seed, 4).unwrap());
        // What is nothing but a pair of conversions from its input to its output.
        if graph.nodes.iter().any(|node| node.op == Op::Quantize) {
            continue;
        }
        let samples = images(&graph, 4, 5);
        assert_eq!(samples.len(), 4 * input_len(&graph));
        for (weights, activations, tolerance) in pairs {
            let recipe = Recipe {
                rules: vec![Rule::op("*").types(weights, activations)],
                ..Recipe::default()
            };
            let quantized = quantize_by(&graph, Some(&calibration), &recipe).unwrap();
            let name = format!("{seed} {} {}", weights.name(), activations.name());
            agrees(&python, &name, &quantized, &samples, tolerance);
            compared += 1;
        }
    }
    assert!(compared >= 60, "{compared}");
}
