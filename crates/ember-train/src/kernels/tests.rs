//! The kernels against the same operators made of Burn's own, results and gradients.

use burn::tensor::{Device, Tensor, TensorData};
use ember_core::{Activation, Padding};
use ember_graph::Window;
use ember_graph::random::Random;

use crate::Backend;
use crate::network::numbers;
use crate::ops::conv_2d::Conv2d;
use crate::ops::fully_connected::FullyConnected;
use crate::ops::max_pool_2d::MaxPool2d;

fn device() -> Device {
    Backend::Flex.device().autodiff()
}

fn parameter(random: &mut Random, shape: [usize; 2]) -> Tensor<2> {
    let numbers = random.numbers(shape[0] * shape[1]);
    Tensor::from_data(TensorData::new(numbers, shape), &device()).require_grad()
}

/// What `forward` makes of the operands, and their gradients for one loss.
fn results(
    operands: &[Tensor<2>; 3],
    forward: impl Fn(&[Tensor<2>; 3]) -> Tensor<2>,
) -> Vec<Vec<f32>> {
    let result = forward(operands);
    let shape = result.dims();
    let weights = Random::new(7).numbers(shape[0] * shape[1]);
    let weights = Tensor::from_data(TensorData::new(weights, shape), &device());
    let gradients = (result.clone() * weights).sum().backward();
    let mut all = vec![numbers(result)];
    all.extend(
        operands
            .iter()
            .map(|operand| numbers(operand.grad(&gradients).unwrap())),
    );
    all
}

fn assert_equal(ours: &[Vec<f32>], theirs: &[Vec<f32>], what: &str) {
    let parts = ["result", "input", "weights", "bias"];
    for ((ours, theirs), part) in ours.iter().zip(theirs).zip(parts) {
        assert_eq!(ours.len(), theirs.len(), "{part} of {what}");
        let largest = theirs.iter().fold(1.0f32, |most, x| most.max(x.abs()));
        for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let close = (ours - theirs).abs() <= 2e-5 * largest;
            assert!(close, "{part} {index} of {what}: {ours} and {theirs}");
        }
    }
}

#[test]
fn convolutions_are_what_burn_computes() {
    let mut random = Random::new(1);
    for case in 0..150 {
        let input = [random.within(1, 11), random.within(1, 20)];
        let channels = random.choose([1, 1, 2, 3, 8, 12, 17, 20]);
        let filters = random.choose([1, 3, 7, 8, 9, 12, 16, 20]);
        let padding = random.choose([Padding::Same, Padding::Valid]);
        let window = Window {
            stride: [random.within(1, 3), random.within(1, 3)],
            dilation: [random.within(1, 2), random.within(1, 2)],
            padding,
        };
        let size = [0, 1].map(|axis| {
            let most = match padding {
                Padding::Same => 4,
                Padding::Valid => (input[axis] - 1) / window.dilation[axis] + 1,
            };
            random.within(1, most.min(4))
        });
        let image = [1, input[0], input[1], channels];
        let filter = [filters, size[0], size[1], channels];
        let mut conv = Conv2d::new(&image, &filter, &window).unwrap();
        let pooled = conv.output();
        if random.within(0, 1) == 1 {
            let size = pooled.map(|extent| random.within(1, extent.min(3)));
            let pool = Window {
                stride: [random.within(1, 2), random.within(1, 3)],
                dilation: [1, 1],
                padding: random.choose([Padding::Same, Padding::Valid]),
            };
            let image = [1, pooled[0], pooled[1], filters];
            conv.pool(&MaxPool2d::new(&image, size, &pool).unwrap());
        }
        conv.activate(random.choose([
            Activation::None,
            Activation::Relu,
            Activation::ReluN1To1,
            Activation::Relu6,
        ]));
        // Some are enough work to be shared among threads.
        let count = if case % 50 == 0 {
            900
        } else {
            random.within(1, 5)
        };
        let operands = [
            parameter(&mut random, [count, image.iter().product()]),
            parameter(&mut random, [1, filter.iter().product()]),
            parameter(&mut random, [1, filters]),
        ];
        let ours = results(&operands, |[image, filter, bias]| {
            conv.forward(image, filter, bias)
        });
        let theirs = results(&operands, |[image, filter, bias]| {
            conv.composed(image, filter, bias)
        });
        assert_equal(&ours, &theirs, &format!("case {case}: {count} of {conv:?}"));
    }
}

#[test]
fn dense_layers_are_what_burn_computes() {
    let mut random = Random::new(2);
    for case in 0..60 {
        let [inputs, outputs] = [random.within(1, 70), random.within(1, 20)];
        let count = if case % 20 == 0 {
            9000
        } else {
            random.within(1, 35)
        };
        let dense = FullyConnected::new(&[outputs, inputs]).unwrap();
        let operands = [
            parameter(&mut random, [count, inputs]),
            parameter(&mut random, [1, outputs * inputs]),
            parameter(&mut random, [1, outputs]),
        ];
        let ours = results(&operands, |[rows, weights, bias]| {
            dense.forward(rows, weights, bias)
        });
        let theirs = results(&operands, |[rows, weights, bias]| {
            dense.composed(rows, weights, bias)
        });
        assert_equal(
            &ours,
            &theirs,
            &format!("case {case}: {count} of {dense:?}"),
        );
    }
}

#[test]
fn the_loss_is_what_burn_computes() {
    let mut random = Random::new(3);
    let logits = parameter(&mut random, [6, 4]);
    let labels = [3, 0, 1, 2, 2, 0];
    let [ours, theirs] = [crate::score::cross_entropy, crate::score::composed].map(|loss| {
        let loss = loss(logits.clone() * 30.0, &labels);
        let gradients = loss.backward();
        vec![numbers(loss), numbers(logits.grad(&gradients).unwrap())]
    });
    assert_equal(&ours, &theirs, "the loss");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let image = [1, 12, 12, 3];
    let mut random = Random::new(4);
    let conv = Conv2d::new(&image, &[16, 3, 3, 3], &Window::same(1)).unwrap();
    let operands = [
        parameter(&mut random, [200, 12 * 12 * 3]),
        parameter(&mut random, [1, 16 * 27]),
        parameter(&mut random, [1, 16]),
    ];
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.build().unwrap();
        let forward = |[image, filter, bias]: &[Tensor<2>; 3]| conv.forward(image, filter, bias);
        pool.install(|| results(&operands, forward))
    });
    assert_eq!(one, three);
}
