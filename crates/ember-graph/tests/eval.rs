//! The evaluator against arithmetic done by hand, and a batch against single runs.

use ember_graph::eval::{evaluate, evaluate_mapped, evaluate_observed};
use ember_graph::{random, text};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_batch_gives_the_bits_of_single_runs(seed: u64, batch in 1_usize..5) {
        let graph = random::graph(seed, 8)?;
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let images = random::Random::new(seed).numbers(one * batch);
        let together = evaluate(&graph, batch, &[&images])?.remove(0);
        let mut singly = Vec::new();
        for image in images.chunks(one) {
            singly.extend(evaluate(&graph, 1, &[image])?.remove(0));
        }
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&together), bits(&singly));
    }

    #[test]
    fn every_value_is_observed_once_in_order(seed: u64) {
        let graph = random::graph(seed, 8)?;
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let images = random::Random::new(seed).numbers(one * 3);
        let mut seen = Vec::new();
        evaluate_observed(&graph, 3, &[&images], |id, numbers| seen.push((id, numbers.len())))?;
        let expected: Vec<_> = graph
            .inputs
            .iter()
            .copied()
            .chain(graph.nodes.iter().map(|node| node.output))
            .map(|id| (id, 3 * graph.values[id.index()].shape.iter().product::<usize>()))
            .collect();
        prop_assert_eq!(seen, expected);
    }
}

fn run(text: &str, input: &[f32]) -> Vec<f32> {
    evaluate(&text::parse(text).unwrap(), 1, &[input])
        .unwrap()
        .remove(0)
}

#[test]
fn each_operator_as_by_hand() {
    let convolved = run(
        "graph g
        input x [1,3,3,1]
        constant filter [2,2,2,1] = 1 2 3 4 -1 0 0 1
        constant bias [2] = 10 0
        y = conv_2d(x, filter, bias) padding=valid activation=relu
        output y",
        &[1., 2., 3., 4., 5., 6., 7., 8., 9.],
    );
    assert_eq!(convolved, [47., 4., 57., 4., 77., 4., 87., 4.]);
    // With SAME, stride 2 and an odd extent, one row of zeros lies on each side.
    let depthwise = run(
        "graph g
        input x [1,3,3,1]
        constant filter [1,3,3,2] = 1 0 1 0 1 0 1 0 1 2 1 0 1 0 1 0 1 0
        constant bias [2] = 0 0.5
        y = depthwise_conv_2d(x, filter, bias) stride=[2,2] padding=same
        output y",
        &[1., 2., 3., 4., 5., 6., 7., 8., 9.],
    );
    assert_eq!(depthwise, [12., 2.5, 16., 6.5, 24., 14.5, 28., 18.5]);
    let dense = run(
        "graph g
        input x [1,2]
        constant w [3,2] = 1 2 3 4 -5 -6
        constant b [3] = 0 1 2
        y = fully_connected(x, w, b) activation=relu6
        output y",
        &[1., 1.],
    );
    assert_eq!(dense, [3., 6., 0.]);
    let image = [1., -2., 3., -4., 5., -6., 7., -8., 9.];
    let pool = |op: &str| {
        let text = format!(
            "graph g\ninput x [1,3,3,1]\ny = {op}(x) size=[2,2] stride=[2,2] padding=same\noutput y"
        );
        run(&text, &image)
    };
    assert_eq!(pool("max_pool_2d"), [5., 3., 7., 9.]);
    assert_eq!(pool("average_pool_2d"), [0.0, -1.5, -0.5, 9.]);
    let sum = run(
        "graph g
        input x [1,3]
        constant c [1,3] = 1 2 -3
        s = add(x, c) activation=relu_n1_to_1
        t = add(s, x)
        u = relu(t)
        v [1,3,1] = reshape(u)
        w = relu6(v)
        output w",
        &[5., -7., 3.5],
    );
    assert_eq!(sum, [6., 0., 4.]);
    let softmax = run(
        "graph g\ninput x [1,2,2]\ny = softmax(x) beta=2\noutput y",
        &[0., 1., 3., 3.],
    );
    let expected = [
        1. / (1. + 2_f32.exp()),
        1. / (1. + (-2_f32).exp()),
        0.5,
        0.5,
    ];
    for (found, expected) in softmax.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{softmax:?}");
    }
}

#[test]
fn a_constant_is_added_to_every_image_of_a_batch() {
    let graph = text::parse(
        "graph g
        input x [1,2]
        constant c [1,2] = 10 20
        d = relu(c)
        y = add(d, x)
        output y
        output d",
    )
    .unwrap();
    let outputs = evaluate(&graph, 2, &[&[1., 2., 3., 4.]]).unwrap();
    assert_eq!(outputs, [vec![11., 22., 13., 24.], vec![10., 20.]]);
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let graph = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let message =
        |batch: usize, inputs: &[&[f32]]| evaluate(&graph, batch, inputs).unwrap_err().to_string();
    assert_eq!(message(1, &[]), "the graph takes 1 inputs and got 0");
    assert_eq!(
        message(2, &[&[0.0; 3]]),
        "the input \"x\" of shape [1, 2] got 3 numbers for a batch of 2"
    );
    assert!(message(0, &[&[]]).contains("batch of 0"));
    assert!(message(usize::MAX, &[&[]]).contains("got 0 numbers"));
}

#[test]
fn batch_norms_and_paddings_as_by_hand() {
    let normalized = run(
        "graph g
        input x [1,2,1,2]
        constant gamma [2] = 2 -1
        constant beta [2] = 0.5 0
        constant mean [2] = 1 -1
        constant variance [2] = 3 0
        y = batch_norm(x, gamma, beta, mean, variance) epsilon=1
        output y",
        &[1., 1., 3., -3.],
    );
    assert_eq!(normalized, [0.5, -2., 2.5, 2.]);
    let padded = run(
        "graph g\ninput x [1,2,2,1]\ny = pad(x) before=[1,0] after=[0,2]\noutput y",
        &[1., 2., 3., 4.],
    );
    assert_eq!(padded, [0., 0., 0., 0., 1., 2., 0., 0., 3., 4., 0., 0.]);
    let same = run(
        "graph g\ninput x [1,2]\nq = quantize(x)\ny = dequantize(q)\noutput y",
        &[0.1, -7.],
    );
    assert_eq!(same, [0.1, -7.]);
}

#[test]
fn what_is_mapped_is_what_the_next_node_gets() {
    let graph =
        text::parse("graph g\ninput x [1,2]\ny = relu(x)\nz = add(y, x)\noutput z").unwrap();
    let doubled = |_, numbers: &mut [f32]| numbers.iter_mut().for_each(|number| *number *= 2.0);
    let outputs = evaluate_mapped(&graph, 1, &[&[1.0, -1.0]], doubled).unwrap();
    assert_eq!(outputs, [[12.0, -4.0]]);
}
