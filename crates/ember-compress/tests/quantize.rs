//! Quantization: parameters as by hand and by TensorFlow's rule, weights within half a step, every graph quantizable.

use ember_compress::quantize::{activation_parameters, int16_parameters};
use ember_compress::{Calibration, Calibrator, Range, Variant, quantize};
use ember_core::Dtype;
use ember_graph::{
    Elements, Graph, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue, random, text,
};
use proptest::prelude::*;

fn calibrated(graph: &Graph, samples: usize) -> Calibration {
    let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
    let numbers = random::Random::new(9).numbers(one * samples);
    let mut calibrator = Calibrator::new(graph);
    calibrator.observe(samples, &[&numbers]).unwrap();
    calibrator.finish().unwrap()
}

fn value<'a>(graph: &'a QuantizedGraph, name: &str) -> &'a QuantizedValue {
    graph
        .values()
        .iter()
        .find(|value| value.name == name)
        .unwrap()
}

fn parameters(min: f32, max: f32) -> (f32, i32) {
    let quantization = activation_parameters(Range { min, max }).unwrap();
    (quantization.scales()[0], quantization.zero_point())
}

proptest! {
    /// Real weights come back within half a step, biases too; shapes, names of activations and nodes stay.
    #[test]
    fn every_random_graph_quantizes(seed: u64) {
        let graph = random::graph(seed, 10)?;
        let quantized = quantize(&graph, &calibrated(&graph, 8))?;
        let back = quantized.dequantize();
        for (_, constant, numbers) in graph.constants() {
            let Some(id) = back.find(&constant.name) else { continue };
            let rounded = back.constant(id).unwrap();
            let quantization = &quantized.value(id).quantization;
            let axis = quantization.axis();
            let inner: usize = constant.shape[axis + 1..].iter().product();
            for (position, (number, rounded)) in numbers.iter().zip(rounded).enumerate() {
                let scales = quantization.scales();
                let scale = scales[position / inner % scales.len()];
                prop_assert!((number - rounded).abs() <= 0.5 * scale + number.abs() * f32::EPSILON, "{} {} {}", constant.name, number, rounded);
            }
        }
        prop_assert_eq!(back.nodes.len(), graph.nodes.len());
        for (node, quantized) in graph.nodes.iter().zip(&back.nodes) {
            prop_assert_eq!(&node.op, &quantized.op);
            let [before, after] = [&graph.values[node.output.index()], &back.values[quantized.output.index()]];
            prop_assert_eq!(before, after);
        }
    }

    /// 0 is always one of the integers' real numbers, and both ends are within a step of the range.
    #[test]
    fn zero_is_exact(low in -1e6_f32..1e6, width in 1e-3_f32..1e6) {
        let (scale, zero_point) = parameters(low, low + width);
        prop_assert!((-128..=127).contains(&zero_point));
        let (min, max) = (low.min(0.0), (low + width).max(0.0));
        let least = f64::from(scale) * f64::from(-128 - zero_point);
        let greatest = f64::from(scale) * f64::from(127 - zero_point);
        prop_assert!((least - f64::from(min)).abs() <= f64::from(scale));
        prop_assert!((greatest - f64::from(max)).abs() <= f64::from(scale));
    }
}

#[test]
fn parameters_as_tensorflow_chooses_them() {
    assert_eq!(parameters(0.0, 1.0), (0.003_921_569, -128));
    assert_eq!(parameters(0.25, 1.0), (0.003_921_569, -128));
    assert_eq!(parameters(-1.0, 0.0), (0.003_921_569, 127));
    assert_eq!(parameters(-1.0, -0.5), (0.003_921_569, 127));
    // Both ends give -0.5, and half rounds away from 0.
    assert_eq!(parameters(-1.0, 1.0), (0.007_843_138, -1));
    assert_eq!(parameters(-2.0, 1.0), (0.011_764_706, 42));
    assert_eq!(parameters(0.0, 0.0), (1.0, -128));
    assert_eq!(
        activation_parameters(Range {
            min: -3e38,
            max: 3e38
        }),
        None
    );
}

const DENSE: &str = "graph g
    input x [1,2]
    constant weights [3,2] = 1 -2 0 0 0.00000001 0
    constant bias [3] = 0.5 4 -1
    dense = fully_connected(x, weights, bias) activation=relu
    flat [1,3,1] = reshape(dense)
    output flat";

#[test]
fn a_dense_layer_as_by_hand() {
    let graph = text::parse(DENSE).unwrap();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(2, &[&[-0.5, 0.0, 0.5, 0.25]]).unwrap();
    let quantized = quantize(&graph, &calibrator.finish().unwrap()).unwrap();

    let x = value(&quantized, "x");
    let input_scale = 0.003_921_569_f32;
    assert_eq!(
        (
            x.dtype,
            x.quantization.scales()[0],
            x.quantization.zero_point()
        ),
        (Dtype::Int8, 1.0 / 255.0, -1)
    );
    let weights = value(&quantized, "weights");
    let QuantizedSource::Constant(Elements::Int8(integers)) = &weights.source else {
        panic!("weights are int8 constants: {weights:?}")
    };
    // The second channel is pruned and the third almost: their scale is where the bias fits 2^30.
    assert_eq!(integers, &[64, -127, 0, 0, 0, 0]);
    let Quantization::PerChannel { axis: 0, scales } = &weights.quantization else {
        panic!("per channel: {weights:?}")
    };
    let limit = (1_u32 << 30) as f32;
    let expected = [2.0 / 127.0, 4.0 / (input_scale * limit), 1e-8 / 127.0];
    assert!(
        scales
            .iter()
            .zip(expected)
            .take(2)
            .all(|(found, expected)| (found / expected - 1.0).abs() < 1e-6),
        "{scales:?}"
    );

    let bias = value(&quantized, "bias");
    let QuantizedSource::Constant(Elements::Int32(integers)) = &bias.source else {
        panic!("biases are int32 constants: {bias:?}")
    };
    assert_eq!(
        integers[0],
        (0.5 / (f64::from(input_scale) * f64::from(2.0_f32 / 127.0))).round() as i32
    );
    assert!((integers[1] - (1 << 30)).abs() < 128, "{integers:?}");
    assert!((integers[2] + (1 << 30)).abs() < 128, "{integers:?}");
    assert_eq!(
        value(&quantized, "flat").quantization,
        value(&quantized, "dense").quantization
    );
    assert_eq!(value(&quantized, "dense").quantization.zero_point(), -128);
}

#[test]
fn a_bias_of_two_layers_is_rounded_for_each() {
    let graph = text::parse(
        "graph g
        input x [1,2]
        constant w [2,2] = 1 2 3 4
        constant b [2] = 0.5 0.25
        constant c [1,2] = 10 -10
        y = fully_connected(x, w, b)
        z = fully_connected(y, w, b)
        s = add(z, c)
        output s",
    )
    .unwrap();
    let quantized = quantize(&graph, &calibrated(&graph, 4)).unwrap();
    let names: Vec<&str> = quantized
        .values()
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    // One filter serves both; the bias depends on the input's scale.
    assert_eq!(names, ["x", "w", "b", "y", "b_1", "z", "c", "s"]);
    let c = value(&quantized, "c");
    assert_eq!(
        c.source,
        QuantizedSource::Constant(Elements::Int8(vec![126, -128]))
    );
}

#[test]
fn another_graphs_calibration_is_refused() {
    let graph = text::parse(DENSE).unwrap();
    let other = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let error = quantize(&graph, &calibrated(&other, 1)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("\"dense\" has no calibrated range"),
        "{error}"
    );
}

#[test]
fn a_range_beyond_f32_is_named() {
    let graph = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(1, &[&[-3e38, 3e38]]).unwrap();
    let error = quantize(&graph, &calibrator.finish().unwrap()).unwrap_err();
    assert!(
        error.to_string().starts_with("\"x\" reaches from"),
        "{error}"
    );
}

#[test]
fn int16_is_symmetric_and_has_biases_of_64_bits() {
    let range = |min, max| int16_parameters(Range { min, max });
    let scale = |scale| {
        Some(Quantization::PerTensor {
            scale,
            zero_point: 0,
        })
    };
    assert_eq!(range(0.0, 1.0), scale(1.0 / 32767.0));
    assert_eq!(range(-3.0, 1.0), scale(3.0 / 32767.0));
    assert_eq!(range(0.0, 0.0), scale(1.0));
    assert_eq!(range(f32::MIN, f32::MAX), scale(f32::MAX / 32767.0));

    let graph = text::parse(DENSE).unwrap();
    let quantized = Variant::Int16x8
        .apply(&graph, Some(&calibrated(&graph, 4)))
        .unwrap();
    assert_eq!(quantized.activation_type(), Some(Dtype::Int16));
    let bias = value(&quantized, "bias");
    let QuantizedSource::Constant(Elements::Int64(integers)) = &bias.source else {
        panic!("biases are int64 constants: {bias:?}")
    };
    let [input, weights] =
        ["x", "weights"].map(|name| value(&quantized, name).quantization.scales()[0]);
    assert_eq!(bias.quantization.scales()[0], input * weights);
    assert_eq!(
        integers[0],
        (0.5 / f64::from(input * weights)).round() as i64
    );
    // The channels without weights: a bias that 32 bits could not hold.
    assert!(
        integers[1] > i64::from(i32::MAX) && integers[1] <= 1 << 47,
        "{integers:?}"
    );
}

#[test]
fn what_was_not_folded_is_named() {
    let graph = text::parse(
        "graph g\ninput x [1,2]\nconstant one [2] = fill 1\ny = batch_norm(x, one, one, one, one)\noutput y",
    )
    .unwrap();
    let error = quantize(&graph, &calibrated(&graph, 4))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("a batch_norm cannot be quantized (\"y\"): run the passes first"),
        "{error}"
    );
}
