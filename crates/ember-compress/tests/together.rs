//! Pruned, then clustered, then quantized: each property is still there at the end.

use std::collections::BTreeSet;

use ember_compress::cluster::{Clustering, Start, cluster_graph};
use ember_compress::prune::{Pruning, prune};
use ember_compress::scheme::Granularity;
use ember_compress::{Calibrator, Recipe, Variant, constant_bytes, describe, quantize_by};
use ember_graph::random::Random;
use ember_graph::{Elements, Graph, QuantizedGraph, QuantizedSource, text};
use proptest::prelude::*;

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

/// The integers of a layer's weights by channel, and what stands for 0.
fn integers(graph: &QuantizedGraph, name: &str) -> (Vec<Vec<i8>>, i32) {
    let value = graph
        .values()
        .iter()
        .find(|value| value.name == name)
        .unwrap();
    let QuantizedSource::Constant(
        Elements::Int8(numbers) | Elements::Int4(numbers) | Elements::Int2(numbers),
    ) = &value.source
    else {
        panic!("{name} is no constant of integers");
    };
    let axis = if name == "d" { 3 } else { 0 };
    let channels = value.shape[axis];
    let inner: usize = value.shape[axis + 1..].iter().product();
    let mut of_channel = vec![Vec::new(); channels];
    for (position, number) in numbers.iter().enumerate() {
        of_channel[position / inner % channels].push(*number);
    }
    (of_channel, value.quantization.zero_point())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// However it is pruned, clustered and rounded: what was 0 is exactly what stands for 0, and no more different integers
    /// share a scale than there are values.
    #[test]
    fn every_zero_stays_and_no_value_is_added(
        (seed, sparsity, clusters) in (any::<u64>(), 0.0..=1.0, 2_usize..=16),
        start in prop::sample::select(vec![Start::KmeansPlusPlus, Start::Linear, Start::Density, Start::Random]),
        values_per in prop::sample::select(vec![Granularity::Tensor, Granularity::Channel]),
        scale_per in prop::sample::select(vec!["tensor", "channel"]),
        weights in prop::sample::select(vec!["int8", "int4", "int2"]),
        clip in prop::sample::select(vec!["min-max", "percentile:99", "mse", "octav"]),
        two_of_four: bool,
    ) {
        let mut graph = graph();
        let mut random = Random::new(seed);
        for name in ["f", "d", "w"] {
            let id = graph.find(name).unwrap();
            let count = graph.constant(id).unwrap().len();
            graph.set_constant(id, random.numbers(count)).unwrap();
        }
        let pruning = if two_of_four { Pruning::TWO_OF_FOUR } else { Pruning::Unstructured { sparsity } };
        let (pruned, _) = prune(&graph, &pruning, "*").unwrap();
        // Channels of the depthwise filter have 9 weights.
        let clusters = clusters.min(if values_per == Granularity::Channel { 9 } else { 16 });
        let clustering = Clustering { clusters, start, per: values_per, keep_zeros: true, seed };
        let (clustered, _) = cluster_graph(&pruned, &clustering, "*").unwrap();
        let recipe = format!("[[rule]]\nop = \"*\"\nweights = \"{weights}\"\nper = \"{scale_per}\"\nclip = \"{clip}\"");
        let recipe = Recipe::parse(&recipe).unwrap();
        let mut calibrator = Calibrator::new(&clustered);
        calibrator.observe(8, &[&Random::new(seed).numbers(8 * 128)]).unwrap();
        let quantized = quantize_by(&clustered, Some(&calibrator.finish().unwrap()), &recipe).unwrap();
        for name in ["f", "d", "w"] {
            let id = pruned.find(name).unwrap();
            let trained = pruned.constant(id).unwrap();
            let (of_channel, zero_point) = integers(&quantized, name);
            prop_assert_eq!(zero_point, 0);
            // The depthwise filter has its channels last, the others first.
            let channels = of_channel.len();
            for (position, number) in trained.iter().enumerate() {
                let (channel, at) = match name {
                    "d" => (position % channels, position / channels),
                    _ => (position / (trained.len() / channels), position % (trained.len() / channels)),
                };
                if *number == 0.0 {
                    prop_assert_eq!(of_channel[channel][at], 0, "{} {}", name, position);
                }
            }
            let different = |numbers: &[i8]| numbers.iter().collect::<BTreeSet<_>>().len();
            for numbers in &of_channel {
                prop_assert!(different(numbers) <= clusters, "{} {:?}", name, numbers);
            }
            if values_per == Granularity::Tensor && scale_per == "tensor" {
                prop_assert!(different(&of_channel.concat()) <= clusters, "{}", name);
            }
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
