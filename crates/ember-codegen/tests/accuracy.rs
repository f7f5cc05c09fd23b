//! What each variant costs the reference CNN in accuracy, on the 10,000 test images of MNIST: the trained models of the zoo
//! and of TensorFlow.
//!
//! The images are found through `EMBER_DATA_DIR`, TensorFlow's model through `EMBER_CASES_DIR`; without the images nothing
//! is measured, and the tests say so. They print what they measured.

mod support;

use std::path::{Path, PathBuf};

use ember_codegen::tflite;
use ember_compress::calibrate::{DEFAULT_IMAGES, DEFAULT_SEED, calibrate};
use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::debug::{debug, fix};
use ember_compress::prune::{ChannelPruning, Pruning, prune, prune_channels};
use ember_compress::recipe::Recipe;
use ember_compress::simulate::simulate;
use ember_compress::{Clipping, CompressError, Variant, optimize, quantize_by};
use ember_core::Dtype;
use ember_data::{Dataset, Split};
use ember_graph::{Graph, QuantizedGraph, checkpoint};
use ember_micro::registry;
use support::run;

fn mnist() -> Option<Dataset> {
    let folder = std::env::var_os("EMBER_DATA_DIR").map(PathBuf::from);
    let Some(folder) = folder else {
        println!("EMBER_DATA_DIR is not set: no accuracy was measured");
        return None;
    };
    let mut options = ember_data::LoadOptions::for_workspace(&folder);
    options.data_dir = Some(folder);
    let loaded = ember_data::load(&ember_data::DatasetSource::Mnist, &options, &|_| {}).unwrap();
    Some(loaded.dataset)
}

/// The reference CNN as the project trained it.
fn zoo() -> Graph {
    model("seed-cnn")
}

/// A model of the zoo after the passes.
fn model(name: &str) -> Graph {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/zoo");
    let folder = zoo.join(name);
    let trained = checkpoint::load(&folder.join("model.safetensors")).unwrap();
    optimize(&trained.graph).unwrap().0
}

fn best(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, each| {
        if scores[each] > scores[best] {
            each
        } else {
            best
        }
    })
}

/// How many images the simulation of a quantized graph gets right.
fn right(quantized: &QuantizedGraph, test: &Split) -> usize {
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
        let scores = simulate(quantized, labels.len(), &[&numbers], |_, _| {})
            .unwrap()
            .remove(0);
        let guesses = scores.chunks(10).map(best).zip(labels);
        right += guesses
            .filter(|(guess, label)| *guess == usize::from(**label))
            .count();
    }
    right
}

/// How many images the device's kernels get right.
fn right_on_device(quantized: &QuantizedGraph, test: &Split) -> usize {
    let bytes = tflite::quantized(quantized).unwrap();
    let (input, output) = (
        quantized.value(quantized.inputs()[0]),
        quantized.value(quantized.outputs()[0]),
    );
    let scale = input.quantization.scales().first().copied().unwrap_or(1.0);
    let zero_point = input.quantization.zero_point();
    let steps = |real: f32| (real / scale).round() as i32 + zero_point;
    let reals = test.images().iter().map(|pixel| f32::from(*pixel) / 255.0);
    let inputs: Vec<u8> = match input.dtype {
        Dtype::Int8 => reals.map(|real| steps(real) as u8).collect(),
        Dtype::Int16 => reals
            .flat_map(|real| (steps(real) as i16).to_le_bytes())
            .collect(),
        _ => reals.flat_map(f32::to_le_bytes).collect(),
    };
    let scores = run(
        &bytes,
        registry::ALL,
        inputs.chunks(inputs.len() / test.len()),
    );
    let scores: Vec<f32> = match output.dtype {
        Dtype::Int8 => scores
            .iter()
            .map(|byte| f32::from(byte.cast_signed()))
            .collect(),
        Dtype::Int16 => (scores.as_chunks::<2>().0.iter())
            .map(|bytes| f32::from(i16::from_le_bytes(*bytes)))
            .collect(),
        _ => (scores.as_chunks::<4>().0.iter())
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect(),
    };
    let guesses = scores.chunks(10).map(best).zip(test.labels());
    guesses
        .filter(|(guess, label)| *guess == usize::from(**label))
        .count()
}

#[test]
fn variants_keep_the_accuracy() {
    let Some(mnist) = mnist() else { return };
    let graph = zoo();
    let calibration = calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED).unwrap();
    let test = &mnist.test;
    let float = right(&Variant::Float32.apply(&graph, None).unwrap(), test);
    // How many images of 10,000 each variant may lose at most.
    let bars = [0, 2, 15, 10, 2, 30];
    for (variant, bar) in Variant::ALL.iter().zip(bars) {
        let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
        let bytes = tflite::quantized(&quantized).unwrap().len();
        let simulated = right(&quantized, test);
        let on_device = right_on_device(&quantized, test);
        println!(
            "{:8} {bytes} bytes, {simulated} right, on the device {on_device}",
            variant.name()
        );
        for right in [simulated, on_device] {
            assert!(
                right + bar >= float,
                "{}: {right} of {float}",
                variant.name()
            );
        }
    }
}

/// Depthwise convolutions, additions and deeper models than the reference CNN.
#[test]
fn the_other_models_keep_their_accuracy_too() {
    let Some(mnist) = mnist() else { return };
    let test = mnist.test.sample(500, 0);
    for name in ["nano-cnn", "residual-cnn"] {
        let graph = model(name);
        let calibration = calibrate(&graph, &mnist.train, 100, DEFAULT_SEED).unwrap();
        let float = right(&Variant::Float32.apply(&graph, None).unwrap(), &test);
        for variant in [
            Variant::Float16,
            Variant::DynamicRange,
            Variant::Int8,
            Variant::Int16x8,
            Variant::Int4,
        ] {
            let quantized = variant.apply(&graph, Some(&calibration)).unwrap();
            let bytes = tflite::quantized(&quantized).unwrap().len();
            let [simulated, on_device] =
                [right(&quantized, &test), right_on_device(&quantized, &test)];
            println!(
                "{name} {:8} {bytes} bytes, {simulated} and {on_device} of 500, float {float}",
                variant.name()
            );
            // Few parameters have no room for 4 bits without training.
            let bar = if variant == Variant::Int4 { 15 } else { 5 };
            for right in [simulated, on_device] {
                assert!(
                    right + bar >= float,
                    "{name} {}: {right} of {float}",
                    variant.name()
                );
            }
        }
    }
}

/// Without training afterwards, which is what makes up for most of the loss.
#[test]
fn pruning_and_clustering_cost_what_is_printed() {
    let Some(mnist) = mnist() else { return };
    let graph = zoo();
    let test = &mnist.test.sample(2000, 0);
    let measure = |name: &str, graph: &Graph| {
        let calibration = calibrate(graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED).unwrap();
        let int8 = Variant::Int8.apply(graph, Some(&calibration)).unwrap();
        let bytes = tflite::quantized(&int8).unwrap().len();
        let right = right(&int8, test);
        println!("{name}: {bytes} bytes, {right} right of 2000 in int8");
        right
    };
    let float = measure("as trained", &graph);
    for sparsity in [0.5, 0.8] {
        let (pruned, _) = prune(&graph, &Pruning::Unstructured { sparsity }, "dense*").unwrap();
        measure(&format!("{sparsity} pruned"), &pruned);
    }
    let (halved, _) = prune(&graph, &Pruning::TWO_OF_FOUR, "dense*").unwrap();
    measure("2 of 4", &halved);
    for clusters in [16, 8] {
        let clustering = Clustering {
            clusters,
            ..Clustering::default()
        };
        let (clustered, _) = cluster_graph(&graph, &clustering, "*").unwrap();
        let right = measure(&format!("{clusters} clusters"), &clustered);
        assert!(clusters < 16 || right + 30 >= float, "{clusters} {right}");
    }
    let quarter = ChannelPruning {
        share: 0.25,
        layers: "*",
    };
    let (smaller, _) = prune_channels(&graph, &quarter).unwrap();
    measure("a quarter of the channels", &smaller);
}

#[test]
fn the_debugger_says_what_int4_costs() {
    let Some(mnist) = mnist() else { return };
    let graph = zoo();
    let calibration = calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED).unwrap();
    let quantized = Variant::Int4.apply(&graph, Some(&calibration)).unwrap();
    let report = debug(&graph, &quantized, &mnist.train, 200, 1).unwrap();
    for layer in &report.layers {
        println!(
            "{:10} {:?} {:?}",
            layer.layer, layer.own.snr_db, layer.total.snr_db
        );
    }
    // The one layer in 4 bits.
    assert_eq!(report.layers[0].weights.as_deref(), Some("int4"));
    let score = |quantized: &QuantizedGraph| {
        let report = debug(&graph, quantized, &mnist.train, 200, 2)?;
        Ok::<_, CompressError>(report.outputs.snr_db.unwrap_or(200.0))
    };
    let recipe = Variant::Int4.recipe();
    let fixed = fix(&graph, &calibration, &recipe, &report, 1, 1.0, score).unwrap();
    println!("{:.1} dB, fixed {:.1} dB", fixed.before, fixed.after);
    for trial in &fixed.trials {
        println!("{trial:?}");
    }
    assert!(fixed.after > fixed.before + 1.0);
    let quantized = quantize_by(&graph, Some(&calibration), &fixed.recipe).unwrap();
    let report = debug(&graph, &quantized, &mnist.train, 200, 1).unwrap();
    assert_ne!(report.layers[0].weights.as_deref(), Some("int4"));
}

#[test]
fn every_clipping_keeps_the_accuracy_of_int8() {
    let Some(mnist) = mnist() else { return };
    let graph = zoo();
    let test = mnist.test.sample(2000, 0);
    let float = right(&Variant::Float32.apply(&graph, None).unwrap(), &test);
    for clip in [
        Clipping::MinMax,
        Clipping::Percentile(99.99),
        Clipping::Mse,
        Clipping::Octav,
    ] {
        let mut recipe = Recipe::default();
        recipe.calibration.clip = clip;
        let images = recipe
            .calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED)
            .unwrap();
        let quantized = quantize_by(&graph, images.as_ref(), &recipe).unwrap();
        let right = right(&quantized, &test);
        println!("{clip}: {right} right of 2000");
        assert!(right + 8 >= float, "{clip}: {right} of {float}");
    }
    let float = Variant::Float16.recipe();
    let none = float.calibrate(&graph, &mnist.train, DEFAULT_IMAGES, DEFAULT_SEED);
    assert_eq!(none.unwrap(), None);
}
