//! Graphs drawn at random, with operators between that the GPU leaves.

use std::thread;

use ember_core::{Activation, BuiltinOp, Dtype, Padding};
use ember_lite::MappedModel;
use ember_tflite::write::{ModelSpec, OperatorSpec, TensorSpec, write};
use ember_tflite::{
    AddOptions, ConcatenationOptions, Conv2dOptions, DepthwiseConv2dOptions, FullyConnectedOptions,
    MulOptions, Options, Pool2dOptions, ReducerOptions, ReshapeOptions, SoftmaxOptions, TensorId,
};

use crate::{assert_near, gpu, numbers, outputs, to_bytes};

/// How many graphs are drawn.
const GRAPHS: usize = 24;

/// How many operators they have before the last three.
const STEPS: usize = 9;

/// A graph that grows. Its values are images `[2, H, W, C]`.
struct Growing {
    spec: ModelSpec,
    values: Vec<(TensorId, [usize; 4])>,
    state: u64,
    drawn: usize,
}

impl Growing {
    fn new(seed: usize) -> Growing {
        let mut growing = Growing {
            spec: ModelSpec::default(),
            values: Vec::new(),
            state: seed as u64,
            drawn: seed,
        };
        let shape = [
            2,
            5 + growing.below(4),
            4 + growing.below(5),
            1 + growing.below(4),
        ];
        let input = growing.tensor(&shape);
        growing.spec.inputs.push(input);
        growing.values.push((input, shape));
        growing
    }

    /// One of `0..bound`.
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005);
        self.state = self.state.wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % bound
    }

    fn tensor(&mut self, shape: &[usize]) -> TensorId {
        let name = format!("value {}", self.spec.tensors.len());
        self.spec
            .push_tensor(TensorSpec::new(name, Dtype::Float32, shape))
    }

    /// Numbers that, `fan_in` of them times values, add up to about such a value.
    fn weights(&mut self, shape: &[usize], fan_in: usize) -> TensorId {
        self.drawn += 1;
        let mut weights = numbers(shape.iter().product(), self.drawn);
        let scale = (fan_in as f32).sqrt().recip();
        weights.iter_mut().for_each(|weight| *weight *= scale);
        let tensor = TensorSpec::new("weights", Dtype::Float32, shape);
        self.spec.push_tensor(tensor.with_data(to_bytes(&weights)))
    }

    fn integers(&mut self, shape: &[usize], values: &[i32]) -> TensorId {
        let data: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let tensor = TensorSpec::new("integers", Dtype::Int32, shape);
        self.spec.push_tensor(tensor.with_data(data))
    }

    fn push(
        &mut self,
        op: BuiltinOp,
        inputs: &[TensorId],
        options: impl Into<Options>,
        shape: &[usize],
    ) -> TensorId {
        let output = self.tensor(shape);
        let inputs = inputs.iter().copied();
        let operator = OperatorSpec::new(op, inputs, [output], options);
        self.spec.operators.push(operator);
        output
    }

    fn image(
        &mut self,
        op: BuiltinOp,
        inputs: &[TensorId],
        options: impl Into<Options>,
        shape: [usize; 4],
    ) {
        let output = self.push(op, inputs, options, &shape);
        self.values.push((output, shape));
    }

    fn activation(&mut self) -> Activation {
        [Activation::None, Activation::Relu, Activation::Relu6][self.below(3)]
    }

    /// Any value so far, the newer the likelier.
    fn value(&mut self) -> (TensorId, [usize; 4]) {
        let count = self.values.len();
        let at = self.below(count).max(self.below(count));
        self.values[at]
    }

    /// Rows or columns that come out.
    fn extent(padding: Padding, given: usize, size: usize, stride: usize) -> usize {
        match padding {
            Padding::Same => given.div_ceil(stride),
            Padding::Valid => (given - size) / stride + 1,
        }
    }

    fn step(&mut self) {
        let (x, shape @ [batch, height, width, channels]) = self.value();
        let size = 1 + self.below(3.min(height).min(width));
        let stride = 1 + self.below(2);
        let padding = [Padding::Same, Padding::Valid][self.below(2)];
        let out = [height, width].map(|given| Growing::extent(padding, given, size, stride));
        let strides = stride as i32;
        let activation = self.activation();
        match self.below(12) {
            0 | 1 => {
                let filters = 1 + self.below(6);
                let fan_in = size * size * channels;
                let weights = self.weights(&[filters, size, size, channels], fan_in);
                let bias = self.weights(&[filters], 4);
                let options = Conv2dOptions {
                    padding,
                    stride_w: strides,
                    stride_h: strides,
                    fused_activation_function: activation,
                    ..Conv2dOptions::default()
                };
                let shape = [batch, out[0], out[1], filters];
                self.image(BuiltinOp::Conv2d, &[x, weights, bias], options, shape);
            }
            2 => {
                let multiplier = 1 + self.below(2);
                let filters = channels * multiplier;
                let weights = self.weights(&[1, size, size, filters], size * size);
                let bias = self.weights(&[filters], 4);
                let options = DepthwiseConv2dOptions {
                    padding,
                    stride_w: strides,
                    stride_h: strides,
                    depth_multiplier: multiplier as i32,
                    fused_activation_function: activation,
                    ..DepthwiseConv2dOptions::default()
                };
                let shape = [batch, out[0], out[1], filters];
                self.image(
                    BuiltinOp::DepthwiseConv2d,
                    &[x, weights, bias],
                    options,
                    shape,
                );
            }
            3 | 4 => {
                let options = Pool2dOptions {
                    padding,
                    stride_w: strides,
                    stride_h: strides,
                    filter_width: size as i32,
                    filter_height: size as i32,
                    fused_activation_function: activation,
                };
                let op = [BuiltinOp::MaxPool2d, BuiltinOp::AveragePool2d][self.below(2)];
                self.image(op, &[x], options, [batch, out[0], out[1], channels]);
            }
            5 => {
                let options = AddOptions {
                    fused_activation_function: activation,
                    ..AddOptions::default()
                };
                self.image(BuiltinOp::Add, &[x, x], options, shape);
            }
            6 => {
                let row = self.weights(&[channels], 1);
                let options = MulOptions {
                    fused_activation_function: activation,
                };
                self.image(BuiltinOp::Mul, &[x, row], options, shape);
            }
            7 => {
                let pads = [0, 0, 1, 0, 0, 2, 0, 0];
                let pads = self.integers(&[4, 2], &pads);
                let shape = [batch, height + 1, width + 2, channels];
                self.image(BuiltinOp::Pad, &[x, pads], Options::None, shape);
            }
            8 => {
                // With another value where one fits, else with itself.
                let (mut y, mut other) = self.value();
                if other[..3] != shape[..3] {
                    (y, other) = (x, shape);
                }
                let options = ConcatenationOptions {
                    axis: 3,
                    ..ConcatenationOptions::default()
                };
                let shape = [batch, height, width, channels + other[3]];
                self.image(BuiltinOp::Concatenation, &[x, y], options, shape);
            }
            9 => {
                let shape = [batch, width, height, channels];
                self.image(BuiltinOp::Reshape, &[x], ReshapeOptions::default(), shape);
            }
            10 => {
                let op = [BuiltinOp::Logistic, BuiltinOp::Tanh][self.below(2)];
                self.image(op, &[x], Options::None, shape);
            }
            // The interpreter's.
            _ => self.image(BuiltinOp::Sin, &[x], Options::None, shape),
        }
    }

    /// A classifier behind the newest value; what nobody reads is given out, too.
    fn finish(mut self) -> Vec<u8> {
        let (x, [batch, _, _, channels]) = self.values[self.values.len() - 1];
        let axes = self.integers(&[2], &[1, 2]);
        let options = ReducerOptions { keep_dims: false };
        let mean = self.push(BuiltinOp::Mean, &[x, axes], options, &[batch, channels]);
        let weights = self.weights(&[7, channels], channels);
        let bias = self.weights(&[7], 1);
        let options = FullyConnectedOptions::default();
        let inputs = [mean, weights, bias];
        let scores = self.push(BuiltinOp::FullyConnected, &inputs, options, &[batch, 7]);
        let options = SoftmaxOptions { beta: 1.0 };
        let shares = self.push(BuiltinOp::Softmax, &[scores], options, &[batch, 7]);
        self.spec.outputs = vec![shares];
        for (value, _) in &self.values[1..] {
            let read = self
                .spec
                .operators
                .iter()
                .any(|operator| operator.inputs.contains(&Some(*value)));
            if !read {
                self.spec.outputs.push(*value);
            }
        }
        write(&self.spec).unwrap()
    }
}

#[test]
fn random_graphs_are_near_the_interpreters_on_several_threads() {
    let Some(gpu) = gpu() else { return };
    let (mut taken, mut left, mut split) = (0, 0, 0);
    for seed in 0..GRAPHS {
        let name = format!("graph {seed}");
        let mut growing = Growing::new(seed);
        for _ in 0..STEPS {
            growing.step();
        }
        let model = MappedModel::from_bytes(&growing.finish(), &name).unwrap();
        let delegated = model.delegated(&[&gpu]).unwrap();
        let delegation = delegated.delegation().unwrap();
        assert_eq!(delegation.declined(), [], "{name}");
        // The GPU has all but the sines.
        let parsed = model.model().unwrap();
        for (operator, runs) in parsed.main().operators().zip(delegation.placement()) {
            let expected = (operator.builtin() != Some(BuiltinOp::Sin)).then_some("gpu");
            assert_eq!(runs, expected, "{name}: {delegation}");
            taken += usize::from(runs.is_some());
            left += usize::from(runs.is_none());
        }
        split += usize::from(delegation.partitions().len() > 1);
        thread::scope(|scope| {
            for thread in 0..3 {
                let (name, model, delegated) = (&name, &model, &delegated);
                scope.spawn(move || {
                    let seed = 10 * seed + thread;
                    assert_near(name, &outputs(delegated, seed), &outputs(model, seed));
                });
            }
        });
    }
    // What was drawn has something of everything.
    assert!(
        taken > 8 * GRAPHS && left > 5 && split > 5,
        "{taken}, {left}, {split}"
    );
}
