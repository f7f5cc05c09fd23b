//! The network against the graph's own evaluator, and Burn's gradients against differences.

use burn::tensor::{Device, Tensor, TensorData};
use ember_core::Activation;
use ember_graph::random::Random;
use ember_graph::{Graph, GraphBuilder, Node, Op, Source, Value, ValueId, Window, eval, random};

use super::{Network, numbers};
use crate::Backend;

fn device() -> Device {
    Backend::Flex.device().unwrap()
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
