//! Files as graphs: what was written comes back, and what cannot be taken over is named.

mod support;

use ember_codegen::{CodegenError, tflite};
use ember_compress::{Variant, optimize};
use ember_core::{BuiltinOp, Dtype};
use ember_graph::eval::evaluate;
use ember_graph::{Graph, random};
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{FullyConnectedOptions, Model, Options};
use proptest::prelude::*;
use support::{images, input_len, quantized, run_float32, tiny_cnn};

proptest! {
    /// The same file again, byte for byte.
    #[test]
    fn what_was_written_comes_back(seed: u64) {
        let (graph, _) = optimize(&random::unoptimized(seed, 8)?)?;
        let bytes = match tflite::float32(&graph) {
            Err(CodegenError::NoOperator { op: "quantize" | "dequantize", .. }) => return Ok(()),
            bytes => bytes.unwrap(),
        };
        let back = tflite::to_graph(&bytes).unwrap();
        let samples = images(&graph, 2, seed);
        prop_assert_eq!(evaluate(&back, 2, &[&samples])?, evaluate(&graph, 2, &[&samples])?);
        prop_assert_eq!(back.nodes.len(), graph.nodes.len());
        prop_assert_eq!(back.parameter_count(), used_numbers(&graph));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whatever happened to a file, it is a graph or an error.
    #[test]
    fn a_damaged_file_is_a_graph_or_an_error(seed in 0_u64..20, at: prop::sample::Index, with: u8) {
        let mut bytes = tflite::float32(&random::graph(seed, 5).unwrap()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(graph) = tflite::to_graph(&bytes) {
            ember_graph::verify(&graph)?;
        }
    }
}

/// Numbers of constants; the file keeps one that nobody reads, the graph that is read from it does not.
fn used_numbers(graph: &Graph) -> usize {
    let used = graph.constants().filter(|(id, _, _)| graph.uses(*id) > 0);
    used.map(|(_, _, numbers)| numbers.len()).sum()
}

#[test]
fn weights_in_float16_become_float32() {
    let graph = tiny_cnn();
    let half = Variant::Float16.apply(&graph, None).unwrap();
    let back = tflite::to_graph(&tflite::quantized(&half).unwrap()).unwrap();
    let real = half.dequantize();
    for name in ["conv.filter", "dense.weights", "dense.bias"] {
        let numbers = |graph: &Graph| graph.constant(graph.find(name).unwrap()).unwrap().to_vec();
        assert_eq!(numbers(&back), numbers(&real), "{name}");
    }
    assert_eq!(back.nodes.len(), graph.nodes.len());
}

#[test]
fn what_is_already_quantized_is_refused() {
    let (_, int8) = quantized(&tiny_cnn(), 8);
    let error = tflite::to_graph(&tflite::quantized(&int8).unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the model is already quantized (\"image\" is INT8): start from the float model"
    );
}

/// A dense layer without a bias on an image, as other converters write it.
fn dense(op: BuiltinOp) -> Vec<u8> {
    let mut spec = ModelSpec::default();
    let input = spec.push_tensor(TensorSpec::new("in put", Dtype::Float32, [1, 2, 1, 1]));
    let numbers: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let weights = spec.push_tensor(TensorSpec::new("w", Dtype::Float32, [2, 2]).with_data(numbers));
    let output = spec.push_tensor(TensorSpec::new("y", Dtype::Float32, [1, 2]));
    let options = match op {
        BuiltinOp::FullyConnected => FullyConnectedOptions::default().into(),
        _ => Options::None,
    };
    spec.operators
        .push(OperatorSpec::new(op, [input, weights], [output], options));
    (spec.inputs, spec.outputs) = (vec![input], vec![output]);
    write(&spec).unwrap()
}

#[test]
fn a_dense_layer_gets_what_it_needs() {
    let graph = tflite::to_graph(&dense(BuiltinOp::FullyConnected)).unwrap();
    assert_eq!(graph.values[0].name, "in_put");
    assert_eq!(
        evaluate(&graph, 1, &[&[1.0, 10.0]]).unwrap(),
        [[21.0, 43.0]]
    );
}

#[test]
fn an_operator_that_the_graph_does_not_have_is_named() {
    let error = tflite::to_graph(&dense(BuiltinOp::Sub))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the model cannot be taken over, operator 0 (SUB): the graph does not have it"
    );
    assert!(
        tflite::to_graph(b"nothing")
            .unwrap_err()
            .to_string()
            .contains("not a model")
    );
}

/// TensorFlow's own float models, found through `EMBER_CASES_DIR`.
#[test]
fn tensorflows_models_are_taken_over() {
    let Some(folder) = std::env::var_os("EMBER_CASES_DIR").map(std::path::PathBuf::from) else {
        println!("EMBER_CASES_DIR is not set: no model of TensorFlow's was taken over");
        return;
    };
    for name in ["seed_cnn_float32", "seed_cnn_float16"] {
        let bytes = std::fs::read(folder.join(name).join("model.tflite")).unwrap();
        let graph = tflite::to_graph(&bytes).unwrap();
        assert_eq!(graph.parameter_count(), 21_898);
        let samples = images(&graph, 5, 1);
        let scores = evaluate(&graph, 5, &[&samples]).unwrap().remove(0);
        let ours = tflite::float32(&optimize(&graph).unwrap().0).unwrap();
        assert_eq!(run_float32(&ours, &samples, input_len(&graph)), scores);
        if name == "seed_cnn_float32" {
            assert!(Model::parse(&bytes).is_ok());
            assert_eq!(run_float32(&bytes, &samples, input_len(&graph)), scores);
        }
    }
    let dynamic = std::fs::read(folder.join("seed_cnn_dynamic").join("model.tflite")).unwrap();
    let error = tflite::to_graph(&dynamic).unwrap_err().to_string();
    assert!(
        error.starts_with("the model is already quantized"),
        "{error}"
    );
}
