//! The debugger: it finds the layer that was made bad, and `fix` mends it.

use ember_compress::debug::{DebugReport, Debugger, fix};
use ember_compress::recipe::{Recipe, Rule};
use ember_compress::scheme::{ActivationType, WeightType};
use ember_compress::{Calibration, Calibrator, CompressError, constant_bytes, quantize_by};
use ember_graph::random::Random;
use ember_graph::{Graph, QuantizedGraph, text};
use proptest::prelude::*;

/// Three dense layers; the weights of the second one reach so far that 8 bits are too few for most of them.
fn graph() -> Graph {
    let mut graph = text::parse(
        "graph g
        input x [1,16]
        constant a.weights [16,16] = fill 0
        constant a.bias [16] = fill 0.1
        constant b.weights [16,16] = fill 0
        constant b.bias [16] = fill 0
        constant c.weights [8,16] = fill 0
        constant c.bias [8] = fill 0
        a = fully_connected(x, a.weights, a.bias) activation=relu
        b = fully_connected(a, b.weights, b.bias) activation=relu
        c = fully_connected(b, c.weights, c.bias)
        output c",
    )
    .unwrap();
    let mut random = Random::new(1);
    for name in ["a.weights", "b.weights", "c.weights"] {
        let id = graph.find(name).unwrap();
        let mut numbers = random.numbers(graph.constant(id).unwrap().len());
        if name == "b.weights" {
            // One weight on an operand that is always 0 takes nearly all of the integers.
            numbers
                .iter_mut()
                .step_by(16)
                .for_each(|number| *number = 60.0);
        }
        graph.set_constant(id, numbers).unwrap();
    }
    let bias = graph.find("a.bias").unwrap();
    let mut numbers = graph.constant(bias).unwrap().to_vec();
    numbers[0] = -100.0;
    graph.set_constant(bias, numbers).unwrap();
    graph
}

fn samples() -> Vec<f32> {
    Random::new(2).numbers(16 * 40)
}

fn calibration(graph: &Graph) -> Calibration {
    let mut calibrator = Calibrator::new(graph);
    calibrator.observe(40, &[&samples()]).unwrap();
    calibrator.finish().unwrap()
}

fn report(graph: &Graph, quantized: &QuantizedGraph) -> DebugReport {
    let samples = samples();
    let (first, second) = samples.split_at(16 * 30);
    let mut debugger = Debugger::new(graph, quantized).unwrap();
    debugger.observe(30, &[first]).unwrap();
    debugger.observe(10, &[second]).unwrap();
    debugger.finish().unwrap()
}

#[test]
fn the_layer_that_loses_most_comes_first() {
    let graph = graph();
    let quantized = quantize_by(&graph, Some(&calibration(&graph)), &Recipe::default()).unwrap();
    let report = report(&graph, &quantized);
    assert_eq!(report.samples, 40);
    let names: Vec<&str> = report
        .layers
        .iter()
        .map(|layer| layer.layer.as_str())
        .collect();
    assert_eq!(names[0], "b", "{names:?}");
    let snr = |name: &str| {
        let layer = report
            .layers
            .iter()
            .find(|layer| layer.layer == name)
            .unwrap();
        (layer.own.snr_db.unwrap(), layer.total.snr_db.unwrap())
    };
    // What one layer loses, all that follow have lost too; but they are not to blame.
    assert!(snr("b").0 < 15.0 && snr("c").0 > 30.0, "{report:#?}");
    assert!(snr("c").1 < 20.0 && snr("a").1 > 35.0, "{report:#?}");
    assert!(report.outputs.cosine < 0.9999 && report.outputs.max_error > 0.0);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<DebugReport>(&json)
            .unwrap()
            .layers
            .len(),
        3
    );
}

#[test]
fn a_float_model_loses_nothing() {
    let graph = graph();
    let recipe = Recipe {
        rules: vec![Rule::op("*").types(WeightType::Float32, ActivationType::Float32)],
        ..Recipe::default()
    };
    let report = report(&graph, &quantize_by(&graph, None, &recipe).unwrap());
    for layer in &report.layers {
        assert_eq!((layer.own.snr_db, layer.total.max_error), (None, 0.0));
        assert_eq!(layer.weights.as_deref(), Some("float32"));
    }
}

fn output_snr(graph: &Graph, quantized: &QuantizedGraph) -> f64 {
    report(graph, quantized).outputs.snr_db.unwrap_or(200.0)
}

#[test]
fn fixing_leaves_the_worst_layer_in_higher_precision() {
    let graph = graph();
    let calibration = calibration(&graph);
    let recipe = Recipe::default();
    let quantized = quantize_by(&graph, Some(&calibration), &recipe).unwrap();
    let report = report(&graph, &quantized);
    let score = |quantized: &QuantizedGraph| Ok::<_, CompressError>(output_snr(&graph, quantized));
    let fixed = fix(&graph, &calibration, &recipe, &report, 1, -0.5, score).unwrap();
    assert!(fixed.after > fixed.before + 8.0, "{fixed:#?}");
    assert!(fixed.trials.iter().all(|trial| trial.layer == "b"));
    let last = fixed.trials.last().unwrap();
    assert_eq!(
        (last.to.clone(), last.kept),
        (["float32".to_owned(), "float32".to_owned()], true)
    );
    let again = quantize_by(&graph, Some(&calibration), &fixed.recipe).unwrap();
    assert_eq!(output_snr(&graph, &again), fixed.after);
    // What it cost: 16 x 16 weights in 4 bytes each, and a bias in as many as before.
    assert_eq!(fixed.bytes_before, constant_bytes(&quantized));
    assert_eq!(fixed.bytes_after, fixed.bytes_before + 16 * 16 * 3);
    let text = fixed.to_string();
    assert!(
        text.contains("b: weights int8 -> float32, activations int16 -> float32: score "),
        "{text}"
    );
    assert!(
        text.ends_with("constants 800 -> 1568 bytes") && text.contains("kept"),
        "{text}"
    );

    // No step is worth a million decibels.
    let score = |quantized: &QuantizedGraph| Ok::<_, CompressError>(output_snr(&graph, quantized));
    let left = fix(&graph, &calibration, &recipe, &report, 3, 1e6, score).unwrap();
    assert_eq!((left.trials.len(), left.recipe), (3, recipe));
    assert!(left.trials.iter().all(|trial| !trial.kept));
}

proptest! {
    /// Whatever the graph, what is measured can be written as numbers.
    #[test]
    fn reports_are_finite(seed: u64) {
        let graph = ember_graph::random::graph(seed, 8)?;
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let numbers = Random::new(seed).numbers(4 * one);
        let mut calibrator = Calibrator::new(&graph);
        calibrator.observe(4, &[&numbers])?;
        let quantized = quantize_by(&graph, Some(&calibrator.finish()?), &Recipe::default())?;
        let mut debugger = Debugger::new(&graph, &quantized)?;
        debugger.observe(4, &[&numbers])?;
        let report = debugger.finish()?;
        prop_assert_eq!(report.layers.len(), graph.nodes.len());
        for layer in &report.layers {
            for difference in [layer.own, layer.total] {
                prop_assert!(difference.snr_db.is_none_or(f64::is_finite));
                prop_assert!(difference.cosine.abs() <= 1.0 + 1e-9 && difference.max_error.is_finite());
            }
        }
    }
}

#[test]
fn a_report_needs_samples_and_the_same_graph() {
    let graph = graph();
    let quantized = quantize_by(&graph, Some(&calibration(&graph)), &Recipe::default()).unwrap();
    let error = Debugger::new(&graph, &quantized)
        .unwrap()
        .finish()
        .unwrap_err();
    assert!(matches!(error, CompressError::NoSamples));
    let other = text::parse("graph g\ninput x [1,16]\ny = relu(x)\noutput y").unwrap();
    let error = Debugger::new(&other, &quantized).unwrap_err().to_string();
    assert!(
        error.starts_with("the quantized graph has no \"y\""),
        "{error}"
    );
}
