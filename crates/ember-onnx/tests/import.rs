//! Models that PyTorch exported compute here what they compute there.

mod golden;

use std::collections::BTreeMap;

use ember_graph::{Op, checkpoint};
use ember_onnx::{Imported, import};
use golden::{Golden, path, worst};

/// What is allowed between PyTorch's or Burn's floats and ours.
const TOLERANCE: f32 = 1e-4;

/// Each model, and operators that it must have here.
const MODELS: &[(&str, &[&str])] = &[
    ("mlp", &["reshape", "fully_connected", "softmax"]),
    ("mlp_bn", &["batch_norm", "fully_connected"]),
    (
        "cnn",
        &[
            "pad",
            "conv_2d",
            "max_pool_2d",
            "average_pool_2d",
            "fully_connected",
        ],
    ),
    ("cnn_bn", &["batch_norm", "pad", "conv_2d", "max_pool_2d"]),
    ("residual", &["add", "conv_2d", "average_pool_2d"]),
    ("residual_bn", &["add", "batch_norm", "conv_2d"]),
    ("depthwise", &["depthwise_conv_2d", "conv_2d"]),
    ("depthwise_bn", &["depthwise_conv_2d", "batch_norm"]),
];

#[test]
fn models_of_pytorch_compute_what_pytorch_does() {
    for (name, operators) in MODELS {
        let Imported {
            graph, quantized, ..
        } = import(&path(name)).unwrap();
        assert!(quantized.is_none(), "{name}");
        assert_eq!(graph.name, *name);
        for operator in *operators {
            let has = graph.nodes.iter().any(|node| node.op.name() == *operator);
            assert!(has, "{name} has no {operator}");
        }
        let golden = Golden::read(name);
        let worst = worst(&graph, &golden, &golden.outputs);
        println!("{name}: {worst:e}");
        assert!(worst <= TOLERANCE, "{name}: {worst}");
    }
}

/// `tools/burn_oracle` wrote what Burn computes.
#[test]
fn models_compute_what_the_code_that_burn_generates_does() {
    let text = std::fs::read_to_string(path("burn").with_extension("json")).unwrap();
    let burns: BTreeMap<String, Vec<Vec<f32>>> = serde_json::from_str(&text).unwrap();
    assert_eq!(burns.len(), MODELS.len());
    for (name, _) in MODELS {
        let graph = import(&path(name)).unwrap().graph;
        let worst = worst(&graph, &Golden::read(name), &burns[*name]);
        println!("{name}: {worst:e}");
        assert!(worst <= TOLERANCE, "{name}: {worst}");
    }
}

#[test]
fn the_passes_change_nothing_and_leave_no_batch_norm() {
    for (name, _) in MODELS {
        let graph = import(&path(name)).unwrap().graph;
        let (optimized, _) = ember_compress::optimize(&graph).unwrap();
        let batch_norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
        assert!(
            !optimized.nodes.iter().any(|node| batch_norm(&node.op)),
            "{name}"
        );
        let golden = Golden::read(name);
        let worst = worst(&optimized, &golden, &golden.outputs);
        assert!(worst <= TOLERANCE, "{name}: {worst}");
    }
}

#[test]
fn images_are_nhwc_and_the_batch_is_one() {
    let graph = import(&path("cnn")).unwrap().graph;
    let shapes = |ids: &[ember_graph::ValueId]| -> Vec<Vec<usize>> {
        ids.iter()
            .map(|id| graph.get(*id).unwrap().shape.clone())
            .collect()
    };
    assert_eq!(shapes(&graph.inputs), [vec![1, 12, 10, 3]]);
    assert_eq!(shapes(&graph.outputs), [vec![1, 4]]);
}

#[test]
fn a_checkpoint_of_an_imported_graph_gives_it_back() {
    for (name, _) in MODELS {
        let graph = import(&path(name)).unwrap().graph;
        let bytes = checkpoint::to_bytes(&graph, &Default::default()).unwrap();
        assert_eq!(
            checkpoint::from_bytes(&bytes).unwrap().graph,
            graph,
            "{name}"
        );
    }
}

#[test]
fn every_model_becomes_a_tflite_file() {
    for (name, _) in MODELS {
        let graph = import(&path(name)).unwrap().graph;
        let (optimized, _) = ember_compress::optimize(&graph).unwrap();
        let file = ember_codegen::tflite::float32(&optimized).unwrap();
        let model = ember_lite::MappedModel::from_bytes(&file, name).unwrap();
        let mut arena = model.arena().unwrap();
        let mut session = model.session(&mut arena).unwrap();
        let golden = Golden::read(name);
        for (image, expected) in golden.samples(&golden.outputs) {
            let got = session.run_real(&image).unwrap();
            for (got, expected) in got.iter().zip(expected) {
                assert!(
                    (got - expected).abs() <= TOLERANCE,
                    "{name}: {got} {expected}"
                );
            }
        }
    }
}
