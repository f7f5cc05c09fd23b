//! Models with fixed weights, and how to run a file in `ember-micro`.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::Path;
use std::process::Command;

use ember_compress::{Calibrator, optimize, quantize};
use ember_core::Activation;
use ember_graph::random::Random;
use ember_graph::{Graph, GraphBuilder, GraphError, QuantizedGraph, Window};
use ember_micro::{ARENA_ALIGNMENT, Interpreter, Registration, arena_bytes_needed, registry};
use ember_tflite::Model;

/// The reference CNN: 21,898 parameters.
pub(crate) fn seed_cnn() -> Graph {
    let build = || -> Result<Graph, GraphError> {
        let mut model = GraphBuilder::new("seed-cnn");
        let x = model.input("image", &[1, 28, 28, 1])?;
        let x = model.conv_2d(x, 8, [3, 3], Window::valid(1), Activation::Relu)?;
        let x = model.max_pool_2d(x, [2, 2], Window::valid(2))?;
        let x = model.flatten(x)?;
        let x = model.fully_connected(x, 16, Activation::Relu)?;
        let x = model.fully_connected(x, 10, Activation::None)?;
        let x = model.softmax(x)?;
        model.finish(&[x])
    };
    with_weights(build().unwrap(), 1)
}

/// The same operators on 6x6 images.
pub(crate) fn tiny_cnn() -> Graph {
    let build = || -> Result<Graph, GraphError> {
        let mut model = GraphBuilder::new("tiny-cnn");
        let x = model.input("image", &[1, 6, 6, 1])?;
        let x = model.conv_2d(x, 2, [3, 3], Window::valid(1), Activation::Relu)?;
        let x = model.max_pool_2d(x, [2, 2], Window::valid(2))?;
        let x = model.flatten(x)?;
        let x = model.fully_connected(x, 3, Activation::None)?;
        let x = model.softmax(x)?;
        model.finish(&[x])
    };
    with_weights(build().unwrap(), 2)
}

/// Random weights of Glorot's spread, and biases.
fn with_weights(mut graph: Graph, seed: u64) -> Graph {
    let mut random = Random::new(seed);
    for id in graph.ids() {
        let Some(numbers) = graph.constant(id) else {
            continue;
        };
        let shape = &graph.values[id.index()].shape;
        let fan_in: usize = shape[1..].iter().product();
        let mut numbers = random.numbers(numbers.len());
        for number in &mut numbers {
            *number *= 2.0 / (fan_in as f32).sqrt();
        }
        graph.set_constant(id, numbers).unwrap();
    }
    graph
}

/// Numbers in one sample of the graph's input.
pub(crate) fn input_len(graph: &Graph) -> usize {
    graph.values[graph.inputs[0].index()].shape.iter().product()
}

/// The graph after the passes, and in integers, calibrated on `samples` from 0 to 1.
pub(crate) fn quantized(graph: &Graph, samples: usize) -> (Graph, QuantizedGraph) {
    let (graph, _) = optimize(graph).unwrap();
    let numbers = images(&graph, samples, 3);
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(samples, &[&numbers]).unwrap();
    let quantized = quantize(&graph, &calibrator.finish().unwrap()).unwrap();
    (graph, quantized)
}

/// Samples from 0 to 1 in steps of 1/255, as pixels are.
pub(crate) fn images(graph: &Graph, samples: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let count = samples * input_len(graph);
    (0..count)
        .map(|_| random.within(0, 255) as f32 / 255.0)
        .collect()
}

/// Runs a file on each of the inputs; all outputs one after the other.
pub(crate) fn run<'i>(
    file: &[u8],
    kernels: &'static [Registration],
    inputs: impl Iterator<Item = &'i [u8]>,
) -> Vec<u8> {
    let model = Model::parse(file).unwrap();
    let bytes = arena_bytes_needed(&model, kernels).unwrap();
    let mut memory = vec![0; bytes + ARENA_ALIGNMENT];
    let start = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
    let arena = &mut memory[start..start + bytes];
    let mut interpreter = Interpreter::new(&model, kernels, arena).unwrap();
    let mut outputs = Vec::new();
    for input in inputs {
        interpreter.input(0).unwrap().copy_from_slice(input);
        interpreter.invoke().unwrap();
        outputs.extend_from_slice(interpreter.output(0).unwrap());
    }
    outputs
}

/// Runs a float32 file on samples of `len` numbers each.
pub(crate) fn run_float32(file: &[u8], samples: &[f32], len: usize) -> Vec<f32> {
    let bytes: Vec<u8> = samples
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let outputs = run(file, registry::FLOAT32, bytes.chunks(4 * len));
    let (numbers, _) = outputs.as_chunks::<4>();
    numbers
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// Runs an int8 file on real samples, rounded to its input and made real again from its output.
pub(crate) fn run_int8(file: &[u8], graph: &QuantizedGraph, samples: &[f32]) -> Vec<f32> {
    let parameters = |id: ember_graph::ValueId| {
        let value = graph.value(id);
        (
            value.quantization.scales()[0],
            value.quantization.zero_point(),
        )
    };
    let input = graph.value(graph.inputs()[0]);
    let (scale, zero_point) = parameters(graph.inputs()[0]);
    let bytes: Vec<u8> = samples
        .iter()
        .map(|number| ((number / scale).round() as i32 + zero_point).clamp(-128, 127) as u8)
        .collect();
    let len = input.shape.iter().product();
    let (scale, zero_point) = parameters(graph.outputs()[0]);
    run(file, registry::INT8, bytes.chunks(len))
        .iter()
        .map(|byte| scale * (i32::from(byte.cast_signed()) - zero_point) as f32)
        .collect()
}

/// What a reference engine writes for a file and its samples: the script of `tools/run_engine`, run by `python`.
pub(crate) fn reference_scores(python: &str, script: &str, file: &[u8], samples: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("model.tflite"), file).unwrap();
    std::fs::write(path("samples.bin"), samples).unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/run_engine");
    let output = Command::new(python)
        .arg(scripts.join(script))
        .args([
            path("model.tflite"),
            path("samples.bin"),
            path("scores.bin"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    std::fs::read(path("scores.bin")).unwrap()
}
