//! TensorFlow's own conversion of the reference CNN as the measure: the same weights, quantized here.
//!
//! The models are found through `EMBER_CASES_DIR`, the images through `EMBER_DATA_DIR`; without them there is nothing to
//! compare with, and the test says so.

mod support;

use std::path::PathBuf;

use ember_codegen::tflite;
use ember_compress::calibrate::{DEFAULT_IMAGES, DEFAULT_SEED, calibrate};
use ember_compress::{optimize, quantize};
use ember_data::Dataset;
use ember_graph::eval::evaluate;
use ember_graph::{Elements, Graph, QuantizedGraph, QuantizedSource};
use ember_micro::registry;
use ember_tflite::{Model, Tensor};
use support::{run, seed_cnn};

/// The bytes of a case's model.
fn case(name: &str) -> Option<Vec<u8>> {
    let folder = folder("EMBER_CASES_DIR")?;
    Some(std::fs::read(folder.join(name).join("model.tflite")).unwrap())
}

fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        println!("{variable} is not set: not compared with TensorFlow");
    }
    folder
}

/// Filter or weights and bias of each layer that has them, in order, with the names that they have in our graph.
const LAYERS: [(&str, &str); 3] = [
    ("conv.filter", "conv.bias"),
    ("dense.weights", "dense.bias"),
    ("dense_1.weights", "dense_1.bias"),
];

/// Each of our constants with the tensor that stands in its place in TensorFlow's model.
fn constants<'m>(model: &Model<'m>) -> Vec<(&'static str, Tensor<'m>)> {
    let main = model.main();
    let with_bias = main
        .operators()
        .filter(|operator| operator.inputs().len() == 3);
    let tensors = with_bias
        .zip(LAYERS)
        .flat_map(|(operator, (weights, bias))| {
            let operand = |index| main.tensor(operator.inputs().get(index).unwrap()).unwrap();
            [(weights, operand(1)), (bias, operand(2))]
        });
    tensors.collect()
}

/// Our reference CNN with TensorFlow's weights.
fn trained(float32: &[u8]) -> Graph {
    let mut graph = seed_cnn();
    for (name, tensor) in constants(&Model::parse(float32).unwrap()) {
        let (numbers, _) = tensor.data().as_chunks::<4>();
        let numbers = numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        graph
            .set_constant(graph.find(name).unwrap(), numbers)
            .unwrap();
    }
    optimize(&graph).unwrap().0
}

fn mnist() -> Option<Dataset> {
    let folder = folder("EMBER_DATA_DIR")?;
    let mut options = ember_data::LoadOptions::for_workspace(&folder);
    options.data_dir = Some(folder);
    let loaded = ember_data::load(&ember_data::DatasetSource::Mnist, &options, &|_| {}).unwrap();
    Some(loaded.dataset)
}

#[test]
fn weights_are_rounded_as_tensorflow_rounds_them() {
    let (Some(float32), Some(int8), Some(mnist)) =
        (case("seed_cnn_float32"), case("seed_cnn_int8"), mnist())
    else {
        return;
    };
    let graph = trained(&float32);
    let calibration = calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED).unwrap();
    let ours = quantize(&graph, &calibration).unwrap();
    let theirs = Model::parse(&int8).unwrap();
    for (name, tensor) in constants(&theirs) {
        // Biases follow the input's scale, which the drawn images decide.
        if name.ends_with("bias") {
            continue;
        }
        let value = ours
            .values()
            .iter()
            .find(|value| value.name == name)
            .unwrap();
        let QuantizedSource::Constant(Elements::Int8(integers)) = &value.source else {
            panic!("{name} is an int8 constant")
        };
        let expected: Vec<i8> = tensor
            .data()
            .iter()
            .map(|byte| byte.cast_signed())
            .collect();
        assert_eq!(integers, &expected, "{name}");
        let scales: Vec<f32> = tensor.quantization().unwrap().scales().iter().collect();
        assert_eq!(value.quantization.scales(), scales, "{name}");
    }
    let input = &ours.value(ours.inputs()[0]).quantization;
    assert_eq!(
        (input.scales(), input.zero_point()),
        (&[1.0 / 255.0][..], -128)
    );
}

fn correct(scores: impl Iterator<Item = usize>, labels: &[u8]) -> usize {
    scores
        .zip(labels)
        .filter(|(best, label)| *best == usize::from(**label))
        .count()
}

fn best<T: PartialOrd>(scores: &[T]) -> usize {
    (0..scores.len()).fold(0, |best, each| {
        if scores[each] > scores[best] {
            each
        } else {
            best
        }
    })
}

#[test]
fn int8_keeps_the_accuracy() {
    let (Some(float32), Some(mnist)) = (case("seed_cnn_float32"), mnist()) else {
        return;
    };
    let graph = trained(&float32);
    let calibration = calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED).unwrap();
    let quantized: QuantizedGraph = quantize(&graph, &calibration).unwrap();
    let int8 = tflite::quantized(&quantized).unwrap();
    let test = &mnist.test;

    let mut right = 0;
    for (pixels, labels) in test
        .images()
        .chunks(500 * 784)
        .zip(test.labels().chunks(500))
    {
        let numbers: Vec<f32> = pixels
            .iter()
            .map(|pixel| f32::from(*pixel) / 255.0)
            .collect();
        let scores = evaluate(&graph, labels.len(), &[&numbers])
            .unwrap()
            .remove(0);
        right += correct(scores.chunks(10).map(best), labels);
    }
    // The input's parameters are those of pixels: 1/255 and -128.
    let shifted: Vec<u8> = test.images().iter().map(|pixel| pixel ^ 0x80).collect();
    let scores: Vec<i8> = run(&int8, registry::INT8, shifted.chunks(784))
        .iter()
        .map(|byte| byte.cast_signed())
        .collect();
    let right_int8 = correct(scores.chunks(10).map(best), test.labels());
    println!(
        "float32 {right}, int8 {right_int8} of {}, {} bytes",
        test.len(),
        int8.len()
    );
    assert!(
        right.abs_diff(right_int8) * 10_000 <= 15 * test.len(),
        "{right} {right_int8}"
    );
}
