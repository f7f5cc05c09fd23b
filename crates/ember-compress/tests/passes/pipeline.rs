//! What holds for every pass and for all together.

use std::collections::BTreeSet;
use std::path::Path;

use ember_compress::CompressError;
use ember_compress::passes::{PIPELINE, Pass, Patch, optimize, run};
use ember_graph::eval::{evaluate, evaluate_observed};
use ember_graph::{Graph, Op, random, text};
use proptest::prelude::*;

proptest! {
    /// Passes move work, they do not change it: every output keeps its bits.
    #[test]
    fn the_optimized_graph_computes_the_same(seed: u64) {
        let graph = random::graph(seed, 14)?;
        let (optimized, changes) = optimize(&graph)?;
        prop_assert_eq!(changes.is_empty(), optimized == graph);
        prop_assert!(optimized.nodes.len() <= graph.nodes.len());
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let images = random::Random::new(seed ^ 1).numbers(3 * one);
        let bits = |graph: &Graph| -> Result<Vec<u32>, TestCaseError> {
            let outputs = evaluate(graph, 3, &[&images])?;
            Ok(outputs.concat().iter().map(|number| (number + 0.0).to_bits()).collect())
        };
        prop_assert_eq!(bits(&graph)?, bits(&optimized)?);
    }

    /// Folding rounds otherwise than computing: what is left is float rounding, relative to the numbers on the way.
    #[test]
    fn folded_graphs_compute_the_same_within_rounding(seed: u64) {
        let graph = random::unoptimized(seed, 12)?;
        let (optimized, _) = optimize(&graph)?;
        for node in &optimized.nodes {
            let gone = matches!(node.op, Op::BatchNorm { .. });
            prop_assert!(!gone, "{}", optimized.values[node.output.index()].name);
        }
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let images = random::Random::new(seed ^ 1).numbers(3 * one);
        let mut reach = 1.0_f32;
        let expected = evaluate_observed(&graph, 3, &[&images], |_, numbers| {
            reach = numbers.iter().fold(reach, |reach, number| reach.max(number.abs()));
        })?;
        let found = evaluate(&optimized, 3, &[&images])?;
        for (found, expected) in found.concat().iter().zip(expected.concat()) {
            prop_assert!((found - expected).abs() <= 1e-5 * reach, "{} {} {}", found, expected, reach);
        }
    }

    #[test]
    fn a_second_run_finds_nothing(seed: u64) {
        let (optimized, _) = optimize(&random::unoptimized(seed, 14)?)?;
        let (_, changes) = optimize(&optimized)?;
        prop_assert_eq!(changes, []);
    }
}

#[test]
fn every_pass_applies_to_some_random_graph() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let (_, changes) = optimize(&random::unoptimized(seed, 14).unwrap()).unwrap();
        seen.extend(changes.iter().map(|change| change.pass));
    }
    let all: BTreeSet<&str> = PIPELINE.iter().map(|pass| pass.name()).collect();
    assert_eq!(seen, all);
}

/// What a node reads, and it: `batch_norm of conv_2d`.
fn chains(graph: &Graph) -> BTreeSet<String> {
    let chain = |node: &ember_graph::Node| {
        let operands = node.inputs.iter().filter_map(|id| graph.producer(*id));
        let names: Vec<&str> = operands.map(|producer| producer.op.name()).collect();
        match names[..] {
            [] => None,
            // Both are worked out on the way, and they are two.
            [_, _] if node.inputs[0] != node.inputs[1] => {
                Some(format!("{} of two", node.op.name()))
            }
            [name, ..] => Some(format!("{} of {name}", node.op.name())),
        }
    };
    graph.nodes.iter().filter_map(chain).collect()
}

#[test]
fn random_graphs_have_all_that_the_passes_are_about() {
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..200 {
        for chain in chains(&random::unoptimized(seed, 12).unwrap()) {
            *seen.entry(chain).or_insert(0) += 1;
        }
    }
    for chain in [
        "batch_norm of conv_2d",
        "batch_norm of depthwise_conv_2d",
        "batch_norm of fully_connected",
        "batch_norm of add",
        "relu of batch_norm",
        "relu of add",
        "conv_2d of pad",
        "depthwise_conv_2d of pad",
        "reshape of reshape",
        "fully_connected of reshape",
        "add of two",
        "dequantize of quantize",
    ] {
        let count = seen.get(chain).copied().unwrap_or(0);
        assert!(count >= 5, "{chain} is in {count} of 200 graphs: {seen:#?}");
    }
}

#[test]
fn every_pass_has_its_file_and_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for pass in PIPELINE {
        let name = pass.name();
        assert!(names.insert(name), "{name} is listed twice");
        for folder in ["src/passes", "tests/passes"] {
            let file = root.join(folder).join(format!("{name}.rs"));
            assert!(file.is_file(), "{} is missing", file.display());
        }
    }
}

struct Broken;

impl Pass for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        Some(Patch::new("removes what is used".to_owned()).remove(graph.nodes[0].output))
    }
}

struct Endless;

impl Pass for Endless {
    fn name(&self) -> &'static str {
        "endless"
    }

    fn find(&self, _: &Graph) -> Option<Patch> {
        Some(Patch::new("nothing".to_owned()))
    }
}

#[test]
fn a_faulty_pass_is_named() {
    let graph = text::parse("graph g\ninput x [1,2]\na = relu(x)\nb = relu(a)\noutput b").unwrap();
    let error = run(&graph, &[&Broken]).unwrap_err();
    assert!(
        matches!(error, CompressError::Pass { pass: "broken", .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with("the pass broken made an invalid graph: "),
        "{error}"
    );
    let error = run(&graph, &[&Endless]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the pass endless did not come to an end after 12 changes"
    );
}
