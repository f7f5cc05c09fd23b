//! One step of Adam over one parameter, in one pass.

use super::simd::Arithmetic;

/// The numbers of a step that are the same for all weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What is left of the first moment, and of the second.
    pub(crate) betas: [f32; 2],
    /// The step size, divided by what the first moment lacks as long as it is young.
    pub(crate) rate: f32,
    /// The reciprocal of what the second moment lacks.
    pub(crate) correction: f32,
    /// Added to the divisor.
    pub(crate) epsilon: f32,
}

/// Moves the weights against their gradient.
#[inline(always)]
pub(super) fn update<A: Arithmetic>(
    step: &Step,
    weights: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let [beta_1, beta_2] = step.betas;
    let moments = first.iter_mut().zip(second.iter_mut());
    for ((weight, gradient), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
        *first = A::add_product((1.0 - beta_1) * gradient, beta_1, *first);
        *second = A::add_product((1.0 - beta_2) * gradient * gradient, beta_2, *second);
        let deviation = (*second * step.correction).sqrt() + step.epsilon;
        *weight -= step.rate * *first / deviation;
    }
}
