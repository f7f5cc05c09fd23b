//! Single operators compute what ONNX's reference evaluator computes: in the graph, in its float model and, nearly, in its int8
//! model. `tools/onnx_models/op_models.py` made the cases.

use std::collections::BTreeMap;

use ember_compress::Calibrator;
use ember_graph::{Graph, eval::evaluate};
use ember_lite::MappedModel;
use ember_onnx::{Imported, import_bytes};
use serde::Deserialize;

/// What is allowed between ONNX's floats and ours, of the greatest number of a result or of 1.
const TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Case {
    /// The file in hexadecimal digits.
    model: String,
    /// Numbers of each input, in the order of the file.
    inputs: Vec<Vec<f32>>,
    /// Numbers of each output.
    outputs: Vec<Vec<f32>>,
}

impl Case {
    fn import(&self, name: &str) -> Imported {
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        let pairs = self.model.as_bytes().chunks_exact(2);
        let bytes: Vec<u8> = pairs
            .map(|pair| digit(pair[0]) * 16 + digit(pair[1]))
            .collect();
        import_bytes(&bytes, name).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn cases() -> BTreeMap<String, Case> {
    serde_json::from_str(include_str!("models/operators.json")).unwrap()
}

/// Numbers `[C, pixels]` as `[pixels, C]`.
fn channels_last(numbers: &[f32], channels: usize) -> Vec<f32> {
    let pixels = numbers.len() / channels;
    let places = (0..pixels).flat_map(|pixel| (0..channels).map(move |c| c * pixels + pixel));
    places.map(|place| numbers[place]).collect()
}

/// Inputs and outputs in the layout of the graph.
fn here(imported: &Imported, case: &Case) -> [Vec<Vec<f32>>; 2] {
    let graph = &imported.graph;
    let turned = |numbers: &[Vec<f32>], ids: &[ember_graph::ValueId], images: &[bool]| {
        assert_eq!(numbers.len(), ids.len());
        let all = numbers.iter().zip(ids).zip(images);
        all.map(|((numbers, id), image)| {
            let channels = graph.get(*id).unwrap().shape.last().copied().unwrap_or(1);
            if *image {
                channels_last(numbers, channels)
            } else {
                numbers.clone()
            }
        })
        .collect()
    };
    let images = &imported.channels_last;
    [
        turned(&case.inputs, &graph.inputs, &images.inputs),
        turned(&case.outputs, &graph.outputs, &images.outputs),
    ]
}

/// The greatest difference, of the greatest number or of 1; infinite where the lengths differ.
fn difference(got: &[Vec<f32>], expected: &[Vec<f32>]) -> f32 {
    let mut worst = 0.0_f32;
    for (got, expected) in got.iter().zip(expected) {
        if got.len() != expected.len() {
            return f32::INFINITY;
        }
        let largest = expected.iter().fold(1.0_f32, |most, x| most.max(x.abs()));
        for (got, expected) in got.iter().zip(expected) {
            let difference = (got - expected).abs() / largest;
            if difference.is_nan() {
                return f32::INFINITY;
            }
            worst = worst.max(difference);
        }
    }
    worst
}

fn slices(numbers: &[Vec<f32>]) -> Vec<&[f32]> {
    numbers.iter().map(Vec::as_slice).collect()
}

/// What the model file computes, its inputs and outputs real numbers.
fn run(file: &[u8], name: &str, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let model = MappedModel::from_bytes(file, name).unwrap();
    let mut arena = model.arena().unwrap();
    let mut session = model
        .session(&mut arena)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    // The tensor's type has no name here.
    macro_rules! affine {
        ($tensor:expr) => {
            $tensor.unwrap().quantization().and_then(|quantization| {
                let zero_point = quantization.zero_points().next()? as f32;
                Some((quantization.scales().get(0)?, zero_point))
            })
        };
    }
    for (index, numbers) in inputs.iter().enumerate() {
        let bytes: Vec<u8> = match affine!(session.input_tensor(index)) {
            None => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Some((scale, zero)) => (numbers.iter())
                .map(|x| ((x / scale).round() + zero).clamp(-128.0, 127.0) as i8 as u8)
                .collect(),
        };
        session.input(index).unwrap().copy_from_slice(&bytes);
    }
    session.invoke().unwrap();
    let outputs = (0..session.output_count()).map(|index| {
        let bytes = session.output(index).unwrap();
        match affine!(session.output_tensor(index)) {
            None => (bytes.as_chunks().0.iter())
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
            Some((scale, zero)) => (bytes.iter())
                .map(|byte| (f32::from(byte.cast_signed()) - zero) * scale)
                .collect(),
        }
    });
    outputs.collect()
}

fn optimized(graph: &Graph) -> Graph {
    ember_compress::optimize(graph).unwrap().0
}

#[test]
fn the_graph_and_its_model_compute_what_onnx_does() {
    for (name, case) in &cases() {
        let imported = case.import(name);
        let [inputs, outputs] = here(&imported, case);
        let got = evaluate(&imported.graph, 1, &slices(&inputs)).unwrap();
        let worst = difference(&got, &outputs);
        assert!(worst <= TOLERANCE, "{name}: {worst:e} in the graph");
        let file = ember_codegen::tflite::float32(&optimized(&imported.graph)).unwrap();
        let worst = difference(&run(&file, name, &inputs), &outputs);
        assert!(worst <= TOLERANCE, "{name}: {worst:e} in the model");
    }
}

#[test]
fn a_batch_of_two_is_one_after_the_other() {
    for (name, case) in &cases() {
        let imported = case.import(name);
        let [inputs, _] = here(&imported, case);
        let negated: Vec<Vec<f32>> = (inputs.iter())
            .map(|input| input.iter().map(|x| 0.5 * x).collect())
            .collect();
        let both: Vec<Vec<f32>> = (inputs.iter().zip(&negated))
            .map(|(one, other)| [&one[..], &other[..]].concat())
            .collect();
        let one = evaluate(&imported.graph, 1, &slices(&inputs)).unwrap();
        let other = evaluate(&imported.graph, 1, &slices(&negated)).unwrap();
        let together = evaluate(&imported.graph, 2, &slices(&both)).unwrap();
        for ((one, other), together) in one.iter().zip(other).zip(together) {
            assert_eq!([&one[..], &other[..]].concat(), together, "{name}");
        }
    }
}

#[test]
fn the_text_form_gives_the_graph_back() {
    for (name, case) in &cases() {
        let graph = case.import(name).graph;
        let text = ember_graph::text::print(&graph, ember_graph::text::Constants::Inline);
        assert_eq!(ember_graph::text::parse(&text).unwrap(), graph, "{name}");
    }
}

#[test]
fn int8_models_compute_nearly_the_same() {
    let mut far = Vec::new();
    for (name, case) in &cases() {
        let imported = case.import(name);
        let [inputs, outputs] = here(&imported, case);
        let graph = optimized(&imported.graph);
        let mut calibrator = Calibrator::new(&graph);
        calibrator.observe(1, &slices(&inputs)).unwrap();
        // An input of one number is constant on one sample.
        let other: Vec<Vec<f32>> = (inputs.iter())
            .map(|input| input.iter().map(|x| 0.9 * x).collect())
            .collect();
        calibrator.observe(1, &slices(&other)).unwrap();
        let quantized = ember_compress::quantize(&graph, &calibrator.finish().unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let file = ember_codegen::tflite::quantized(&quantized).unwrap();
        let worst = difference(&run(&file, name, &inputs), &outputs);
        if worst > 0.1 {
            far.push(format!("{name}: {worst:e}"));
        }
    }
    assert!(far.is_empty(), "{far:?}");
}

#[test]
fn the_documentation_names_every_operator() {
    let page = include_str!("../../../docs/onnx.md");
    for operator in ember_onnx::supported() {
        assert!(page.contains(&format!("`{operator}`")), "{operator}");
    }
}
