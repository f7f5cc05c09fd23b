//! Clustering: few values, the nearest one for each weight, zeros kept where they are to be.

use std::collections::BTreeSet;

use ember_compress::cluster::{Clustering, Start, cluster, cluster_graph};
use ember_compress::scheme::Granularity;
use ember_graph::random::Random;
use ember_graph::text;
use proptest::prelude::*;

const STARTS: [Start; 4] = [
    Start::KmeansPlusPlus,
    Start::Linear,
    Start::Density,
    Start::Random,
];

fn any_clustering() -> impl Strategy<Value = Clustering> {
    let start = prop::sample::select(STARTS.to_vec());
    (2_usize..40, start, any::<(bool, u64)>()).prop_map(|(clusters, start, (keep_zeros, seed))| {
        Clustering {
            clusters,
            start,
            keep_zeros,
            seed,
            ..Clustering::default()
        }
    })
}

proptest! {
    #[test]
    fn each_weight_gets_the_nearest_of_few_values(mut weights in prop::collection::vec(-2.0_f32..2.0, 40..200), clustering in any_clustering()) {
        for weight in weights.iter_mut().step_by(3) {
            *weight = 0.0;
        }
        let clusters = cluster(&weights, &clustering)?;
        prop_assert!(clusters.centroids.len() <= clustering.clusters);
        prop_assert!(clusters.centroids.is_sorted());
        let used: BTreeSet<u8> = clusters.indices.iter().copied().collect();
        prop_assert_eq!(used.len(), clusters.centroids.len());
        for (weight, value) in weights.iter().zip(clusters.weights()) {
            let least = clusters.centroids.iter().map(|other| (other - weight).abs()).fold(f32::INFINITY, f32::min);
            prop_assert!((value - weight).abs() <= least + 1e-6);
            if clustering.keep_zeros && *weight == 0.0 {
                prop_assert_eq!(value, 0.0);
            }
        }
        prop_assert_eq!(cluster(&weights, &clustering)?, clusters);
    }
}

#[test]
fn groups_that_lie_apart_are_found_from_every_start() {
    let weights: Vec<f32> = [-1.0, 0.25, 3.0]
        .iter()
        .flat_map(|middle| [-0.01, 0.0, 0.01].map(|off| middle + off))
        .collect();
    for start in [Start::KmeansPlusPlus, Start::Density] {
        let clustering = Clustering {
            clusters: 3,
            start,
            ..Clustering::default()
        };
        let clusters = cluster(&weights, &clustering).unwrap();
        assert_eq!(clusters.indices, [0, 0, 0, 1, 1, 1, 2, 2, 2], "{start:?}");
        for (found, expected) in clusters.centroids.iter().zip([-1.0, 0.25, 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{start:?} {found}");
        }
    }
}

#[test]
fn as_many_values_as_weights_change_nothing() {
    let weights: Vec<f32> = (0..16).map(|i| (i * i) as f32).collect();
    let clusters = cluster(&weights, &Clustering::default()).unwrap();
    assert_eq!(clusters.weights(), weights);
    let alike = cluster(&[0.5; 20], &Clustering::default()).unwrap();
    assert_eq!((alike.centroids, alike.indices), (vec![0.5], vec![0; 20]));
    let zeros = Clustering {
        keep_zeros: true,
        ..Clustering::default()
    };
    assert_eq!(cluster(&[0.0; 20], &zeros).unwrap().weights(), [0.0; 20]);
}

/// The first start of k-means is the best of the four on weights that are distributed as trained ones are.
#[test]
fn sixteen_values_hold_nearly_all_of_a_normal_distribution() {
    let mut random = Random::new(3);
    let weights: Vec<f32> = (0..5000)
        .map(|_| (0..12).map(|_| random.signed_unit() * 0.5).sum())
        .collect();
    for start in STARTS {
        let clustering = Clustering {
            start,
            ..Clustering::default()
        };
        let clusters = cluster(&weights, &clustering).unwrap();
        let squares = weights
            .iter()
            .zip(clusters.weights())
            .map(|(a, b)| (a - b) * (a - b));
        let error = squares.sum::<f32>() / 5000.0;
        // 0.0095 is what the best 16 levels of a normal distribution cost (Max, "Quantizing for minimum distortion", 1960).
        assert!((0.008..0.0125).contains(&error), "{start:?} {error}");
    }
}

/// The mean square of what clustering changes, over several seeds.
fn mean_error(weights: &[f32], start: Start, clusters: usize) -> f64 {
    let seeds = 0..8;
    let each = seeds.clone().map(|seed| {
        let clustering = Clustering {
            clusters,
            start,
            seed,
            ..Clustering::default()
        };
        let found = cluster(weights, &clustering).unwrap().weights();
        let squares = weights
            .iter()
            .zip(found)
            .map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum::<f64>() / weights.len() as f64
    });
    each.sum::<f64>() / seeds.count() as f64
}

/// Weights of which most lie close together, far from the others.
fn skewed() -> Vec<f32> {
    let mut random = Random::new(17);
    let weights = (0..4000).map(|position| {
        let unit = random.signed_unit();
        if position % 10 == 0 {
            0.95 + unit * 0.05
        } else {
            unit * 0.05
        }
    });
    weights.collect()
}

#[test]
fn each_start_is_good_at_what_it_is_for() {
    // Values anywhere in the range of skewed weights lie where no weight is, those at equal shares do not.
    let weights = skewed();
    let error = |start| mean_error(&weights, start, 32);
    let random = error(Start::Random);
    for start in [Start::KmeansPlusPlus, Start::Density] {
        assert!(
            error(start) < 0.8 * random,
            "{start:?} {} {random}",
            error(start)
        );
    }
    // Values at equal distances are the best there are of weights that are spread evenly.
    let even: Vec<f32> = (0..3200).map(|i| i as f32 / 3200.0).collect();
    let best = (1.0_f64 / 16.0).powi(2) / 12.0;
    let linear = mean_error(&even, Start::Linear, 16);
    assert!((linear / best - 1.0).abs() < 0.02, "{linear} {best}");
    assert!(linear < mean_error(&even, Start::Random, 16));
    // Groups that lie apart: k-means++ begins in each of them, anywhere does not.
    let mut groups = Vec::new();
    for group in 0..12 {
        let middle = (1.6_f32).powi(group);
        groups.extend((0..50).map(|i| middle + 0.001 * (i - 25) as f32));
    }
    let error = |start| mean_error(&groups, start, 12);
    assert!(
        error(Start::KmeansPlusPlus) < 0.2 * error(Start::Random),
        "{} {}",
        error(Start::KmeansPlusPlus),
        error(Start::Random)
    );
}

#[test]
fn what_is_drawn_depends_on_the_seed_alone() {
    let weights = skewed();
    for start in STARTS {
        let of_seed = |seed| {
            let clustering = Clustering {
                start,
                seed,
                ..Clustering::default()
            };
            cluster(&weights, &clustering).unwrap()
        };
        for seed in 0..4 {
            assert_eq!(of_seed(seed), of_seed(seed));
        }
        let drawn = matches!(start, Start::KmeansPlusPlus | Start::Random);
        assert_eq!(of_seed(0) != of_seed(1), drawn, "{start:?}");
    }
}

#[test]
fn from_2_to_256_values_more_are_better() {
    let weights = skewed();
    let mut last = f64::INFINITY;
    for clusters in [2, 3, 8, 16, 64, 255, 256] {
        let clustering = Clustering {
            clusters,
            ..Clustering::default()
        };
        let found = cluster(&weights, &clustering).unwrap();
        assert_eq!(found.centroids.len(), clusters);
        let error = mean_error(&weights, Start::KmeansPlusPlus, clusters);
        assert!(error < last, "{clusters}: {error}, fewer: {last}");
        last = error;
    }
}

#[test]
fn a_number_of_clusters_that_makes_no_sense_is_refused() {
    for (clusters, count) in [(1, 10), (257, 1000), (11, 10)] {
        let clustering = Clustering {
            clusters,
            ..Clustering::default()
        };
        let weights: Vec<f32> = (0..count).map(|i| i as f32).collect();
        let error = cluster(&weights, &clustering).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{count} weights in {clusters} clusters")),
            "{error}"
        );
    }
}

#[test]
fn a_graph_is_clustered_per_tensor_or_per_channel() {
    let graph = text::parse(
        "graph g
        input x [1,4]
        constant w [2,4] = 1 1.1 2 2.1 10 11 20 21
        constant b [2] = 0.1 0.2
        y = fully_connected(x, w, b)
        output y",
    )
    .unwrap();
    let clustered = |per| {
        let clustering = Clustering {
            clusters: 2,
            start: Start::Linear,
            per,
            ..Clustering::default()
        };
        let (graph, done) = cluster_graph(&graph, &clustering, "*").unwrap();
        assert_eq!((done[0].clusters, done[0].weights), (2, 8));
        assert_eq!(
            graph.constant(graph.find("b").unwrap()).unwrap(),
            [0.1, 0.2]
        );
        graph.constant(graph.find("w").unwrap()).unwrap().to_vec()
    };
    assert_eq!(
        clustered(Granularity::Channel),
        [1.05, 1.05, 2.05, 2.05, 10.5, 10.5, 20.5, 20.5]
    );
    let tensor = clustered(Granularity::Tensor);
    assert_eq!(tensor[6..], [20.5, 20.5]);
    assert!(
        tensor[..6].iter().all(|weight| *weight == tensor[0]),
        "{tensor:?}"
    );
}
