//! Pruning: which weights go, when they go, and that a graph without channels computes what the channels left.

use ember_compress::prune::{ChannelPruning, Pruning, Schedule, mask, prune, prune_channels};
use ember_graph::eval::evaluate;
use ember_graph::{Graph, Op, Role, random, text};
use proptest::prelude::*;

fn kept(weights: &[f32], shape: &[usize], pruning: Pruning) -> Vec<u8> {
    let mask = mask(weights, shape, &pruning).unwrap();
    mask.into_iter().map(u8::from).collect()
}

#[test]
fn each_pattern_as_by_hand() {
    let weights = [0.1, -0.5, 0.3, 0.2, -0.9, 0.0, 0.8, -0.05];
    let unstructured = |sparsity| kept(&weights, &[2, 4], Pruning::Unstructured { sparsity });
    assert_eq!(unstructured(0.0), [1; 8]);
    assert_eq!(unstructured(0.5), [0, 1, 1, 0, 1, 0, 1, 0]);
    assert_eq!(unstructured(1.0), [0; 8]);
    assert_eq!(
        kept(&weights, &[2, 4], Pruning::TWO_OF_FOUR),
        [0, 1, 1, 0, 1, 0, 1, 0]
    );
    let block = |rows, columns| {
        let pruning = Pruning::Block {
            rows,
            columns,
            sparsity: 0.5,
        };
        kept(&weights, &[2, 4], pruning)
    };
    assert_eq!(block(1, 2), [0, 0, 0, 0, 1, 1, 1, 1]);
    // Means 0.375 and 0.3375.
    assert_eq!(block(2, 2), [1, 1, 0, 0, 1, 1, 0, 0]);
    // The last block of each row is narrower: means 0.3, 0.2, 0.5667, 0.05.
    assert_eq!(block(1, 3), [1, 1, 1, 0, 1, 1, 1, 0]);
    // Groups do not cross rows.
    let three = [3.0, 2.0, 1.0, 1.0, 2.0, 3.0];
    assert_eq!(
        kept(&three, &[2, 3], Pruning::TWO_OF_FOUR),
        [1, 1, 0, 0, 1, 1]
    );
}

proptest! {
    #[test]
    fn as_many_go_as_asked_for_and_none_that_is_larger(numbers in prop::collection::vec(-1.0_f32..1.0, 1..80), sparsity in 0.0..=1.0) {
        let mask = mask(&numbers, &[numbers.len()], &Pruning::Unstructured { sparsity })?;
        let gone = mask.iter().filter(|stays| !**stays).count();
        prop_assert_eq!(gone, (sparsity * numbers.len() as f64).round() as usize);
        let of = |kept: bool| numbers.iter().zip(&mask).filter(move |(_, stays)| **stays == kept).map(|(number, _)| number.abs());
        prop_assert!(of(false).fold(0.0, f32::max) <= of(true).fold(f32::INFINITY, f32::min));
    }
}

#[test]
fn what_cannot_be_pruned_is_refused() {
    for sparsity in [-0.1, 1.01, f64::NAN] {
        let error = mask(&[1.0], &[1], &Pruning::Unstructured { sparsity }).unwrap_err();
        assert!(error.to_string().contains("a share from 0"), "{error}");
    }
    let empty = Pruning::Block {
        rows: 0,
        columns: 4,
        sparsity: 0.5,
    };
    assert!(mask(&[1.0], &[1], &empty).is_err());
    assert!(mask(&[1.0], &[1], &Pruning::NOfM { keep: 3, of: 2 }).is_err());
    let graph = text::parse("graph g\ninput x [1,2]\ny = relu(x)\noutput y").unwrap();
    let error = prune(&graph, &Pruning::TWO_OF_FOUR, "*")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("\"*\" matches no filter and no weights of \"g\""),
        "{error}"
    );
}

#[test]
fn a_graph_loses_weights_and_keeps_biases() {
    let graph = text::parse(
        "graph g
        input x [1,4]
        constant w [1,4] = 1 -2 3 -4
        constant b [1] = 0.001
        y = fully_connected(x, w, b)
        output y",
    )
    .unwrap();
    let (pruned, done) = prune(&graph, &Pruning::Unstructured { sparsity: 0.75 }, "w*").unwrap();
    assert_eq!(
        pruned.constant(pruned.find("w").unwrap()).unwrap(),
        [0.0, 0.0, 0.0, -4.0]
    );
    assert_eq!(pruned.constant(pruned.find("b").unwrap()).unwrap(), [0.001]);
    assert_eq!((done[0].zeros, done[0].weights), (3, 4));
}

#[test]
fn schedules_as_by_hand() {
    let constant = Schedule::Constant {
        sparsity: 0.5,
        begin: 10,
        frequency: 100,
    };
    constant.check().unwrap();
    let due: Vec<u64> = (0..300)
        .filter(|step| constant.at(*step).is_some())
        .collect();
    assert_eq!(due, [10, 110, 210]);
    let polynomial = Schedule::Polynomial {
        initial: 0.5,
        last: 0.9,
        begin: 100,
        end: 250,
        power: 3.0,
        frequency: 100,
    };
    polynomial.check().unwrap();
    let at: Vec<(u64, f64)> = (0..400)
        .filter_map(|step| Some((step, polynomial.at(step)?)))
        .collect();
    let steps: Vec<u64> = at.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [100, 200, 250]);
    assert_eq!(at[0].1, 0.5);
    assert!((at[1].1 - (0.9 - 0.4 / 27.0)).abs() < 1e-12);
    assert_eq!(at[2].1, 0.9);
    for (broken, expected) in [
        (
            Schedule::Constant {
                sparsity: 2.0,
                begin: 0,
                frequency: 1,
            },
            "a sparsity of 2",
        ),
        (
            Schedule::Constant {
                sparsity: 0.5,
                begin: 0,
                frequency: 0,
            },
            "the frequency is 0",
        ),
        (
            Schedule::Polynomial {
                initial: 0.0,
                last: 0.5,
                begin: 9,
                end: 3,
                power: 3.0,
                frequency: 1,
            },
            "ends at step 3, before it begins at 9",
        ),
    ] {
        let error = broken.check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn channels_go_from_the_layer_and_from_all_that_read_it() {
    let graph = text::parse(
        "graph g
        input x [1,2,2,1]
        constant f [2,1,1,1] = 1 5
        constant b [2] = 0.5 -1
        constant d [1,1,1,4] = 1 2 3 4
        constant e [4] = 5 6 7 8
        constant w [1,16] = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
        constant c [1] = 0
        a = conv_2d(x, f, b) padding=valid activation=relu
        p = depthwise_conv_2d(a, d, e) padding=valid
        flat [1,16] = reshape(p)
        y = fully_connected(flat, w, c)
        output y",
    )
    .unwrap();
    let pruning = ChannelPruning {
        share: 0.5,
        layers: "*",
    };
    let (pruned, done) = prune_channels(&graph, &pruning).unwrap();
    let expected = text::parse(
        "graph g
        input x [1,2,2,1]
        constant f [1,1,1,1] = 5
        constant b [1] = -1
        constant d [1,1,1,2] = 3 4
        constant e [2] = 7 8
        constant w [1,8] = 3 4 7 8 11 12 15 16
        constant c [1] = 0
        a = conv_2d(x, f, b) padding=valid activation=relu
        p = depthwise_conv_2d(a, d, e) padding=valid
        flat [1,8] = reshape(p)
        y = fully_connected(flat, w, c)
        output y",
    );
    assert_eq!(pruned, expected.unwrap());
    // The last layer is the output, whose channels nobody can take.
    assert_eq!(done.len(), 1);
    assert_eq!(
        (done[0].layer.as_str(), done[0].before, done[0].after),
        ("a", 2, 1)
    );
}

#[test]
fn a_layer_that_is_added_or_given_out_keeps_its_channels() {
    for end in [
        "s = add(a, a)\noutput s",
        "output a",
        "s = softmax(a)\noutput s",
    ] {
        let graph = text::parse(&format!(
            "graph g\ninput x [1,2]\nconstant w [2,2] = 1 2 3 4\nconstant b [2] = 0 0\na = fully_connected(x, w, b)\n{end}"
        ))
        .unwrap();
        let pruning = ChannelPruning {
            share: 0.5,
            layers: "a",
        };
        let error = prune_channels(&graph, &pruning).unwrap_err().to_string();
        assert!(
            error.contains("\"a\" matches no layer of \"g\" that can do without"),
            "{error}"
        );
    }
}

/// Makes the first half of each layer's channels nothing: no weights, no bias; and no depthwise layer adds anything.
fn with_nothing_in_it(graph: &mut Graph) {
    for node in graph.nodes.clone() {
        let channels = graph.values[node.output.index()]
            .shape
            .last()
            .copied()
            .unwrap();
        for (role, id) in node.op.operands().iter().zip(&node.inputs) {
            let mut numbers = graph.constant(*id).unwrap_or_default().to_vec();
            let nothing = match (&node.op, role) {
                (_, Role::Activation) => continue,
                (Op::DepthwiseConv2d { .. }, Role::Bias) => numbers.len(),
                (Op::DepthwiseConv2d { .. }, _) => continue,
                _ => numbers.len() / channels * (channels / 2),
            };
            numbers[..nothing].fill(0.0);
            graph.set_constant(*id, numbers).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn channels_with_nothing_in_them_are_not_missed(seed: u64) {
        let mut graph = random::graph(seed, 10)?;
        with_nothing_in_it(&mut graph);
        let pruning = ChannelPruning { share: 0.5, layers: "*" };
        let Ok((pruned, done)) = prune_channels(&graph, &pruning) else { return Ok(()) };
        prop_assert!(done.iter().all(|layer| layer.after == layer.before.div_ceil(2)));
        let one: usize = graph.values[graph.inputs[0].index()].shape.iter().product();
        let images = random::Random::new(seed).numbers(2 * one);
        let [before, after] = [evaluate(&graph, 2, &[&images])?.concat(), evaluate(&pruned, 2, &[&images])?.concat()];
        for (before, after) in before.iter().zip(&after) {
            prop_assert!((before - after).abs() <= 1e-5 * before.abs().max(1.0), "{} {}", before, after);
        }
    }
}

#[test]
fn some_random_graphs_lose_channels() {
    let pruning = ChannelPruning {
        share: 0.5,
        layers: "*",
    };
    let pruned = (0..100).filter(|seed| {
        let graph = random::graph(*seed, 10).unwrap();
        prune_channels(&graph, &pruning).is_ok_and(|(pruned, _)| pruned != graph)
    });
    assert!(pruned.count() > 20);
}
