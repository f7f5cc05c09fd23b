//! Adam with Keras's epsilon, and its state in a form that can be stored.

use burn::module::Param;
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::kernels::{AdamStep, adam_update};
use crate::network::{Network, numbers, with_numbers};

/// What is left of the first and of the second moment after a step.
const BETAS: [f32; 2] = [0.9, 0.999];

/// Keras's epsilon; Burn's own default of 1e-5 costs half a point of accuracy here.
const EPSILON: f32 = 1e-7;

/// The optimizer in words, for the records.
pub(crate) const DESCRIPTION: &str = "Adam (beta 0.9 and 0.999, epsilon 1e-7)";

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) with β₁ = 0.9 and β₂ = 0.999. Burn's own makes a
/// dozen passes over a parameter where one is enough.
#[derive(Clone)]
pub(crate) struct Optimizer {
    states: Vec<Option<Moments>>,
}

/// What Adam remembers about one parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moments {
    /// Steps taken.
    pub(crate) time: usize,
    /// The moving average of the gradient.
    pub(crate) first: Vec<f32>,
    /// The moving average of its square.
    pub(crate) second: Vec<f32>,
}

impl Optimizer {
    pub(crate) fn new(parameters: usize) -> Self {
        Self {
            states: vec![None; parameters],
        }
    }

    /// One step of this size against the gradients, after `shape` has made of each what the optimizer is to see.
    pub(crate) fn step(
        &mut self,
        learning_rate: f64,
        network: &mut Network,
        gradients: &mut Gradients,
        shape: impl Fn(usize, Tensor<1>) -> Tensor<1>,
    ) {
        network.map_parameters(|index, parameter| {
            let (id, value, mapper) = parameter.consume();
            let gradient = value.grad_remove(gradients);
            let (Some(gradient), Some(state)) = (gradient, self.states.get_mut(index)) else {
                return Param::from_mapped_value(id, value, mapper);
            };
            let value = value.inner();
            let device = value.device();
            let mut weights = numbers(value);
            let count = weights.len();
            let moments = state.get_or_insert_with(|| Moments {
                time: 0,
                first: vec![0.0; count],
                second: vec![0.0; count],
            });
            with_numbers(shape(index, gradient), |gradient| {
                moments.step(learning_rate, &mut weights, gradient);
            });
            let value = Tensor::from_data(TensorData::new(weights, [count]), &device);
            Param::from_mapped_value(id, Tensor::from_inner(value).require_grad(), mapper)
        });
    }

    /// The state of every parameter; none before its first step.
    pub(crate) fn moments(&self) -> Vec<Option<Moments>> {
        self.states.clone()
    }

    /// Puts back what [`Self::moments`] gave.
    pub(crate) fn restore(&mut self, moments: Vec<Option<Moments>>) {
        self.states = moments;
    }
}

impl Moments {
    /// Moves the weights against their gradient.
    fn step(&mut self, learning_rate: f64, weights: &mut [f32], gradient: &[f32]) {
        self.time += 1;
        let time = i32::try_from(self.time).unwrap_or(i32::MAX);
        // What zeros at the start have left of the moments.
        let [first, second] = BETAS.map(|beta| 1.0 - f64::from(beta).powi(time));
        let step = AdamStep {
            betas: BETAS,
            rate: (learning_rate / first) as f32,
            correction: (1.0 / second) as f32,
            epsilon: EPSILON,
        };
        adam_update(&step, weights, gradient, &mut self.first, &mut self.second);
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn the_first_steps_are_those_of_the_paper() {
        let mut moments = Moments {
            time: 0,
            first: vec![0.0; 2],
            second: vec![0.0; 2],
        };
        let mut weights = [1.0, -1.0];
        // With one gradient all the time both corrected moments are that gradient and its square: a step of the rate.
        for step in 1..=20 {
            moments.step(0.01, &mut weights, &[0.5, -2.0]);
            let moved = 0.01 * step as f32;
            assert!((weights[0] - (1.0 - moved)).abs() < 1e-6, "{weights:?}");
            assert!((weights[1] - (-1.0 + moved)).abs() < 1e-6, "{weights:?}");
        }
        // The gradient turns: m = 0.9 m + 0.1 g, v = 0.999 v + 0.001 g².
        let before = weights[0];
        moments.step(0.01, &mut weights, &[-0.5, 0.0]);
        let [m, v] = [0.9_f64, 0.999].map(|beta| 1.0 - beta.powi(20));
        let m = (0.9 * 0.5 * m - 0.1 * 0.5) / (1.0 - 0.9_f64.powi(21));
        let v = (0.999 * 0.25 * v + 0.001 * 0.25) / (1.0 - 0.999_f64.powi(21));
        let expected = 0.01 * m / (v.sqrt() + 1e-7);
        assert!((f64::from(before - weights[0]) - expected).abs() < 1e-6);
    }
}
