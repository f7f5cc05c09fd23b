//! SVDF, a recurrent layer whose filters are products of a vector over the features and one over time:
//! `micro/kernels/svdf_common.cc`. Each filter keeps its last results as its memory.

use core::marker::PhantomData;

use ember_core::view::Plain;
use ember_core::{Activation, Clamp, QuantizedMultiplier, elementary};

use crate::arch;
use crate::element::Element;
use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shapes of an SVDF. Input `[batches, inputs]`, weights over the features `[units * rank, inputs]`, weights over time
    /// `[units * rank, memory]`, bias `[units]`, state `[batches, units * rank, memory]`, output `[batches, units]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Svdf {
        /// Rows of input.
        pub batches: u32,
        /// Elements of one row of input.
        pub inputs: u32,
        /// Elements of one row of output.
        pub units: u32,
        /// Filters of a unit.
        pub rank: u32,
        /// Runs that a filter remembers, this one included.
        pub memory: u32,
    }
}

/// What an SVDF is computed in.
pub trait Arithmetic {
    /// Elements of input and of the weights over the features.
    type Value: Plain;
    /// Elements of the state and of the weights over time.
    type State: Plain;
    /// Elements of the bias, and what is added up over time.
    type Sum: Plain + Default;
    /// Elements of the output.
    type Output: Plain;

    /// The newest element of a filter's memory.
    fn feature(&self, input: &[Self::Value], weights: &[Self::Value]) -> Self::State;

    /// `sum` and what a filter gives.
    fn time(&self, sum: Self::Sum, state: &[Self::State], weights: &[Self::State]) -> Self::Sum;

    /// The output of a unit.
    fn finish(&self, sum: Self::Sum) -> Self::Output;
}

/// The constants of an SVDF.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'w, A: Arithmetic> {
    /// `[units * rank, inputs]`.
    pub feature: &'w [A::Value],
    /// `[units * rank, memory]`.
    pub time: &'w [A::State],
    /// `[units]`; `None` is zero.
    pub bias: Option<&'w [A::Sum]>,
}

/// One run: shifts the state by one and writes the output.
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run<A: Arithmetic>(
    shape: &Svdf,
    arithmetic: &A,
    weights: &Weights<'_, A>,
    input: &[A::Value],
    state: &mut [A::State],
    output: &mut [A::Output],
) -> Result<(), KernelError> {
    let Svdf {
        batches,
        inputs,
        units,
        rank,
        memory,
    } = *shape;
    check_shape(Operand::Input, &[batches, inputs], input.len())?;
    check_shape(
        Operand::Filter,
        &[units, rank, inputs],
        weights.feature.len(),
    )?;
    check_shape(Operand::Filter, &[units, rank, memory], weights.time.len())?;
    check_shape(Operand::State, &[batches, units, rank, memory], state.len())?;
    check_shape(Operand::Output, &[batches, units], output.len())?;
    if let Some(bias) = weights.bias {
        check(Operand::Bias, units as usize, bias.len())?;
    }
    if [batches, inputs, units, rank, memory].contains(&0) {
        return Err(KernelError::Parameters);
    }
    // The oldest of every filter goes; what becomes the newest is written below.
    state.copy_within(1.., 0);
    let filters = (units as usize).wrapping_mul(rank as usize);
    let memory = memory as usize;
    let images = rows::of(input, inputs as usize);
    let states = rows::of_mut(state, filters.wrapping_mul(memory));
    let outs = rows::of_mut(output, units as usize);
    for ((image, state), out) in images.zip(states).zip(outs) {
        let features = rows::of(weights.feature, image.len());
        for (state, weights) in rows::of_mut(state, memory).zip(features) {
            if let Some(newest) = state.last_mut() {
                *newest = arithmetic.feature(image, weights);
            }
        }
        let mut filters = rows::of(state, memory).zip(rows::of(weights.time, memory));
        let mut bias = weights.bias.unwrap_or_default().iter();
        for out in out {
            let mut sum = bias.next().copied().unwrap_or_default();
            for (state, weights) in filters.by_ref().take(rank as usize) {
                sum = arithmetic.time(sum, state, weights);
            }
            *out = arithmetic.finish(sum);
        }
    }
    Ok(())
}

ember_core::plain! {
    /// Quantization of an SVDF of int8.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// From the products of input and weights to the state.
        pub feature: QuantizedMultiplier,
        /// The state's value that stands for zero.
        pub state_zero_point: i32,
        /// From the sums over time to the output.
        pub time: QuantizedMultiplier,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
    }
}

/// SVDF of int8 with a state of `T`, int8 or int16. TFLM reads the fused activation of float32 only: what it would clamp is
/// what the output's type does.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q Quantization, pub PhantomData<T>);

impl<T: Element<Wide = i32>> Arithmetic for Quantized<'_, T> {
    type Value = i8;
    type State = T;
    type Sum = i32;
    type Output = i8;

    fn feature(&self, input: &[i8], weights: &[i8]) -> T {
        let zero_point = self.0.input_zero_point;
        let sum = arch::dot_i8(0, input, zero_point.wrapping_neg(), weights);
        let clamped = T::RANGE.apply(self.0.feature.apply(sum));
        // TFLM's conversion to the type wraps.
        let unused = u32::BITS.wrapping_sub(size_of::<T>() as u32 * 8);
        let state = clamped.wrapping_add(self.0.state_zero_point);
        T::within(state.wrapping_shl(unused).wrapping_shr(unused), T::RANGE)
    }

    fn time(&self, sum: i32, state: &[T], weights: &[T]) -> i32 {
        let zero_point = self.0.state_zero_point;
        state.iter().zip(weights).fold(sum, |sum, (state, weight)| {
            let state = state.wide().wrapping_sub(zero_point);
            sum.wrapping_add(state.wrapping_mul(weight.wide()))
        })
    }

    fn finish(&self, sum: i32) -> i8 {
        let output = self.0.time.apply(sum);
        Clamp::INT8.apply(output.wrapping_add(self.0.output_zero_point)) as i8
    }
}

/// SVDF of float32 with a fused activation (`micro/kernels/activation_utils.h`).
#[derive(Clone, Copy, Debug)]
pub struct Float32(pub Activation);

impl Arithmetic for Float32 {
    type Value = f32;
    type State = f32;
    type Sum = f32;
    type Output = f32;

    fn feature(&self, input: &[f32], weights: &[f32]) -> f32 {
        arch::dot_f32(0.0, input, weights)
    }

    fn time(&self, sum: f32, state: &[f32], weights: &[f32]) -> f32 {
        // A filter's sum begins at zero: floats do not associate.
        sum + arch::dot_f32(0.0, state, weights)
    }

    fn finish(&self, sum: f32) -> f32 {
        match self.0 {
            Activation::None => sum,
            Activation::Tanh => elementary::tanh(sum),
            Activation::SignBit => f32::from(u8::from(sum.is_sign_negative())),
            Activation::Relu | Activation::ReluN1To1 | Activation::Relu6 => {
                Clamp::<f32>::of_activation(self.0).map_or(sum, |range| range.apply(sum))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Float32, Svdf, Weights, run};
    use ember_core::Activation;

    #[test]
    fn a_filter_remembers_the_last_runs() {
        let shape = Svdf {
            batches: 1,
            inputs: 1,
            units: 1,
            rank: 1,
            memory: 3,
        };
        let weights = Weights {
            feature: &[2.0],
            time: &[100.0, 10.0, 1.0],
            bias: Some(&[0.5]),
        };
        let (mut state, mut output) = ([0.0; 3], [0.0]);
        let mut step = |x: f32| {
            let arithmetic = Float32(Activation::None);
            run(&shape, &arithmetic, &weights, &[x], &mut state, &mut output).unwrap();
            output[0]
        };
        assert_eq!(
            [1.0, 2.0, 3.0, 4.0].map(&mut step),
            [2.5, 24.5, 246.5, 468.5]
        );
    }

    #[test]
    fn slices_that_do_not_fit_are_refused() {
        let shape = Svdf {
            batches: 2,
            inputs: 1,
            units: 1,
            rank: 1,
            memory: 1,
        };
        let weights = Weights {
            feature: &[1.0],
            time: &[1.0],
            bias: None,
        };
        let arithmetic = Float32(Activation::None);
        let mut state = [7.0];
        let refused = run(
            &shape,
            &arithmetic,
            &weights,
            &[1.0; 2],
            &mut state,
            &mut [0.0; 2],
        );
        assert!(refused.is_err());
        assert_eq!(state, [7.0]);
    }
}
