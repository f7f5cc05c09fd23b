//! Models that the file quantizes keep its integers, scales and zero points.

mod golden;

use std::collections::BTreeMap;

use ember_compress::{Calibration, Range, optimize, quantize_by};
use ember_core::Dtype;
use ember_graph::{Elements, Quantization, QuantizedGraph, QuantizedSource, QuantizedValue};
use ember_onnx::{Quantized, import};
use golden::{Golden, path, worst};
use onnx_ir::{Message as _, ModelProto};

const MODELS: &[&str] = &["qdq_per_channel", "qdq_per_tensor"];

fn quantized(name: &str) -> Quantized {
    import(&path(name)).unwrap().quantized.unwrap()
}

/// The stored tensors of the file: shape and bytes by name.
fn stored(name: &str) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path(name)).unwrap();
    let model = ModelProto::parse_from_bytes(&bytes).unwrap();
    let tensors = model.graph.initializer.iter().map(|tensor| {
        let shape = tensor.dims.iter().map(|extent| *extent as usize).collect();
        (tensor.name.clone(), (shape, tensor.raw_data.to_vec()))
    });
    tensors.collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

fn find<'g>(graph: &'g QuantizedGraph, name: &str) -> &'g QuantizedValue {
    let mut values = graph.values().iter();
    values
        .find(|value| value.name == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn activations_have_the_scales_and_zero_points_of_the_file() {
    for name in MODELS {
        let model = quantized(name).model;
        let stored = stored(name);
        let mut seen = 0;
        for (of, (_, scale)) in &stored {
            let Some(value) = of.strip_suffix("_scale") else {
                continue;
            };
            if stored.contains_key(&format!("{value}_integers")) {
                continue;
            }
            let zero_point = stored[&format!("{value}_zero_point")].1[0];
            let zero_point = match *name {
                "qdq_per_tensor" => i32::from(zero_point) - 128,
                _ => i32::from(zero_point.cast_signed()),
            };
            let expected = Quantization::PerTensor {
                scale: floats(scale)[0],
                zero_point,
            };
            assert_eq!(find(&model, value).quantization, expected, "{name} {value}");
            seen += 1;
        }
        assert!(seen >= 3, "{name}: {seen}");
    }
}

/// Where each integer of a filter `[O,KH,KW,I]` is in the file's `[O,I,KH,KW]`; the same for `[1,KH,KW,O]` of `[O,1,KH,KW]`.
fn positions(file: &[usize], depthwise: bool) -> Vec<usize> {
    let [filters, depth, rows, columns] = file[..] else {
        panic!("{file:?}");
    };
    let at = |o: usize, i: usize, y: usize, x: usize| ((o * depth + i) * rows + y) * columns + x;
    let mut positions = Vec::new();
    if depthwise {
        for y in 0..rows {
            for x in 0..columns {
                positions.extend((0..filters).map(|o| at(o, 0, y, x)));
            }
        }
    } else {
        for o in 0..filters {
            for y in 0..rows {
                for x in 0..columns {
                    positions.extend((0..depth).map(|i| at(o, i, y, x)));
                }
            }
        }
    }
    positions
}

#[test]
fn weights_and_biases_are_the_integers_of_the_file() {
    let model = quantized("qdq_per_channel").model;
    let stored = stored("qdq_per_channel");
    let row = [5, 6, 3, 3];
    for (ours, file, shape, axis) in [
        ("first_relu.filter", "first_weights", None, 0),
        ("deep.filter", "deep_weights", None, 3),
        ("scores.weights", "scores_weights", Some(row), 0),
    ] {
        let value = find(&model, ours);
        let (file_shape, bytes) = &stored[&format!("{file}_integers")];
        // A dense layer behind an image of 6 channels: its columns are in the order of NHWC.
        let file_shape = shape.map_or(file_shape.clone(), Vec::from);
        let positions = positions(&file_shape, axis == 3);
        let expected = positions
            .iter()
            .map(|position| bytes[*position].cast_signed());
        let expected = QuantizedSource::Constant(Elements::Int8(expected.collect()));
        assert_eq!(value.source, expected, "{ours}");
        let scales = floats(&stored[&format!("{file}_scale")].1);
        assert_eq!(
            value.quantization,
            Quantization::PerChannel { axis, scales },
            "{ours}"
        );
    }
    for (ours, file) in [
        ("first_relu.bias", "first_bias"),
        ("deep.bias", "deep_bias"),
        ("scores.bias", "scores_bias"),
    ] {
        let (integers, _) = stored[&format!("{file}_integers")].1.as_chunks();
        let integers = integers.iter().map(|bytes| i32::from_le_bytes(*bytes));
        let expected = QuantizedSource::Constant(Elements::Int32(integers.collect()));
        assert_eq!(find(&model, ours).source, expected, "{ours}");
    }
}

#[test]
fn weights_stand_for_the_numbers_of_the_float_graph() {
    for name in MODELS {
        let imported = import(&path(name)).unwrap();
        let real = imported.quantized.unwrap().model.dequantize();
        let mut seen = 0;
        for (_, value, numbers) in real.constants() {
            // Real biases are rounded.
            if value.name.ends_with(".bias") {
                continue;
            }
            let id = imported.graph.find(&value.name).unwrap();
            assert_eq!(
                imported.graph.constant(id),
                Some(numbers),
                "{name} {}",
                value.name
            );
            seen += 1;
        }
        assert!(seen >= 2, "{name}");
    }
}

#[test]
fn the_float_graph_computes_what_the_file_does_without_rounding() {
    for name in MODELS {
        let golden = Golden::read(name);
        let worst = worst(
            &import(&path(name)).unwrap().graph,
            &golden,
            &golden.real_outputs,
        );
        println!("{name}: {worst:e}");
        assert!(worst <= 1e-4, "{name}: {worst}");
    }
}

#[test]
fn the_int8_model_computes_what_the_file_does() {
    // In steps of the result. The file computes in floats between two roundings, kernels in integers; and behind the mean,
    // which has other parameters than its input in the file, they round twice. Two steps of the scores, 1/16 each, are eight
    // of a probability near 1/2.
    for (name, step, allowed) in [
        ("qdq_per_channel", 1.0 / 256.0, 8.0),
        ("qdq_per_tensor", 0.05, 1.0),
    ] {
        let file = ember_codegen::tflite::quantized(&quantized(name).model).unwrap();
        let model = ember_lite::MappedModel::from_bytes(&file, name).unwrap();
        let mut arena = model.arena().unwrap();
        let mut session = model.session(&mut arena).unwrap();
        let golden = Golden::read(name);
        let mut worst = 0.0_f32;
        for (image, expected) in golden.samples(&golden.outputs) {
            let got = session.run_real(&image).unwrap();
            for (got, expected) in got.iter().zip(expected) {
                worst = worst.max((got - expected).abs() / step);
            }
        }
        println!("{name}: {worst} steps");
        assert!(worst <= allowed + 0.01, "{name}: {worst} steps");
    }
}

#[test]
fn the_ranges_quantize_to_the_same_zero_points_and_scales() {
    for name in MODELS {
        let imported = import(&path(name)).unwrap();
        let kept = imported.quantized.unwrap();
        let (optimized, _) = optimize(&imported.graph).unwrap();
        let named = kept.ranges.ranges.iter().map(|(name, [min, max])| {
            let (min, max) = (*min, *max);
            (name.as_str(), Range { min, max })
        });
        let calibration = Calibration::from_named(&optimized, 0, named).unwrap();
        let again = quantize_by(&optimized, Some(&calibration), &kept.recipe).unwrap();
        let mut seen = 0;
        for value in kept.model.values() {
            let others = again.values().iter();
            let Some(other) = others.into_iter().find(|other| other.name == value.name) else {
                continue;
            };
            // What is behind a pool that the file gives other parameters has those of the pool's input here.
            let constant = matches!(value.source, QuantizedSource::Constant(_));
            if constant
                || value.dtype != Dtype::Int8
                || ["mean", "row"].contains(&value.name.as_str())
            {
                continue;
            }
            let [scale, again] = [&value.quantization, &other.quantization].map(|q| q.scales()[0]);
            assert_eq!(
                value.quantization.zero_point(),
                other.quantization.zero_point(),
                "{name} {}",
                value.name
            );
            assert!(
                (scale - again).abs() <= scale * f32::EPSILON,
                "{name} {}",
                value.name
            );
            seen += 1;
        }
        assert!(seen >= 3, "{name}");
    }
}
