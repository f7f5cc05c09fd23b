//! The verifier and shape inference: random graphs pass, and each rule has a graph that breaks it.

use ember_core::{Activation, Padding};
use ember_graph::shape::{infer, window_positions};
use ember_graph::{Graph, GraphBuilder, Op, Source, Window, random, text, verify};
use proptest::prelude::*;

proptest! {
    #[test]
    fn random_graphs_pass(seed: u64) {
        verify(&random::graph(seed, 12)?)?;
        verify(&random::unoptimized(seed, 12)?)?;
    }

    /// A window position counts when its taps can be placed: count them one by one.
    #[test]
    fn positions_are_what_counting_gives(extent in 1_usize..40, size in 1_usize..6, stride in 1_usize..5, dilation in 1_usize..4) {
        let reach = (size - 1) * dilation + 1;
        let counted = (0..extent).step_by(stride).filter(|start| start + reach <= extent).count();
        match window_positions(extent, size, stride, dilation, Padding::Valid) {
            Ok(positions) => prop_assert_eq!(positions, counted),
            Err(_) => prop_assert_eq!(counted, 0),
        }
        let same = window_positions(extent, size, stride, dilation, Padding::Same)?;
        prop_assert_eq!(same, (0..extent).step_by(stride).count());
    }

    /// Attributes from a file can be anything.
    #[test]
    fn inference_never_panics(shapes in prop::collection::vec(prop::collection::vec(any::<usize>(), 0..5), 0..4), a: usize, b: usize, same: bool) {
        let padding = if same { Padding::Same } else { Padding::Valid };
        let window = Window { stride: [a, b], dilation: [b, a], padding };
        let activation = Activation::Relu;
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        for op in [
            Op::Conv2d { window, activation },
            Op::DepthwiseConv2d { window, activation },
            Op::FullyConnected { activation },
            Op::MaxPool2d { size: [a, b], window: Window { dilation: [1, 1], ..window } },
            Op::AveragePool2d { size: [b, a], window },
            Op::Add { activation },
            Op::Reshape { shape: vec![a, b] },
            Op::Relu,
            Op::Softmax { beta: 1.0 },
        ] {
            let _ = infer(&op, &shapes);
        }
    }
}

fn sample() -> Graph {
    text::parse(
        "graph tiny
        input x [1,2]
        constant weights [2,2] = 1 2 3 4
        constant bias [2] = 0 1
        dense = fully_connected(x, weights, bias)
        relu = relu(dense)
        output relu",
    )
    .unwrap()
}

#[test]
fn each_rule_has_a_graph_that_breaks_it() {
    type Break = fn(&mut Graph);
    let rules: [(&str, Break); 17] = [
        ("the name \"a b\" cannot", |g| {
            g.values[0].name = "a b".into()
        }),
        ("the name \"\" cannot", |g| g.name.clear()),
        ("two values are named \"x\"", |g| {
            g.values[1].name = "x".into()
        }),
        ("\"x\" has the shape [1, 0]", |g| g.values[0].shape[1] = 0),
        ("\"bias\" of shape [3] needs 3 numbers and has 2", |g| {
            g.values[2].shape[0] = 3
        }),
        ("\"bias\" holds inf at position 1", |g| {
            g.values[2].source = Source::Constant(vec![0.0, f32::INFINITY]);
        }),
        ("\"x\" is an input, and is not listed", |g| g.inputs.clear()),
        ("\"x\" is listed twice", |g| g.inputs.push(g.inputs[0])),
        ("\"dense\" is listed, and is not an input", |g| {
            g.inputs.push(g.nodes[0].output)
        }),
        ("must be 1 in a stored graph", |g| g.values[0].shape[0] = 2),
        (
            "\"dense\" uses \"relu\", which does not stand before it",
            |g| {
                g.nodes[0].inputs[0] = g.nodes[1].output;
            },
        ),
        (
            "\"relu\" uses \"dense\", which does not stand before it",
            |g| g.nodes.swap(0, 1),
        ),
        (
            "the weights \"dense\" of \"relu\" must be a constant",
            |g| {
                let operands = vec![g.nodes[0].output, g.nodes[0].output, g.nodes[0].inputs[2]];
                g.nodes[1].inputs = operands;
                g.nodes[1].op = Op::FullyConnected {
                    activation: Activation::None,
                };
                // One row per unit, so that only the rule about constants is broken.
                g.values[0].shape = vec![1, 2];
                g.values[3].shape = vec![1, 2];
                g.values[2].shape = vec![1];
                g.values[2].source = Source::Constant(vec![0.0]);
                g.values[1].shape = vec![1, 2];
                g.values[1].source = Source::Constant(vec![0.0, 0.0]);
                g.values[3].shape = vec![1, 1];
                g.values[4].shape = vec![1, 1];
            },
        ),
        (
            "\"relu\" is stored with the shape [1, 3], but its relu makes [1, 2]",
            |g| {
                g.values[4].shape[1] = 3;
            },
        ),
        ("\"dense\" is made by 0 nodes, expected 1", |g| {
            g.nodes.remove(0);
            g.nodes[0].inputs[0] = g.inputs[0];
        }),
        ("has no output", |g| g.outputs.clear()),
        (
            "refers to value number 4, and the graph has 4 values",
            |g| {
                g.values.pop();
                g.nodes.pop();
            },
        ),
    ];
    for (expected, damage) in rules {
        let mut graph = sample();
        damage(&mut graph);
        let error = verify(&graph).expect_err(expected).to_string();
        assert!(
            error.contains(expected),
            "expected {expected:?}, got {error:?}"
        );
    }
}

#[test]
fn names_are_made_unique() {
    let mut builder = GraphBuilder::new("g");
    let x = builder.input("x", &[1, 6, 6, 2]).unwrap();
    let window = Window::same(2);
    let a = builder
        .conv_2d(x, 3, [3, 3], window, Activation::Relu)
        .unwrap();
    let b = builder
        .conv_2d(a, 4, [1, 1], window, Activation::None)
        .unwrap();
    let c = builder
        .depthwise_conv_2d(b, 2, [2, 2], window, Activation::None)
        .unwrap();
    let graph = builder.finish(&[c]).unwrap();
    let names: Vec<&str> = graph
        .values
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "x",
            "conv.filter",
            "conv.bias",
            "conv",
            "conv_1.filter",
            "conv_1.bias",
            "conv_1",
            "depthwise.filter",
            "depthwise.bias",
            "depthwise"
        ]
    );
    assert_eq!(graph.values[c.index()].shape, [1, 1, 1, 8]);
    assert_eq!(graph.parameter_count(), 54 + 3 + 12 + 4 + 32 + 8);
}

#[test]
fn a_layer_that_does_not_fit_is_named() {
    let mut builder = GraphBuilder::new("g");
    let x = builder.input("x", &[1, 2, 2, 1]).unwrap();
    let error = builder
        .conv_2d(x, 3, [3, 3], Window::valid(1), Activation::None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv_2d \"conv\": a window of 3 (dilation included) does not fit an extent of 2 without padding"
    );
}

#[test]
fn constants_can_be_replaced_by_as_many_numbers() {
    let mut graph = sample();
    let bias = graph.find("bias").unwrap();
    graph.set_constant(bias, vec![5.0, 6.0]).unwrap();
    assert_eq!(graph.constant(bias), Some(&[5.0, 6.0][..]));
    assert!(
        graph
            .set_constant(bias, vec![1.0])
            .unwrap_err()
            .to_string()
            .contains("needs 2 numbers and has 1")
    );
    let x = graph.find("x").unwrap();
    assert!(
        graph
            .set_constant(x, vec![])
            .unwrap_err()
            .to_string()
            .contains("\"x\" is not a constant")
    );
}

#[test]
fn random_graphs_have_everything() {
    let graphs: Vec<Graph> = (0..300)
        .map(|seed| random::graph(seed, 10).unwrap())
        .collect();
    let nodes = || graphs.iter().flat_map(|graph| &graph.nodes);
    let operators: std::collections::BTreeSet<&str> = nodes().map(|node| node.op.name()).collect();
    assert_eq!(operators.len(), 10, "{operators:?}");
    let activations = [
        Activation::None,
        Activation::Relu,
        Activation::ReluN1To1,
        Activation::Relu6,
    ];
    for activation in activations {
        assert!(nodes().any(|node| node.op.activation() == Some(activation)));
    }
    let dilated = |node: &ember_graph::Node| matches!(&node.op, Op::Conv2d { window, .. } if window.dilation != [1, 1]);
    assert!(nodes().any(dilated));
    assert_eq!(random::graph(3, 10).unwrap(), graphs[3]);
}

#[test]
fn unoptimized_random_graphs_have_what_only_float_graphs_have() {
    let graphs: Vec<Graph> = (0..100)
        .map(|seed| random::unoptimized(seed, 10).unwrap())
        .collect();
    let nodes = graphs.iter().flat_map(|graph| &graph.nodes);
    let names: std::collections::BTreeSet<&str> = nodes.map(|node| node.op.name()).collect();
    for op in [
        "batch_norm",
        "pad",
        "quantize",
        "dequantize",
        "conv_2d",
        "add",
    ] {
        assert!(names.contains(op), "{op}");
    }
}

#[test]
fn batch_norms_and_paddings_are_checked() {
    let norm = |gamma: &str, variance: &str, attributes: &str| {
        let text = format!(
            "graph g
            input x [1,3,2]
            constant gamma {gamma}
            constant beta [2] = fill 0
            constant mean [2] = fill 0
            constant variance [2] = {variance}
            y = batch_norm(x, gamma, beta, mean, variance) {attributes}
            output y"
        );
        text::parse(&text).map_err(|error| error.to_string())
    };
    assert!(norm("[2] = fill 1", "1 0", "").is_ok());
    for (found, expected) in [
        (
            norm("[2] = fill 1", "1 -2", ""),
            "\"variance\" holds -2 at position 1",
        ),
        (
            norm("[3] = fill 1", "1 1", ""),
            "the length of gamma, beta, mean and variance must be 2, got 3",
        ),
        (norm("[2] = fill 1", "1 1", "epsilon=0"), "epsilon is 0"),
    ] {
        let error = found.unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let padded = |shape: &str, before: &str| {
        let text = format!("graph g\ninput x {shape}\ny = pad(x) before={before}\noutput y");
        text::parse(&text).map_err(|error| error.to_string())
    };
    assert_eq!(
        padded("[1,2,2,1]", "[1,0]").unwrap().values[1].shape,
        [1, 3, 2, 1]
    );
    assert!(
        padded("[1,4]", "[1,0]")
            .unwrap_err()
            .contains("4 dimensions")
    );
    assert!(
        padded("[1,2,2,1]", "[99999999999999999,0]")
            .unwrap_err()
            .contains("elements")
    );
}
