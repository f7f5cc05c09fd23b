//! From a graph with fixed weights to files, and the files in `ember-micro`.

mod support;

use ember_codegen::source::sha256;
use ember_codegen::{CodegenError, tflite};
use ember_core::Dtype;
use ember_graph::eval::evaluate;
use ember_graph::{Op, random, text};
use ember_micro::registry;
use ember_tflite::{Model, OpCode};
use proptest::prelude::*;
use support::{images, input_len, quantized, run_float32, run_int8, seed_cnn};

/// The files of the reference CNN with fixed weights. They change when the lowering, the writer, the arithmetic of the
/// evaluator or the arena's planner does; nothing else may change them.
const FLOAT32_SHA256: &str = "7fe3153135dde4da1f60e363331b8ee15955da7ba2f589291a69a035e07012da";
const INT8_SHA256: &str = "48275700a991ab27f26cb78bd07a571f1e28cf297dff7b60212d6c689d199661";

proptest! {
    /// The file computes what the evaluator computes, to the bit: they are the same kernels.
    #[test]
    fn float32_files_equal_the_evaluator(seed: u64) {
        let graph = random::graph(seed, 10)?;
        let samples = random::Random::new(seed).numbers(3 * input_len(&graph));
        let expected = evaluate(&graph, 3, &[&samples])?.remove(0);
        let found = run_float32(&tflite::float32(&graph).unwrap(), &samples, input_len(&graph));
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&found), bits(&expected));
    }

    #[test]
    fn equal_graphs_give_equal_bytes(seed: u64) {
        let files = || {
            let (graph, quantized) = quantized(&random::graph(seed, 8).unwrap(), 4);
            (tflite::float32(&graph).unwrap(), tflite::quantized(&quantized).unwrap())
        };
        prop_assert_eq!(files(), files());
    }
}

/// Rounding to 8 bits costs little; a wrong scale, axis or zero point costs far more. A few random graphs cancel nearly
/// everything that they computed, so that what is left is mostly rounding: hence the share and not the worst.
#[test]
fn int8_files_follow_the_evaluator() {
    const GRAPHS: u64 = 300;
    let close = (0..GRAPHS).filter(|seed| {
        let (graph, quantized) = quantized(&random::graph(*seed, 5).unwrap(), 16);
        let samples = images(&graph, 16, 3);
        let expected = evaluate(&graph, 16, &[&samples]).unwrap().remove(0);
        let found = run_int8(
            &tflite::quantized(&quantized).unwrap(),
            &quantized,
            &samples,
        );
        let reach = expected
            .iter()
            .fold(0.0_f32, |reach, number| reach.max(number.abs()));
        let differences = found
            .iter()
            .zip(&expected)
            .map(|(found, expected)| (found - expected).abs());
        let mean = differences.sum::<f32>() / expected.len() as f32;
        mean <= 0.006 * reach
    });
    let close = close.count();
    assert!(close as u64 * 100 >= GRAPHS * 95, "{close} of {GRAPHS}");
}

#[test]
fn the_seed_cnn_fits_and_agrees() {
    let (graph, quantized) = quantized(&seed_cnn(), 50);
    assert_eq!(graph.parameter_count(), 21_898);
    let float32 = tflite::float32(&graph).unwrap();
    let int8 = tflite::quantized(&quantized).unwrap();
    // TensorFlow's own files have 90,316 and 25,992 bytes.
    assert!(float32.len() <= 89_600, "{}", float32.len());
    assert!(int8.len() <= 24_900, "{}", int8.len());

    let samples = images(&graph, 200, 4);
    let expected = evaluate(&graph, 200, &[&samples]).unwrap().remove(0);
    let found = run_float32(&float32, &samples, 784);
    assert_eq!(found, expected);
    let rounded = run_int8(&int8, &quantized, &samples);
    let best = |scores: &[f32]| (0..10).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let agreeing = expected
        .chunks(10)
        .zip(rounded.chunks(10))
        .filter(|(float, int)| best(float) == best(int))
        .count();
    assert!(agreeing >= 190, "{agreeing} of 200");
    let worst = expected
        .iter()
        .zip(&rounded)
        .map(|(float, int)| (float - int).abs())
        .fold(0.0, f32::max);
    assert!(worst < 0.06, "{worst}");
    assert_eq!(
        [sha256(&float32).as_str(), sha256(&int8).as_str()],
        [FLOAT32_SHA256, INT8_SHA256]
    );
}

/// A pruned channel is its bias, and an untrained model is all zeros: both must come through.
#[test]
fn channels_without_weights_keep_their_bias() {
    let mut graph = seed_cnn();
    for (name, kept) in [("conv.filter", 5 * 9), ("dense.weights", 8 * 1352)] {
        let id = graph.find(name).unwrap();
        let mut numbers = graph.constant(id).unwrap().to_vec();
        numbers[kept..].fill(0.0);
        graph.set_constant(id, numbers).unwrap();
    }
    let (pruned, quantized_pruned) = quantized(&graph, 50);
    let samples = images(&pruned, 50, 4);
    let expected = evaluate(&pruned, 50, &[&samples]).unwrap().remove(0);
    let found = run_int8(
        &tflite::quantized(&quantized_pruned).unwrap(),
        &quantized_pruned,
        &samples,
    );
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 0.06, "{found} {expected}");
    }

    for id in graph.ids() {
        if let Some(numbers) = graph.constant(id) {
            let zeros = vec![0.0; numbers.len()];
            graph.set_constant(id, zeros).unwrap();
        }
    }
    let (_, untrained) = quantized(&graph, 2);
    let found = run_int8(
        &tflite::quantized(&untrained).unwrap(),
        &untrained,
        &samples[..784],
    );
    assert!(
        found.iter().all(|score| (score - 0.1).abs() <= 1.0 / 256.0),
        "{found:?}"
    );
}

#[test]
fn the_file_says_what_tensorflows_says() {
    let (graph, quantized) = quantized(&seed_cnn(), 4);
    let float32 = tflite::float32(&graph).unwrap();
    let int8 = tflite::quantized(&quantized).unwrap();
    let versions = |bytes: &[u8]| -> Vec<(String, i32)> {
        let model = Model::parse(bytes).unwrap();
        let operators = model
            .main()
            .operators()
            .map(|operator| match operator.opcode() {
                OpCode::Builtin(op) => (op.name().to_owned(), operator.version()),
                OpCode::Custom(name) => (name.to_owned(), 0),
            });
        operators.collect()
    };
    let named =
        |versions: [(&str, i32); 6]| versions.map(|(name, version)| (name.to_owned(), version));
    assert_eq!(
        versions(&int8),
        named([
            ("CONV_2D", 3),
            ("MAX_POOL_2D", 2),
            ("RESHAPE", 1),
            ("FULLY_CONNECTED", 4),
            ("FULLY_CONNECTED", 4),
            ("SOFTMAX", 2)
        ])
    );
    assert!(versions(&float32).iter().all(|(_, version)| *version == 1));
    for (bytes, runtime, dtype) in [
        (&float32, "1.5.0", Dtype::Float32),
        (&int8, "1.14.0", Dtype::Int8),
    ] {
        let model = Model::parse(bytes).unwrap();
        assert_eq!(model.min_runtime_version(), Some(runtime));
        assert_eq!(model.description(), "Ember");
        let signature = model.signatures().next().unwrap();
        assert_eq!(signature.key(), "serving_default");
        let inputs: Vec<&str> = signature.inputs().map(|(name, _)| name).collect();
        let outputs: Vec<&str> = signature.outputs().map(|(name, _)| name).collect();
        assert_eq!((inputs, outputs), (vec!["image"], vec!["softmax"]));
        let main = model.main();
        let input = main.tensor(main.inputs().get(0).unwrap()).unwrap();
        assert_eq!(
            (input.dtype(), input.shape().to_array()),
            (dtype, Some([1, 28, 28, 1]))
        );
    }
    let model = Model::parse(&int8).unwrap();
    let main = model.main();
    let by_name = |name: &str| main.tensors().find(|tensor| tensor.name() == name).unwrap();
    let filter = by_name("conv.filter");
    let quantization = filter.quantization().unwrap();
    assert_eq!(
        (
            quantization.scales().len(),
            quantization.quantized_dimension()
        ),
        (8, 0)
    );
    assert_eq!(by_name("conv.bias").dtype(), Dtype::Int32);
    assert!(by_name("flatten.shape").quantization().is_none());
    assert_eq!(
        by_name("softmax").quantization().unwrap().scale(0),
        Some(1.0 / 256.0)
    );
}

#[test]
fn depthwise_filters_are_quantized_along_the_last_dimension() {
    let graph = text::parse(
        "graph g
        input image [1,4,4,2]
        constant f [1,2,2,6] = 1 2 3 4 5 6 7 8 9 10 11 12 1 2 3 4 5 6 7 8 9 10 11 12
        constant b [6] = fill 0.5
        y = depthwise_conv_2d(image, f, b) stride=[2,1] dilation=[1,2] padding=same activation=relu
        z = relu6(y)
        output z
        output y",
    )
    .unwrap();
    let (graph, quantized) = quantized(&graph, 4);
    let int8 = tflite::quantized(&quantized).unwrap();
    let model = Model::parse(&int8).unwrap();
    assert_eq!(model.min_runtime_version(), Some("1.14.0"));
    let filter = model.main().tensor(ember_tflite::TensorId(1)).unwrap();
    assert_eq!(filter.quantization().unwrap().quantized_dimension(), 3);
    let float32 = tflite::float32(&graph).unwrap();
    let model = Model::parse(&float32).unwrap();
    assert_eq!(model.min_runtime_version(), Some("1.12.0"));
    let options = model.main().operator(0).unwrap().options();
    let ember_tflite::Options::DepthwiseConv2d(options) = options else {
        panic!("{options:?}")
    };
    assert_eq!(
        (options.depth_multiplier, options.stride_h, options.stride_w),
        (3, 2, 1)
    );
    assert_eq!(
        (options.dilation_h_factor, options.dilation_w_factor),
        (1, 2)
    );
}

#[test]
fn a_relu_that_stands_alone_is_younger_in_int8_than_the_rest() {
    let graph =
        text::parse("graph g\ninput x [1,4]\ny = relu(x)\nz = softmax(y)\noutput z").unwrap();
    let (graph, quantized) = quantized(&graph, 4);
    for (bytes, runtime) in [
        (tflite::float32(&graph).unwrap(), "1.5.0"),
        (tflite::quantized(&quantized).unwrap(), "2.1.0"),
    ] {
        assert_eq!(
            Model::parse(&bytes).unwrap().min_runtime_version(),
            Some(runtime)
        );
    }
}

#[test]
fn the_plan_in_the_file_is_the_one_that_the_runtime_would_make() {
    let (_, quantized) = quantized(&seed_cnn(), 4);
    let bytes = tflite::quantized(&quantized).unwrap();
    let model = Model::parse(&bytes).unwrap();
    let plan: Vec<i32> = model.arena_plan().unwrap().offsets().collect();
    assert_eq!(plan.len(), model.main().tensor_count());
    assert_eq!(plan, ember_micro::plan::offsets(&model).unwrap());
    let placed = plan.iter().filter(|offset| **offset >= 0).count();
    // The input and six results; constants stay in the model.
    assert_eq!(placed, 7);
    assert!(ember_micro::arena_bytes_needed(&model, registry::INT8).unwrap() <= 8_132);
}

#[test]
fn an_attribute_that_the_file_cannot_hold_is_named() {
    let mut graph = text::parse(
        "graph g\ninput x [1,4,4,1]\ny = max_pool_2d(x) size=[2,2] stride=[2,2] padding=same\noutput y",
    )
    .unwrap();
    let Op::MaxPool2d { window, .. } = &mut graph.nodes[0].op else {
        panic!("the node is a pool")
    };
    window.stride = [1 << 40, 2];
    graph.values[1].shape = vec![1, 1, 2, 1];
    let error = tflite::float32(&graph).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the stride of \"y\" is 1099511627776: a .tflite file holds at most 2147483647"
    );
    graph.outputs.clear();
    assert!(matches!(
        tflite::float32(&graph),
        Err(CodegenError::Graph(_))
    ));
}

#[test]
fn what_no_float_file_has_is_named() {
    for (op, line) in [
        ("quantize", "y = quantize(x)"),
        (
            "batch_norm",
            "constant one [2] = fill 1\ny = batch_norm(x, one, one, one, one)",
        ),
    ] {
        let graph = text::parse(&format!("graph g\ninput x [1,2]\n{line}\noutput y")).unwrap();
        let error = tflite::float32(&graph).unwrap_err().to_string();
        assert!(error.contains(&format!("no {op} (\"y\")")), "{error}");
    }
}
