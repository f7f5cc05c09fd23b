//! Summaries: the numbers of each compression as by hand, and of compressions that follow each other.

use ember_compress::cluster::{Clustering, cluster_graph};
use ember_compress::prune::{ChannelPruning, Pruning, prune, prune_channels};
use ember_compress::scheme::Granularity;
use ember_compress::summary::{self, Summary};
use ember_compress::{Calibrator, CompressError, Variant};
use ember_graph::{Graph, random, text};
use proptest::prelude::*;

fn graph() -> Graph {
    text::parse(
        "graph g
        input x [1,2,2,1]
        constant conv.filter [2,1,1,1] = 1 5
        constant conv.bias [2] = 0.5 -1
        constant dense.weights [2,8] = 1 -2 3 -4 5 -6 7 -8 4 4 0 2 2 2 2 2
        constant dense.bias [2] = 0 0
        conv = conv_2d(x, conv.filter, conv.bias) padding=valid activation=relu
        flat [1,8] = reshape(conv)
        dense = fully_connected(flat, dense.weights, dense.bias)
        output dense",
    )
    .unwrap()
}

#[test]
fn pruning_and_clustering_as_by_hand() {
    let graph = graph();
    let (pruned, _) = prune(&graph, &Pruning::Unstructured { sparsity: 0.5 }, "dense*").unwrap();
    let summary = summary::of_graph(&graph, &pruned).unwrap();
    let [conv, dense] = &summary.tensors[..] else {
        panic!("{summary:?}");
    };
    assert_eq!(
        (conv.before.zeros, conv.after.zeros, conv.snr_db),
        (0, 0, None)
    );
    assert_eq!(conv.before, conv.after);
    assert_eq!((dense.before.zeros, dense.after.zeros), (1, 8));
    assert_eq!((dense.before.distinct, dense.after.distinct), (11, 8));
    assert_eq!(
        (
            dense.before.distinct_in_channel,
            dense.after.distinct_in_channel
        ),
        (8, 7)
    );
    assert_eq!((dense.before.bytes, dense.after.bytes), (64, 64));
    // Of 204 + 52 the squares 1, 4, 4, 4, 4, 4, 4 are gone.
    let expected = 10.0 * (256.0_f64 / 25.0).log10();
    assert!((dense.snr_db.unwrap() - expected).abs() < 1e-9, "{dense:?}");
    assert_eq!(summary.after().sparsity(), 8.0 / 18.0);

    let clustering = Clustering {
        clusters: 2,
        per: Granularity::Channel,
        ..Clustering::default()
    };
    let (clustered, _) = cluster_graph(&graph, &clustering, "dense*").unwrap();
    let after = &summary::of_graph(&graph, &clustered).unwrap().tensors[1].after;
    // -5 and 4, 1.67 and 4.
    assert_eq!((after.distinct, after.distinct_in_channel), (3, 2));
}

#[test]
fn quantization_is_summed_up_with_what_went_before() {
    let graph = graph();
    let (pruned, _) = prune(&graph, &Pruning::Unstructured { sparsity: 0.5 }, "dense*").unwrap();
    let mut calibrator = Calibrator::new(&pruned);
    calibrator
        .observe(2, &[&[0.0, 1.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0]])
        .unwrap();
    let quantized = Variant::Int8
        .apply(&pruned, Some(&calibrator.finish().unwrap()))
        .unwrap();
    let mut summary = summary::of_quantized(&graph, &quantized).unwrap();
    let dense = &summary.tensors[1];
    assert_eq!(
        (
            dense.after.zeros,
            dense.after.bytes,
            dense.after.dtype.as_str()
        ),
        (8, 16, "int8")
    );
    assert!(dense.snr_db.unwrap() < 10.2, "{dense:?}");
    summary.set_stored_bytes([("dense.weights", 9), ("another", 1)]);
    assert_eq!(summary.before().bytes, 72);
    assert_eq!(summary.after().bytes, 2 + 9);
    let text = summary.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "conv.filter    2 weights, 0.0 % zero, 2 -> 1 values, 8 -> 2 bytes of int8, nothing lost"
    );
    assert!(
        lines[1].starts_with("dense.weights  16 weights, 50.0 % zero, 11 -> ")
            && lines[1].ends_with(" dB"),
        "{text}"
    );
    assert_eq!(
        lines[2],
        "all            18 weights, 44.4 % zero, 72 -> 11 bytes (15.3 %)"
    );
}

#[test]
fn channels_that_are_gone_are_counted() {
    let graph = graph();
    let pruning = ChannelPruning {
        share: 0.5,
        layers: "*",
    };
    let (pruned, _) = prune_channels(&graph, &pruning).unwrap();
    let summary = summary::of_graph(&graph, &pruned).unwrap();
    assert_eq!(
        (summary.before().elements, summary.after().elements),
        (18, 9)
    );
    assert!(summary.tensors.iter().all(|tensor| tensor.snr_db.is_none()));
    let text = summary.to_string();
    assert!(
        text.starts_with("conv.filter    2 -> 1 weights, "),
        "{text}"
    );
    assert!(!text.contains("nothing lost"), "{text}");
}

#[test]
fn another_graph_is_refused() {
    let other = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let error = summary::of_graph(&graph(), &other).unwrap_err();
    assert!(matches!(error, CompressError::OtherGraph { .. }), "{error}");
}

proptest! {
    /// Nothing done is nothing lost, and every number of a summary is finite, so that it can be written.
    #[test]
    fn summaries_of_random_graphs(seed: u64) {
        let graph = random::graph(seed, 8)?;
        let same = summary::of_graph(&graph, &graph)?;
        prop_assert!(same.tensors.iter().all(|tensor| tensor.before == tensor.after && tensor.snr_db.is_none()));
        let half = Variant::Float16.apply(&graph, None).unwrap();
        let summary = summary::of_quantized(&graph, &half)?;
        prop_assert_eq!(summary.before().bytes, 2 * summary.after().bytes);
        prop_assert!(summary.tensors.iter().all(|tensor| tensor.snr_db.is_none_or(|snr| snr.is_finite() && snr > 60.0)));
        let json = serde_json::to_string(&summary).unwrap();
        prop_assert_eq!(serde_json::from_str::<Summary>(&json).unwrap().tensors.len(), summary.tensors.len());
    }
}
