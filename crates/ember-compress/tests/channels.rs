//! Whole channels of models with residual blocks: what an addition ties loses the same channels, and a model whose channels
//! had nothing in them computes what it computed.

use ember_compress::prune::{ChannelPruning, PrunedLayer, prune_channels};
use ember_compress::{optimize, summary};
use ember_core::Activation;
use ember_graph::eval::evaluate;
use ember_graph::random::Random;
use ember_graph::{Graph, GraphBuilder, GraphError, Op, Role, Window, text};
use proptest::prelude::*;

fn half(layers: &str) -> ChannelPruning<'_> {
    ChannelPruning { share: 0.5, layers }
}

#[test]
fn an_addition_ties_what_it_adds() {
    let graph = text::parse(
        "graph g
        input x [1,2,2,1]
        constant f [2,1,1,1] = 1 5
        constant fb [2] = 0.5 -1
        constant g [2,1,1,2] = 1 2 1 1
        constant gb [2] = 3 4
        constant w [1,8] = 1 2 3 4 5 6 7 8
        constant c [1] = 0
        a = conv_2d(x, f, fb) padding=valid
        b = conv_2d(a, g, gb) padding=valid
        s = add(b, a) activation=relu
        flat [1,8] = reshape(s)
        y = fully_connected(flat, w, c)
        output y",
    )
    .unwrap();
    let (pruned, done) = prune_channels(&graph, &half("b")).unwrap();
    // Magnitudes: 1 + 3 of the first channel in both layers, 5 + 2 of the second one.
    let expected = text::parse(
        "graph g
        input x [1,2,2,1]
        constant f [1,1,1,1] = 5
        constant fb [1] = -1
        constant g [1,1,1,1] = 1
        constant gb [1] = 4
        constant w [1,4] = 2 4 6 8
        constant c [1] = 0
        a = conv_2d(x, f, fb) padding=valid
        b = conv_2d(a, g, gb) padding=valid
        s = add(b, a) activation=relu
        flat [1,4] = reshape(s)
        y = fully_connected(flat, w, c)
        output y",
    );
    assert_eq!(pruned, expected.unwrap());
    let layers = ["a", "b"].map(|layer| PrunedLayer {
        layer: layer.to_owned(),
        before: 2,
        after: 1,
    });
    assert_eq!(done, layers);
    let summary = summary::of_graph(&graph, &pruned).unwrap();
    assert_eq!(
        (summary.before().elements, summary.after().elements),
        (14, 6)
    );
}

#[test]
fn what_cannot_do_without_a_channel_keeps_all() {
    let prune = |rest: &str| {
        let graph = text::parse(&format!(
            "graph g
            input x [1,2,2,2]
            constant f [2,1,1,2] = 1 2 3 4
            constant g [2,1,1,2] = 1 2 3 4
            constant h [2,1,1,2] = 1 2 3 4
            constant i [4,1,1,2] = 1 2 3 4 5 6 7 8
            constant j [2,1,1,4] = 1 2 3 4 5 6 7 8
            constant d [1,1,1,4] = 1 2 3 4
            constant b [2] = 0 0
            constant c [2] = 0 0
            constant k [4] = 0 0 0 0
            constant l [4] = 0 0 0 0
            constant m [2] = 0 0
            {rest}"
        ));
        prune_channels(&graph.unwrap(), &half("a"))
    };
    let two = "a = conv_2d(x, f, b) padding=same\nt = conv_2d(x, g, c) padding=same\ns = add(a, t)\np = conv_2d(s, h, m) padding=valid\noutput p";
    assert_eq!(prune(two).unwrap().1.len(), 2);
    for rest in [
        // The input of the model is added.
        "a = conv_2d(x, f, b) padding=same\ns = add(a, x)\np = conv_2d(s, h, m) padding=valid\noutput p",
        // Two filters of a depthwise convolution for each channel are added to a layer's.
        "t = conv_2d(x, f, b) padding=same\nq = depthwise_conv_2d(t, d, k) padding=same\na = conv_2d(x, i, l) padding=same\ns = add(a, q)\np = conv_2d(s, j, m) padding=valid\noutput p",
        // Both layers have the same weights.
        &two.replace("g, c", "f, c"),
        // The other layer's result is given out.
        &two.replace("output p", "output t\noutput p"),
        // A softmax reads all channels.
        &two.replace("s = add(a, t)", "e = softmax(t)\ns = add(a, e)"),
    ] {
        let error = prune(rest).unwrap_err().to_string();
        assert!(
            error.contains("\"a\" matches no layer of \"g\" that can do without"),
            "{error}"
        );
    }
}

/// A stem, residual blocks with batch norms and depthwise convolutions in them, and dense layers.
fn residual_network(seed: u64) -> Result<Graph, GraphError> {
    let mut random = Random::new(seed);
    let mut builder = GraphBuilder::new("residual");
    let image = builder.input("image", &[1, random.within(2, 6), random.within(2, 6), 2])?;
    let channels = random.within(2, 6);
    let (same, none) = (Window::same(1), Activation::None);
    let mut trunk = builder.conv_2d(image, channels, [2, 2], same, Activation::Relu)?;
    for _ in 0..random.within(1, 3) {
        let mut branch = match random.within(0, 2) {
            0 => builder.depthwise_conv_2d(trunk, random.within(1, 2), [2, 2], same, none)?,
            1 => builder.conv_2d(trunk, random.within(1, 7), [1, 1], same, Activation::Relu6)?,
            _ => builder.max_pool_2d(trunk, [2, 2], same)?,
        };
        branch = builder.conv_2d(branch, channels, [1, 2], same, none)?;
        if random.within(0, 1) == 0 {
            branch = builder.batch_norm(branch)?;
        }
        trunk = match random.within(0, 1) {
            0 => builder.add(branch, trunk, Activation::Relu)?,
            _ => builder.add(trunk, branch, none)?,
        };
    }
    if random.within(0, 1) == 0 {
        trunk = builder.average_pool_2d(trunk, [2, 2], Window::valid(2))?;
    }
    let mut dense = builder.flatten(trunk)?;
    let features = random.within(2, 5);
    dense = builder.fully_connected(dense, features, Activation::Relu)?;
    if random.within(0, 1) == 0 {
        let block = builder.fully_connected(dense, features, none)?;
        dense = builder.add(block, dense, none)?;
    }
    let last = builder.fully_connected(dense, 3, none)?;
    let mut graph = builder.finish(&[last])?;
    for id in graph.ids() {
        if let Some(numbers) = graph.constant(id) {
            let variance = graph.values[id.index()].name.ends_with("variance");
            let numbers = random.numbers(numbers.len());
            let numbers = numbers.into_iter();
            let numbers = numbers.map(|number| if variance { number + 1.5 } else { number });
            graph.set_constant(id, numbers.collect())?;
        }
    }
    Ok(graph)
}

/// Makes the first half of each layer's channels nothing; of depthwise convolutions what they add, since a channel of
/// theirs is one of what they read.
fn with_nothing_in_it(graph: &mut Graph) {
    for node in graph.nodes.clone() {
        let Some(channels) = graph.values[node.output.index()].shape.last().copied() else {
            continue;
        };
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            let mut numbers = graph.constant(*id).unwrap_or_default().to_vec();
            let nothing = match (&node.op, role) {
                (_, Role::Activation | Role::Variance) => continue,
                (Op::DepthwiseConv2d { .. }, Role::Bias) => numbers.len(),
                (Op::DepthwiseConv2d { .. }, _) => continue,
                _ => numbers.len() / channels * (channels / 2),
            };
            numbers[..nothing].fill(0.0);
            graph.set_constant(*id, numbers).unwrap();
        }
    }
}

fn outputs(graph: &Graph, seed: u64) -> Vec<f32> {
    let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
    let images = Random::new(seed).numbers(3 * one);
    evaluate(graph, 3, &[&images]).unwrap().concat()
}

proptest! {
    /// Before the passes and after them: channels with nothing in them are not missed, wherever they flow.
    #[test]
    fn residual_networks_do_not_miss_empty_channels(seed: u64, optimized: bool) {
        let mut graph = residual_network(seed)?;
        with_nothing_in_it(&mut graph);
        if optimized {
            graph = optimize(&graph).unwrap().0;
        }
        let (pruned, done) = prune_channels(&graph, &half("*")).unwrap();
        // The trunk is one of them: its stem and the end of each block.
        prop_assert!(done.iter().filter(|layer| layer.layer.starts_with("conv")).count() >= 2);
        prop_assert!(done.iter().all(|layer| layer.after == layer.before.div_ceil(2)));
        prop_assert!(pruned.parameter_count() < graph.parameter_count());
        for (before, after) in outputs(&graph, seed).iter().zip(outputs(&pruned, seed)) {
            prop_assert!((before - after).abs() <= 1e-5 * before.abs().max(1.0), "{} {}", before, after);
        }
    }

    /// Whatever goes, what is left is a valid model that gives as many outputs.
    #[test]
    fn any_share_leaves_a_model(seed: u64, share in 0.0..=1.0) {
        let graph = residual_network(seed)?;
        let pruning = ChannelPruning { share, layers: "*" };
        let (pruned, done) = prune_channels(&graph, &pruning).unwrap();
        for layer in &done {
            let gone = ((share * layer.before as f64) as usize).min(layer.before - 1);
            prop_assert_eq!(layer.after, layer.before - gone);
        }
        let outputs = outputs(&pruned, seed);
        prop_assert!(outputs.len() == 9 && outputs.iter().all(|number| number.is_finite()));
    }
}

#[test]
fn a_share_that_is_none_is_refused() {
    let graph = residual_network(1).unwrap();
    for share in [-0.5, 1.5, f64::NAN] {
        let pruning = ChannelPruning { share, layers: "*" };
        let error = prune_channels(&graph, &pruning).unwrap_err().to_string();
        assert!(error.contains("a share from 0"), "{error}");
    }
}
