//! Pruned, then clustered, then quantized: each property is still there at the end.

use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::{Pruning, prune};
use ember_compress::{Calibrator, Variant, constant_bytes, describe};
use ember_graph::random::Random;
use ember_graph::{Graph, text};

fn graph() -> Graph {
    let mut graph = text::parse(
        "graph g
        input x [1,8,8,2]
        constant f [8,3,3,2] = fill 0
        constant b [8] = fill 0.1
        constant d [1,3,3,8] = fill 0
        constant e [8] = fill 0.1
        constant w [12,512] = fill 0
        constant c [12] = fill 0
        conv = conv_2d(x, f, b) padding=same activation=relu
        deep = depthwise_conv_2d(conv, d, e) padding=same activation=relu6
        flat [1,512] = reshape(deep)
        dense = fully_connected(flat, w, c)
        output dense",
    )
    .unwrap();
    let mut random = Random::new(11);
    for name in ["f", "d", "w"] {
        let id = graph.find(name).unwrap();
        let count = graph.constant(id).unwrap().len();
        graph.set_constant(id, random.numbers(count)).unwrap();
    }
    graph
}

#[test]
fn zeros_and_clusters_come_through_quantization() {
    let (pruned, _) = prune(&graph(), &Pruning::Unstructured { sparsity: 0.8 }, "*").unwrap();
    let clustering = Clustering {
        keep_zeros: true,
        ..Clustering::default()
    };
    let (clustered, _) = cluster_graph(&pruned, &clustering, "*").unwrap();
    let mut calibrator = Calibrator::new(&clustered);
    calibrator
        .observe(8, &[&Random::new(1).numbers(8 * 128)])
        .unwrap();
    let calibration = calibrator.finish().unwrap();
    for variant in Variant::ALL {
        let layers = describe(&variant.apply(&clustered, Some(&calibration)).unwrap());
        assert_eq!(layers.len(), 3, "{}", variant.name());
        for layer in &layers {
            assert!(layer.zeros * 10 >= layer.count * 8 - 5, "{layer:?}");
            assert!(layer.clusters <= 16, "{layer:?}");
        }
    }
}

#[test]
fn layers_are_described_as_they_are() {
    let graph = graph();
    let mut calibrator = Calibrator::new(&graph);
    calibrator
        .observe(8, &[&Random::new(1).numbers(8 * 128)])
        .unwrap();
    let calibration = calibrator.finish().unwrap();
    let int4 = Variant::Int4.apply(&graph, Some(&calibration)).unwrap();
    let layers = describe(&int4);
    let seen: Vec<_> = layers
        .iter()
        .map(|layer| (layer.layer.as_str(), layer.weights.as_str(), layer.bytes))
        .collect();
    assert_eq!(
        seen,
        [
            ("conv", "int8", 144),
            ("deep", "int8", 72),
            ("dense", "int4", 3072)
        ]
    );
    assert!(layers[2].clusters <= 15 && layers[2].activations == "int8");
    assert_eq!(constant_bytes(&int4), 144 + 72 + 3072 + 4 * (8 + 8 + 12));
    let float16 = Variant::Float16.apply(&graph, None).unwrap();
    assert_eq!(constant_bytes(&float16), 2 * graph.parameter_count());
}
