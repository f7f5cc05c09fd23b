//! Recipes: what each rule changes, where conversions come in, and what is refused.

use ember_compress::recipe::{Recipe, Rule};
use ember_compress::scheme::{ActivationType, Granularity, WeightType};
use ember_compress::{Calibrator, Clipping, CompressError, Variant, quantize_by};
use ember_core::Dtype;
use ember_graph::{Elements, Graph, Quantization, QuantizedGraph, QuantizedSource, text};

fn graph() -> Graph {
    text::parse(
        "graph tiny
        input image [1,4,4,1]
        constant conv.filter [2,3,3,1] = 1 2 3 4 5 6 7 8 9 -1 -2 -3 -4 -5 -6 -7 -8 -18
        constant conv.bias [2] = 0.5 -0.5
        conv = conv_2d(image, conv.filter, conv.bias) padding=valid activation=relu
        pool = max_pool_2d(conv) size=[2,2] padding=valid
        flat [1,2] = reshape(pool)
        constant dense.weights [3,2] = 1 -2 3 -4 5 -6
        constant dense.bias [3] = 0 1 2
        dense = fully_connected(flat, dense.weights, dense.bias)
        softmax = softmax(dense)
        output softmax",
    )
    .unwrap()
}

fn by(recipe: &str) -> Result<QuantizedGraph, CompressError> {
    let graph = graph();
    let numbers: Vec<f32> = (0..32).map(|i| i as f32 / 32.0).collect();
    let mut calibrator = Calibrator::new(&graph);
    calibrator.observe(2, &[&numbers])?;
    let calibration = calibrator.finish()?;
    quantize_by(&graph, Some(&calibration), &Recipe::parse(recipe)?)
}

/// Name and type of every value.
fn types(graph: &QuantizedGraph) -> Vec<(&str, Dtype)> {
    let values = graph.values().iter();
    values
        .map(|value| (value.name.as_str(), value.dtype))
        .collect()
}

#[test]
fn an_empty_recipe_is_int8() {
    let quantized = by("").unwrap();
    assert_eq!(quantized.activation_type(), Some(Dtype::Int8));
    assert_eq!(quantized.values().len(), graph().values.len());
}

#[test]
fn a_layer_in_float_gets_conversions_and_the_rest_follows_what_arrives() {
    let quantized =
        by("[[rule]]\ntensor = \"conv.filter\"\nweights = \"float\"\nactivations = \"float\"")
            .unwrap();
    assert_eq!(
        types(&quantized),
        [
            ("image", Dtype::Float32),
            ("conv.filter", Dtype::Float32),
            ("conv.bias", Dtype::Float32),
            ("conv", Dtype::Float32),
            ("pool", Dtype::Float32),
            ("flat", Dtype::Float32),
            ("flat.int8", Dtype::Int8),
            ("dense.weights", Dtype::Int8),
            ("dense.bias", Dtype::Int32),
            ("dense", Dtype::Int8),
            ("softmax", Dtype::Int8),
        ]
    );
    let last = by("[[rule]]\nop = \"softmax\"\nactivations = \"int16\"").unwrap();
    let last = types(&last);
    assert_eq!(
        last[last.len() - 2..],
        [("dense.int16", Dtype::Int16), ("softmax", Dtype::Int16)]
    );
}

#[test]
fn an_input_can_be_named() {
    let quantized = by("[[rule]]\ntensor = \"image\"\nactivations = \"float32\"").unwrap();
    assert_eq!(
        types(&quantized)[..2],
        [("image", Dtype::Float32), ("image.int8", Dtype::Int8)]
    );
}

#[test]
fn the_last_rule_that_sets_a_key_decides_it() {
    let quantized = by(
        "[[rule]]\nop = \"*\"\nweights = \"int4\"\nper = \"tensor\"\n[[rule]]\ntensor = \"dense*\"\nweights = \"int8\"",
    )
    .unwrap();
    let value = |name: &str| {
        quantized
            .values()
            .iter()
            .find(|value| value.name == name)
            .unwrap()
    };
    let filter = value("conv.filter");
    let expected = Quantization::PerTensor {
        scale: 18.0 / 7.0,
        zero_point: 0,
    };
    assert_eq!(
        (filter.dtype, &filter.quantization),
        (Dtype::Int4, &expected)
    );
    assert_eq!(
        filter.source,
        QuantizedSource::Constant(Elements::Int4(vec![
            0, 1, 1, 2, 2, 2, 3, 3, 4, 0, -1, -1, -2, -2, -2, -3, -3, -7
        ]))
    );
    // The weights' type was set again, what shares a scale was not.
    let weights = value("dense.weights");
    assert_eq!(
        (weights.dtype, weights.quantization.scales().len()),
        (Dtype::Int8, 1)
    );
}

#[test]
fn few_weights_can_be_left_alone() {
    let quantized = by("[[rule]]\nop = \"*\"\nmin_elements = 18\nweights = \"int4\"").unwrap();
    let types = types(&quantized);
    assert!(types.contains(&("conv.filter", Dtype::Int4)));
    assert!(types.contains(&("dense.weights", Dtype::Int8)));
}

#[test]
fn recipes_can_be_written_and_read_again() {
    let recipe = Recipe {
        rules: vec![
            Rule::op("*").types(WeightType::Int4, ActivationType::Int8),
            Rule {
                clip: Some(Clipping::Percentile(99.5)),
                per: Some(Granularity::Tensor),
                min_elements: Some(3),
                ..Rule::tensor("a*")
            },
        ],
        ..Recipe::default()
    };
    let text = recipe.to_toml().unwrap();
    assert!(text.contains("clip = \"percentile:99.5\""), "{text}");
    assert_eq!(Recipe::parse(&text).unwrap(), recipe);
    for variant in Variant::ALL {
        let recipe = variant.recipe();
        assert_eq!(Recipe::parse(&recipe.to_toml().unwrap()).unwrap(), recipe);
        assert_eq!(Variant::find(variant.name()), Some(*variant));
    }
}

#[test]
fn what_cannot_be_is_refused() {
    for (recipe, expected) in [
        (
            "[[rule]]\nop = \"softmax\"\nactivations = \"int8\"\n[[rule]]\ntensor = \"dens\"\nweights = \"float\"",
            "rule 2 of the recipe (tensor = \"dens\") matches nothing of \"tiny\", whose layers are conv (conv_2d), dense (fully_connected), softmax (softmax)",
        ),
        (
            "[[rule]]\nop = \"max_pool_2d\"\nactivations = \"float\"",
            "rule 1 of the recipe (op = \"max_pool_2d\") matches only pooling",
        ),
        ("[[rule]]\nweights = \"int8\"", "says neither op nor tensor"),
        ("[[rule]]\nop = \"*\"", "sets nothing"),
        (
            "[[rule]]\ntensor = \"dense\"\nweights = \"float\"",
            "\"dense\" would have float32 weights with int8 activations",
        ),
        (
            "[[rule]]\nop = \"*\"\nweights = \"int5\"",
            "unknown variant `int5`",
        ),
        (
            "[[rule]]\nop = \"*\"\nwieghts = \"int8\"",
            "unknown field `wieghts`",
        ),
        (
            "[calibration]\nclip = \"percentile:12\"",
            "there is no clipping \"percentile:12\"",
        ),
        ("rule", "not a recipe"),
    ] {
        let error = by(recipe).unwrap_err().to_string();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    }
}

#[test]
fn a_float_recipe_needs_no_calibration_and_an_integer_one_does() {
    assert!(Variant::Float16.apply(&graph(), None).is_ok());
    assert!(!Variant::DynamicRange.needs_calibration());
    let error = Variant::Int8.apply(&graph(), None).unwrap_err().to_string();
    assert!(
        error.contains("\"image\" has no calibrated range"),
        "{error}"
    );
}

#[test]
fn what_is_already_quantized_is_refused() {
    let mixed = by("[[rule]]\nop = \"softmax\"\nactivations = \"float\"").unwrap();
    let again = Variant::Float16
        .apply(&mixed.dequantize(), None)
        .unwrap_err();
    assert!(
        again
            .to_string()
            .starts_with("\"tiny\" is already quantized"),
        "{again}"
    );
}

#[test]
fn weights_that_are_not_finite_are_one_error() {
    let mut graph = graph();
    let weights = graph.find("dense.weights").unwrap();
    graph
        .set_constant(weights, vec![1.0, 2.0, f32::NAN, 3.0, 4.0, 5.0])
        .unwrap();
    let error = Variant::Float16
        .apply(&graph, None)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the constant \"dense.weights\" holds NaN at position 2"),
        "{error}"
    );
}
