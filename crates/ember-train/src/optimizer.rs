//! Adam with Keras's epsilon, and its state in a form that can be stored.

use burn::module::Param;
use burn::optim::{Adam, AdamConfig, AdamState, AdaptiveMomentumState, Optimizer as _};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::network::{Network, numbers};

/// Keras's epsilon; Burn's own default of 1e-5 costs half a point of accuracy here.
const EPSILON: f32 = 1e-7;

/// The optimizer in words, for the records.
pub(crate) const DESCRIPTION: &str = "Adam (beta 0.9 and 0.999, epsilon 1e-7)";

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015) with β₁ = 0.9 and β₂ = 0.999.
#[derive(Clone)]
pub(crate) struct Optimizer {
    adam: Adam,
    states: Vec<Option<AdamState<1>>>,
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
            adam: AdamConfig::new().with_epsilon(EPSILON).build(),
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
            let (value, new_state) = self.adam.step(
                learning_rate,
                value.inner(),
                shape(index, gradient),
                state.take(),
            );
            *state = new_state;
            let value = Tensor::from_inner(value).require_grad();
            Param::from_mapped_value(id, value, mapper)
        });
    }

    /// The state of every parameter; none before its first step.
    pub(crate) fn moments(&self) -> Vec<Option<Moments>> {
        self.states
            .iter()
            .map(|state| {
                state.as_ref().map(|AdamState { momentum }| Moments {
                    time: momentum.time,
                    first: numbers(momentum.moment_1.clone()),
                    second: numbers(momentum.moment_2.clone()),
                })
            })
            .collect()
    }

    /// Puts back what [`Self::moments`] gave.
    pub(crate) fn restore(&mut self, moments: Vec<Option<Moments>>, device: &Device) {
        let tensor = |numbers: Vec<f32>| {
            let count = numbers.len();
            Tensor::<1>::from_data(TensorData::new(numbers, [count]), device)
        };
        self.states = moments
            .into_iter()
            .map(|moments| {
                moments.map(
                    |Moments {
                         time,
                         first,
                         second,
                     }| {
                        AdamState::new(AdaptiveMomentumState::new(
                            time,
                            tensor(first),
                            tensor(second),
                        ))
                    },
                )
            })
            .collect();
    }
}
