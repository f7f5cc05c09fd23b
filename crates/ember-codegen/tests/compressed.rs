//! Files with stored weights: how small they are, and that Ember and TensorFlow Lite Micro compute the same from them.
//!
//! TensorFlow Lite Micro is found through `EMBER_REFERENCE_PYTHON`, a Python that has `tflite_micro`; without it nothing is run,
//! and the test says so.

mod support;

use ember_codegen::tflite::{self, Decoder, StoredForm, StoredWeights};
use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::{Pruning, prune};
use ember_compress::{Calibrator, Variant, optimize};
use ember_graph::random::Random;
use ember_graph::{Graph, QuantizedGraph, text};
use ember_micro::registry;
use ember_tflite::{Model, OpCode};
use support::{quantized, reference_scores, run, seed_cnn};

/// The reference CNN, 80 % of its dense weights pruned where asked for, and 16 clusters where asked for.
fn reference(pruned: bool, clustered: bool) -> QuantizedGraph {
    let mut graph = seed_cnn();
    if pruned {
        let pruning = Pruning::Unstructured { sparsity: 0.8 };
        graph = prune(&graph, &pruning, "dense.weights").unwrap().0;
    }
    if clustered {
        let clustering = Clustering {
            keep_zeros: pruned,
            ..Clustering::default()
        };
        graph = cluster_graph(&graph, &clustering, "*").unwrap().0;
    }
    quantized(&graph, 20).1
}

fn bytes(stored: &[StoredWeights]) -> (usize, usize) {
    let plain = stored.iter().map(|tensor| tensor.weights).sum();
    (plain, stored.iter().map(|tensor| tensor.bytes).sum())
}

#[test]
fn weights_take_the_bytes_that_their_entropy_allows() {
    // At most 45 % of int8's bytes when pruned, 55 % when clustered, 30 % when both.
    for (pruned, clustered, most) in [(true, false, 45), (false, true, 55), (true, true, 30)] {
        let (file, stored) =
            tflite::compressed(&reference(pruned, clustered), Decoder::Ember).unwrap();
        let (plain, encoded) = bytes(&stored);
        println!(
            "pruned {pruned}, clustered {clustered}: {encoded} of {plain}, file {}",
            file.len()
        );
        assert!(encoded * 100 <= plain * most, "{stored:?}");
    }
}

#[test]
fn weights_that_are_neither_pruned_nor_clustered_stay() {
    let graph = reference(false, false);
    let (file, stored) = tflite::compressed(&graph, Decoder::Tflm).unwrap();
    assert!(
        stored.iter().all(|tensor| tensor.form.is_none()),
        "{stored:?}"
    );
    assert_eq!(file, tflite::quantized(&graph).unwrap());
}

#[test]
fn a_decode_stands_in_front_of_each_reader() {
    let (file, stored) = tflite::compressed(&reference(false, true), Decoder::Tflm).unwrap();
    let forms: Vec<Option<StoredForm>> = stored.iter().map(|tensor| tensor.form).collect();
    // 160 weights in ten tables of their own take more than they save.
    assert_eq!(forms, [None, Some(StoredForm::Lut), None]);
    let model = Model::parse(&file).unwrap();
    let names: Vec<String> = (model.main().operators())
        .map(|operator| match operator.opcode() {
            OpCode::Builtin(op) => op.name().to_owned(),
            OpCode::Custom(name) => name.to_owned(),
        })
        .collect();
    assert_eq!(names[3..5], ["TFLM_DECODE", "FULLY_CONNECTED"]);
    let decode = model.main().operator(3).unwrap();
    let tensor = |id: Option<ember_tflite::TensorId>| model.main().tensor(id.unwrap()).unwrap();
    let decoded = tensor(decode.outputs().get(0));
    assert_eq!(
        (decoded.name(), decoded.shape().to_array()),
        ("dense.weights", Some([16, 1352]))
    );
    assert_eq!(decoded.quantization().unwrap().scales().len(), 16);
    assert_eq!(tensor(decode.inputs().get(0)).byte_len(), 16 * 1352 / 2);
}

/// A depthwise filter, whose channels are innermost, and one filter that two layers read.
fn small() -> Graph {
    let mut graph = text::parse(
        "graph small
        input x [1,8,8,4]
        constant d [1,3,3,4] = fill 0
        constant e [4] = fill 0.1
        constant f [4,3,3,4] = fill 0
        constant b [4] = fill 0.05
        y = depthwise_conv_2d(x, d, e) padding=same activation=relu
        z = conv_2d(y, f, b) padding=same activation=relu
        s = conv_2d(z, f, b) padding=same
        p = average_pool_2d(s) size=[8,8] padding=valid
        out [1,4] = reshape(p)
        output out",
    )
    .unwrap();
    let mut random = Random::new(4);
    for name in ["d", "f"] {
        let id = graph.find(name).unwrap();
        let count = graph.constant(id).unwrap().len();
        // Four values in each channel, the most part of them 0.
        let numbers = (0..count).map(|_| random.choose([0.0, 0.0, 0.0, 0.5, -0.25, 1.0]));
        graph.set_constant(id, numbers.collect()).unwrap();
    }
    graph
}

/// The scores of an int8 file in TensorFlow Lite Micro.
fn tflm(python: &str, file: &[u8], samples: &[i8]) -> Vec<u8> {
    let samples: Vec<u8> = samples
        .iter()
        .map(|sample| sample.cast_unsigned())
        .collect();
    reference_scores(python, "tflm.py", file, &samples)
}

/// Models with weights in every form.
fn models() -> [QuantizedGraph; 4] {
    let (small, _) = optimize(&small()).unwrap();
    [
        reference(true, false),
        reference(false, true),
        reference(true, true),
        quantized(&small, 10).1,
    ]
}

#[test]
fn ember_computes_the_same() {
    let mut forms = Vec::new();
    for graph in models() {
        let one: usize = graph.value(graph.inputs()[0]).shape.iter().product();
        let mut random = Random::new(6);
        let samples: Vec<u8> = (0..5 * one).map(|_| random.bits() as u8).collect();
        let scores = |file: &[u8]| run(file, registry::ALL, samples.chunks(one));
        let plain = scores(&tflite::quantized(&graph).unwrap());
        for decoder in [Decoder::Tflm, Decoder::Ember] {
            let (file, stored) = tflite::compressed(&graph, decoder).unwrap();
            forms.extend(stored.iter().filter_map(|tensor| tensor.form));
            assert_eq!(scores(&file), plain, "{stored:?}");
        }
    }
    for form in [StoredForm::Lut, StoredForm::Pruned, StoredForm::PrunedLut] {
        assert!(forms.contains(&form), "{form:?}");
    }
}

#[test]
fn tflm_computes_the_same() {
    let Some(python) = std::env::var("EMBER_REFERENCE_PYTHON").ok() else {
        println!("EMBER_REFERENCE_PYTHON is not set: not run in TFLM");
        return;
    };
    for graph in models() {
        let (file, stored) = tflite::compressed(&graph, Decoder::Tflm).unwrap();
        assert!(
            stored.iter().any(|tensor| tensor.form.is_some()),
            "{stored:?}"
        );
        let one: usize = graph.value(graph.inputs()[0]).shape.iter().product();
        let mut random = Random::new(6);
        let samples: Vec<i8> = (0..5 * one).map(|_| random.bits() as i8).collect();
        let plain = tflm(&python, &tflite::quantized(&graph).unwrap(), &samples);
        assert_eq!(tflm(&python, &file, &samples), plain, "{stored:?}");
        assert!(plain.iter().any(|score| *score != plain[0]));
    }
}

#[test]
fn other_types_of_weights_stay_as_they_are() {
    let (graph, _) = optimize(&seed_cnn()).unwrap();
    let float16 = Variant::Float16.apply(&graph, None).unwrap();
    let (file, stored) = tflite::compressed(&float16, Decoder::Ember).unwrap();
    assert_eq!(file, tflite::quantized(&float16).unwrap());
    assert_eq!(bytes(&stored).1, 2 * bytes(&stored).0);
    // Nobody decodes beside int16.
    let (graph, _) = cluster_graph(&graph, &Clustering::default(), "*").unwrap();
    let numbers = support::images(&graph, 4, 3);
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(4, &[&numbers]).unwrap();
    let calibration = calibrator.finish().unwrap();
    let int16x8 = Variant::Int16x8.apply(&graph, Some(&calibration)).unwrap();
    let (file, _) = tflite::compressed(&int16x8, Decoder::Ember).unwrap();
    assert_eq!(file, tflite::quantized(&int16x8).unwrap());
}
