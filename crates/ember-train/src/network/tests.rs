//! The network against the graph's own evaluator, and Burn's gradients against differences.

use burn::tensor::{Device, Tensor, TensorData};
use ember_core::Activation;
use ember_graph::random::Random;
use ember_graph::{Graph, GraphBuilder, Node, Op, Source, Value, ValueId, Window, eval, random};

use super::{Network, Statistics, numbers};
use crate::Backend;
use crate::norms;

fn device() -> Device {
    Backend::Flex.device()
}

/// The graph with its output flattened to `[1, n]`, which also keeps a softmax at the end from being left out.
fn flat(mut graph: Graph) -> Graph {
    let output = graph.outputs[0];
    let elements = graph.get(output).unwrap().shape.iter().product();
    let id = ValueId::from_index(graph.values.len());
    graph.values.push(Value {
        name: "flat_for_test".to_owned(),
        shape: vec![1, elements],
        source: Source::Node,
    });
    let shape = vec![1, elements];
    graph.nodes.push(Node {
        op: Op::Reshape { shape },
        inputs: vec![output],
        output: id,
    });
    graph.outputs = vec![id];
    graph
}

fn examples(graph: &Graph, count: usize, seed: u64) -> Vec<f32> {
    let one: usize = graph.get(graph.inputs[0]).unwrap().shape.iter().product();
    Random::new(seed).numbers(one * count)
}

fn forward(network: &Network, examples: &[f32], count: usize, device: &Device) -> Tensor<2> {
    let shape = [count, examples.len() / count];
    network.forward(Tensor::from_data(
        TensorData::new(examples.to_vec(), shape),
        device,
    ))
}

fn assert_agrees_with_the_evaluator(graph: &Graph, count: usize, seed: u64) {
    let images = examples(graph, count, seed);
    let expected = eval::evaluate(graph, count, &[&images]).unwrap().remove(0);
    let network = Network::new(graph, &device()).unwrap();
    let got = numbers(forward(&network, &images, count, &device()));
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(1.0f32, |most, x| most.max(x.abs()));
    for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
        assert!(
            (got - expected).abs() <= 1e-5 * largest,
            "graph of seed {seed}, element {index}: {got} and {expected}\n{}",
            ember_graph::text::print(graph, ember_graph::text::Constants::Elided)
        );
    }
}

#[test]
fn random_graphs_give_what_the_evaluator_gives() {
    for seed in 0..300 {
        let graph = flat(random::graph(seed, 8).unwrap());
        assert_agrees_with_the_evaluator(&graph, 1 + seed as usize % 3, seed);
    }
}

/// A graph with every operator that has a gradient of its own.
fn every_operator() -> Graph {
    let mut model = GraphBuilder::new("every-operator");
    let image = model.input("image", &[1, 9, 8, 2]).unwrap();
    let wide = Window {
        dilation: [2, 1],
        ..Window::same(1)
    };
    let x = model.conv_2d(image, 4, [3, 2], wide, Activation::Relu);
    let x = model.max_pool_2d(x.unwrap(), [2, 3], Window::same(2));
    let x = model.depthwise_conv_2d(x.unwrap(), 2, [3, 3], Window::same(1), Activation::Relu6);
    let left = x.unwrap();
    let right = model.conv_2d(left, 8, [1, 1], Window::valid(1), Activation::None);
    let x = model.add(left, right.unwrap(), Activation::ReluN1To1);
    let x = model.average_pool_2d(x.unwrap(), [3, 2], Window::same(2));
    let x = model.flatten(x.unwrap()).unwrap();
    let x = model.fully_connected(x, 7, Activation::None).unwrap();
    model.finish(&[x]).unwrap()
}

/// A softmax that is not the end.
fn softmax_within() -> Graph {
    let mut model = GraphBuilder::new("softmax-within");
    let image = model.input("image", &[1, 6]).unwrap();
    let x = model.fully_connected(image, 7, Activation::None);
    let x = model.softmax(x.unwrap()).unwrap();
    let x = model.fully_connected(x, 5, Activation::None).unwrap();
    model.finish(&[x]).unwrap()
}

/// Adds `by * direction` to every parameter.
fn moved(graph: &Graph, direction: &[Vec<f32>], by: f32) -> Graph {
    let mut graph = graph.clone();
    let ids: Vec<ValueId> = graph.constants().map(|(id, _, _)| id).collect();
    for (id, direction) in ids.into_iter().zip(direction) {
        let old = graph.constant(id).unwrap();
        let new = old.iter().zip(direction).map(|(x, d)| x + by * d).collect();
        graph.set_constant(id, new).unwrap();
    }
    graph
}

#[test]
fn gradients_are_the_slope_of_the_loss() {
    for graph in [
        every_operator(),
        softmax_within(),
        ember_graph::models::find("seed-cnn")
            .unwrap()
            .build()
            .unwrap(),
        ember_graph::models::find("mlp").unwrap().build().unwrap(),
    ] {
        let mut graph = graph;
        crate::initialize(&mut graph, 3).unwrap();
        let count = 6;
        let images = examples(&graph, count, 1);
        let device = device().autodiff();
        let loss = |graph: &Graph| {
            let network = Network::new(graph, &device).unwrap();
            let logits = forward(&network, &images, count, &device);
            let weights = Random::new(2).numbers(count * network.classes());
            let weights = TensorData::new(weights, [count, network.classes()]);
            let loss = (logits * Tensor::from_data(weights, &device)).sum();
            (network, loss)
        };
        let (network, value) = loss(&graph);
        let gradients = value.backward();
        let gradients: Vec<Vec<f32>> = (network.parameters.iter())
            .map(|parameter| numbers(parameter.val().grad(&gradients).unwrap()))
            .collect();
        // Along the gradient of one parameter at a time the slope is its squared length.
        for (index, gradient) in gradients.iter().enumerate() {
            let slope: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
            assert!(
                slope > 1e-3,
                "parameter {index} of {} has no gradient",
                graph.name
            );
            let mut direction: Vec<Vec<f32>> =
                gradients.iter().map(|g| vec![0.0; g.len()]).collect();
            direction[index].clone_from(gradient);
            let step = 1e-3 / slope.sqrt() as f32;
            let ends = [step, -step].map(|by| {
                let (_, loss) = loss(&moved(&graph, &direction, by));
                f64::from(numbers(loss)[0])
            });
            let measured = (ends[0] - ends[1]) / (2.0 * f64::from(step));
            assert!(
                (measured - slope).abs() <= 0.03 * slope,
                "parameter {index} of {}: gradient says {slope}, differences say {measured}",
                graph.name
            );
        }
    }
}

#[test]
fn the_first_of_equals_gets_the_gradient_of_a_pool() {
    let mut model = GraphBuilder::new("ties");
    let image = model.input("image", &[1, 1, 1, 4]).unwrap();
    let x = model.reshape(image, &[1, 2, 2, 1]).unwrap();
    let bias = model
        .constant("shift", &[1, 2, 2, 1], vec![0.0; 4])
        .unwrap();
    let x = model.add(x, bias, Activation::None).unwrap();
    let x = model.max_pool_2d(x, [2, 2], Window::valid(2)).unwrap();
    let x = model.flatten(x).unwrap();
    let graph = model.finish(&[x]).unwrap();
    let device = device().autodiff();
    let network = Network::new(&graph, &device).unwrap();
    let gradients = forward(&network, &[1.0; 4], 1, &device).sum().backward();
    let gradient = network.parameters[0].val().grad(&gradients).unwrap();
    assert_eq!(numbers(gradient), [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn trained_numbers_go_back_into_the_graph() {
    let mut graph = every_operator();
    crate::initialize(&mut graph, 5).unwrap();
    let before = graph.clone();
    let network = Network::new(&graph, &device()).unwrap();
    network.store(&mut graph).unwrap();
    assert_eq!(graph, before);
}

#[test]
fn a_graph_without_one_row_of_logits_cannot_be_trained() {
    let mut model = GraphBuilder::new("image-to-image");
    let image = model.input("image", &[1, 2, 2, 1]).unwrap();
    let x = model.relu(image).unwrap();
    let graph = model.finish(&[x]).unwrap();
    let error = Network::new(&graph, &device()).unwrap_err().to_string();
    assert!(
        error.contains("image-to-image") && error.contains("expected [1, classes]"),
        "{error}"
    );
}

/// Batch norms behind each kind of layer and behind none, with numbers that normalize.
fn batch_norms(of_layers_alone: bool) -> Graph {
    let mut model = GraphBuilder::new("batch-norms");
    let image = model.input("image", &[1, 6, 6, 2]).unwrap();
    let x = model.conv_2d(image, 4, [3, 3], Window::same(1), Activation::None);
    let x = model.batch_norm(x.unwrap()).unwrap();
    let x = model.relu(x).unwrap();
    let x = model.depthwise_conv_2d(x, 2, [3, 3], Window::same(2), Activation::None);
    let x = model.batch_norm(x.unwrap()).unwrap();
    let x = model.relu6(x).unwrap();
    let x = if of_layers_alone {
        x
    } else {
        model.batch_norm(x).unwrap()
    };
    let x = model.flatten(x).unwrap();
    let x = model.fully_connected(x, 5, Activation::None).unwrap();
    let x = model.batch_norm(x).unwrap();
    let mut graph = model.finish(&[x]).unwrap();
    crate::initialize(&mut graph, 3).unwrap();
    let mut random = Random::new(5);
    let ids: Vec<ValueId> = graph.constants().map(|(id, _, _)| id).collect();
    for id in ids {
        let value = graph.get(id).unwrap();
        let (is_norm, is_variance) = (
            value.name.starts_with("batch_norm"),
            value.name.ends_with("variance"),
        );
        if is_norm {
            let mut numbers = random.numbers(value.shape[0]);
            if is_variance {
                numbers.iter_mut().for_each(|x| *x = x.abs() + 0.5);
            }
            graph.set_constant(id, numbers).unwrap();
        }
    }
    graph
}

#[test]
fn kept_statistics_give_what_the_evaluator_gives() {
    assert_agrees_with_the_evaluator(&batch_norms(false), 3, 1);
}

/// The logits by the statistics of the batch, and the network after its averages have followed.
fn by_batch(mut network: Network, images: &[f32], count: usize) -> (Tensor<2>, Network) {
    let device = device().autodiff();
    let shape = [count, images.len() / count];
    let examples = Tensor::from_data(TensorData::new(images.to_vec(), shape), &device);
    let mut seen = Vec::new();
    let identity = |_, tensor| tensor;
    let logits = network.forward_mapped(examples, identity, Statistics::Batch(&mut seen));
    network.follow(&seen, 0.25, &device);
    (logits, network)
}

#[test]
fn a_batch_is_normalized_by_its_own_statistics_and_the_averages_follow() {
    let mut model = GraphBuilder::new("one-batch-norm");
    let image = model.input("image", &[1, 3]).unwrap();
    let x = model.batch_norm(image).unwrap();
    let mut graph = model.finish(&[x]).unwrap();
    let find = |graph: &Graph, name| graph.find(name).unwrap();
    graph
        .set_constant(find(&graph, "batch_norm.gamma"), vec![2.0; 3])
        .unwrap();
    graph
        .set_constant(find(&graph, "batch_norm.beta"), vec![5.0; 3])
        .unwrap();
    let images = [1.0, -2.0, 0.5, 3.0, 2.0, 0.5, 5.0, 0.0, 0.5, 7.0, 0.0, 0.5];
    let network = Network::new(&graph, &device().autodiff()).unwrap();
    let (logits, network) = by_batch(network, &images, 4);
    // The first channel has mean 4 and variance 5, the last varies by nothing.
    let logits = numbers(logits);
    let expected = 5.0 + 2.0 * (1.0 - 4.0) / (5.0_f32 + 1e-3).sqrt();
    assert!((logits[0] - expected).abs() < 1e-5, "{logits:?}");
    assert_eq!(logits[2], 5.0);
    network.store(&mut graph).unwrap();
    let kept = |name| graph.constant(find(&graph, name)).unwrap().to_vec();
    assert_eq!(kept("batch_norm.mean"), [3.0, 0.0, 0.375]);
    assert_eq!(
        kept("batch_norm.variance"),
        [0.25 + 0.75 * 5.0, 0.25 + 0.75 * 2.0, 0.25]
    );
}

#[test]
fn a_batch_norm_in_a_layer_is_one_behind_it_as_long_as_nothing_is_rounded() {
    let graph = batch_norms(true);
    let images = examples(&graph, 7, 2);
    let training = device().autodiff();
    let prepared = norms::optimize(graph.clone()).unwrap();
    assert_eq!(prepared.norms.len(), 3);
    let inside = Network::in_order(&prepared.graph, &prepared.norms, &training).unwrap();
    let behind = Network::new(&graph, &training).unwrap();
    let close = |ours: Tensor<2>, theirs: Tensor<2>| {
        for (ours, theirs) in numbers(ours).into_iter().zip(numbers(theirs)) {
            assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
        }
    };
    let kept = |network: &Network| forward(network, &images, 7, &training);
    close(kept(&inside), kept(&behind));
    let (ours, inside) = by_batch(inside, &images, 7);
    let (theirs, behind) = by_batch(behind, &images, 7);
    close(ours, theirs);
    close(kept(&inside), kept(&behind));
    // Stored, the layers have it folded in.
    let mut folded = prepared.graph;
    inside.store(&mut folded).unwrap();
    close(
        kept(&Network::new(&folded, &training).unwrap()),
        kept(&behind),
    );
}

#[test]
fn gradients_by_the_statistics_of_the_batch_are_the_slope_of_the_loss() {
    let graph = batch_norms(true);
    let (count, device) = (5, device().autodiff());
    let images = examples(&graph, count, 4);
    let prepared = norms::optimize(graph.clone()).unwrap();
    let inside = Network::in_order(&prepared.graph, &prepared.norms, &device).unwrap();
    for network in [Network::new(&graph, &device).unwrap(), inside] {
        let weights = Random::new(2).numbers(count * 5);
        let loss = |network: &Network| {
            let weights = TensorData::new(weights.clone(), [count, 5]);
            let (logits, _) = by_batch(network.clone(), &images, count);
            (logits * Tensor::from_data(weights, &device)).sum()
        };
        let gradients = loss(&network).backward();
        let all = network.numbers();
        let mut trained = 0;
        for (index, parameter) in network.parameters.iter().enumerate() {
            let Some(gradient) = parameter.val().grad(&gradients).map(numbers) else {
                continue;
            };
            let slope: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
            // What shifts a whole channel is taken away again by the norm behind it.
            if slope < 1e-4 {
                continue;
            }
            trained += 1;
            let step = 1e-3 / slope.sqrt() as f32;
            let ends = [step, -step].map(|by| {
                let mut moved = all.clone();
                for (number, gradient) in moved[index].iter_mut().zip(&gradient) {
                    *number += by * gradient;
                }
                let mut network = network.clone();
                network.set_numbers(moved, &device);
                f64::from(numbers(loss(&network))[0])
            });
            let measured = (ends[0] - ends[1]) / (2.0 * f64::from(step));
            assert!(
                (measured - slope).abs() <= 0.03 * slope,
                "parameter {index}: gradient says {slope}, differences say {measured}"
            );
        }
        // Three filters, three gammas and three betas; means and variances are measured, not trained.
        assert_eq!(trained, 9);
    }
}
