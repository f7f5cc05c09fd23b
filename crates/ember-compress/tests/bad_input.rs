//! What cannot be compressed is one error each, that says where, what was expected and what to do.

use ember_compress::calibrate::calibrate;
use ember_compress::cluster::{Clustering, cluster, cluster_graph};
use ember_compress::debug::debug;
use ember_compress::prune::{ChannelPruning, Pruning, Schedule, mask, prune, prune_channels};
use ember_compress::scheme::Granularity;
use ember_compress::{CompressError, Recipe, Variant, optimize, quantize, summary};
use ember_data::Split;
use ember_graph::{Graph, text};

fn graph() -> Graph {
    text::parse(
        "graph tiny
        input image [1,2,2,1]
        constant conv.filter [2,1,1,1] = 1 5
        constant conv.bias [2] = 0.5 -1
        constant dense.weights [2,8] = 1 -2 3 -4 5 -6 7 -8 4 4 0 2 2 2 2 2
        constant dense.bias [2] = 0 0
        conv = conv_2d(image, conv.filter, conv.bias) padding=valid activation=relu
        flat [1,8] = reshape(conv)
        dense = fully_connected(flat, dense.weights, dense.bias)
        output dense",
    )
    .unwrap()
}

fn images(pixels: &[u8]) -> Split {
    Split::new(pixels.to_vec(), vec![0_u8; pixels.len() / 4], 2, 2).unwrap()
}

fn good_images() -> Split {
    images(&[0, 50, 100, 255, 9, 8, 7, 6])
}

/// One line that holds all of `expected`.
#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, CompressError>, expected: &[&str]) {
    let error = result.unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    for part in expected {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
}

#[test]
fn a_recipe_that_names_nothing() {
    let calibration = calibrate(&graph(), &good_images(), 2, 0).unwrap();
    let by = |recipe: &str| {
        let recipe = Recipe::parse(recipe).unwrap();
        ember_compress::quantize_by(&graph(), Some(&calibration), &recipe)
    };
    says(
        by("[[rule]]\ntensor = \"dence\"\nweights = \"int4\""),
        &[
            "rule 1 of the recipe (tensor = \"dence\") matches nothing of \"tiny\"",
            "conv (conv_2d), dense (fully_connected)",
        ],
    );
    says(
        by("[[rule]]\nop = \"softmax\"\nactivations = \"int16\""),
        &["(op = \"softmax\") matches nothing"],
    );
    says(
        by("[[rule]]\nop = \"fully_connected\"\ntensor = \"conv\"\nweights = \"int4\""),
        &["(op = \"fully_connected\", tensor = \"conv\") matches nothing"],
    );
    says(
        by("[[rule]]\nweights = \"int4\""),
        &["says neither op nor tensor"],
    );
    // The recipe is read before the images are.
    let recipe = Recipe::parse("[[rule]]\nop = \"softmax\"\nactivations = \"int16\"").unwrap();
    says(
        recipe.calibrate(&graph(), &images(&[]), 0, 0),
        &["matches nothing"],
    );
}

#[test]
fn a_pattern_that_names_no_weights() {
    let expected = ["\"dence*\" matches no", "\"tiny\""];
    says(prune(&graph(), &Pruning::TWO_OF_FOUR, "dence*"), &expected);
    says(
        cluster_graph(&graph(), &Clustering::default(), "dence*"),
        &expected,
    );
    let channels = ChannelPruning {
        share: 0.5,
        layers: "dence*",
    };
    says(prune_channels(&graph(), &channels), &expected);
}

#[test]
fn a_calibration_set_that_says_nothing() {
    let calibrate = |pixels: &[u8], count| calibrate(&graph(), &images(pixels), count, 0);
    for (pixels, count) in [(&[][..], 200), (&[1, 2, 3, 4][..], 0)] {
        says(
            calibrate(pixels, count),
            &["at least one sample", "representative dataset"],
        );
    }
    for pixels in [&[7; 4][..], &[7; 16], &[1, 2, 3, 4, 1, 2, 3, 4]] {
        says(
            calibrate(pixels, 200),
            &["are constant", "\"image\"", "different images"],
        );
    }
    let quantized = quantize(
        &graph(),
        &calibrate(&[0, 50, 100, 255, 9, 8, 7, 6], 2).unwrap(),
    );
    says(
        debug(&graph(), &quantized.unwrap(), &images(&[]), 200, 0),
        &["at least one sample"],
    );
}

#[test]
fn weights_that_are_no_numbers() {
    for (number, shown) in [
        (f32::NAN, "NaN"),
        (f32::INFINITY, "inf"),
        (f32::NEG_INFINITY, "-inf"),
    ] {
        let good = graph();
        let mut broken = graph();
        let id = broken.find("dense.weights").unwrap();
        let mut numbers = broken.constant(id).unwrap().to_vec();
        numbers[3] = number;
        broken.set_constant(id, numbers.clone()).unwrap();
        let graph = &broken;
        let calibration = calibrate(&good, &good_images(), 2, 0).unwrap();
        let quantized = quantize(&good, &calibration).unwrap();
        let place = format!("the constant \"dense.weights\" holds {shown} at position 3");
        let expected = [place.as_str(), "weights must be finite"];
        let channels = ChannelPruning {
            share: 0.5,
            layers: "*",
        };
        says(optimize(graph), &expected);
        says(quantize(graph, &calibration), &expected);
        says(Variant::Float16.apply(graph, None), &expected);
        says(prune(graph, &Pruning::TWO_OF_FOUR, "*"), &expected);
        says(prune_channels(graph, &channels), &expected);
        says(cluster_graph(graph, &Clustering::default(), "*"), &expected);
        says(debug(graph, &quantized, &good_images(), 2, 0), &expected);
        says(summary::of_graph(graph, &good), &expected);
        let place = format!("weight 3 is {shown}");
        let half = Pruning::Unstructured { sparsity: 0.5 };
        says(
            mask(&numbers, &[2, 8], &half),
            &[&place, "weights must be finite"],
        );
        says(
            cluster(&numbers, &Clustering::default()),
            &[&place, "weights must be finite"],
        );
    }
}

#[test]
fn more_clusters_than_weights() {
    let clustering = |clusters, per| Clustering {
        clusters,
        per,
        ..Clustering::default()
    };
    let tensor = clustering(3, Granularity::Tensor);
    says(
        cluster_graph(&graph(), &tensor, "*"),
        &[
            "\"conv.filter\": 2 weights in 3 clusters",
            "not more than weights",
        ],
    );
    assert!(cluster_graph(&graph(), &tensor, "dense*").is_ok());
    let channel = clustering(9, Granularity::Channel);
    says(
        cluster_graph(&graph(), &channel, "dense*"),
        &["\"dense.weights\": 8 weights in 9 clusters"],
    );
    for clusters in [0, 1, 257] {
        let clustering = clustering(clusters, Granularity::Tensor);
        says(
            cluster_graph(&graph(), &clustering, "dense*"),
            &[
                "\"dense.weights\"",
                &format!("{clusters} clusters"),
                "2 to 256",
            ],
        );
    }
}

#[test]
fn a_sparsity_that_is_no_share() {
    for sparsity in [-0.01, 1.01, 80.0, f64::NAN, f64::INFINITY] {
        let expected = [
            &*format!("a sparsity of {sparsity}"),
            "from 0 (nothing is pruned) to 1",
        ];
        let block = Pruning::Block {
            rows: 1,
            columns: 2,
            sparsity,
        };
        for pruning in [Pruning::Unstructured { sparsity }, block] {
            says(prune(&graph(), &pruning, "*"), &expected);
        }
        let channels = ChannelPruning {
            share: sparsity,
            layers: "*",
        };
        says(prune_channels(&graph(), &channels), &expected);
        let schedule = Schedule::Constant {
            sparsity,
            begin: 0,
            frequency: 1,
        };
        says(schedule.check(), &expected);
    }
    for sparsity in [0.0, 1.0] {
        assert!(prune(&graph(), &Pruning::Unstructured { sparsity }, "*").is_ok());
    }
}

#[test]
fn a_model_that_is_already_quantized() {
    let calibration = calibrate(&graph(), &good_images(), 2, 0).unwrap();
    let float_end = "[[rule]]\ntensor = \"dense\"\nactivations = \"float\"\nweights = \"float\"";
    let mixed = Recipe::parse(float_end).unwrap();
    let mixed = ember_compress::quantize_by(&graph(), Some(&calibration), &mixed).unwrap();
    let again = mixed.dequantize();
    says(
        quantize(&again, &calibration),
        &[
            "\"tiny\" is already quantized",
            "start from the float model",
        ],
    );
}
