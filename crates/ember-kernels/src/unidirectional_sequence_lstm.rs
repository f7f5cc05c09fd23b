//! UNIDIRECTIONAL_SEQUENCE_LSTM: `micro/kernels/lstm_eval.cc` and `lstm_eval.h`. The standard layer, without peepholes,
//! projection and normalization.
//!
//! The gates of a unit depend on the whole hidden state of the step before and on nothing else of their own step, so units are
//! computed one by one, and the output's row holds the new hidden state until all are done: there is no scratch.

use core::marker::PhantomData;

use ember_core::view::Plain;
use ember_core::{Clamp, QuantizedMultiplier, elementary};

use crate::arch;
use crate::element::{Element, Int64};
use crate::error::{KernelError, Operand, check_shape};
use crate::logistic::{Int16, Steps, TanhInt16};
use crate::rows;
use crate::unary::Unary;

ember_core::plain! {
    /// Shapes of an LSTM. Input `[batches, steps, inputs]` and output `[batches, steps, units]`, or with the first two swapped;
    /// of a gate weights `[units, inputs]`, recurrent weights `[units, units]` and bias `[units]`; hidden state and cell state
    /// `[batches, units]`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Lstm {
        /// Whether input and output are `[steps, batches, ..]`, as 0 or 1.
        pub time_major: u32,
        /// Sequences.
        pub batches: u32,
        /// Elements of a sequence.
        pub steps: u32,
        /// Features of an element.
        pub inputs: u32,
        /// Elements of a row of output.
        pub units: u32,
    }
}

/// The gates, in the order of their tensors in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// How much of the new comes into the cell.
    Input,
    /// How much of the cell stays.
    Forget,
    /// The new.
    Cell,
    /// How much of the cell comes out.
    Output,
}

/// What an LSTM is computed in.
pub trait Arithmetic {
    /// Elements of input, hidden state and output.
    type Value: Plain;
    /// Elements of the weights.
    type Weight: Plain;
    /// Elements of the biases.
    type Bias: Plain;
    /// Elements of the cell state, and what gates give.
    type Cell: Plain;

    /// A gate of one unit, from what is weighed together and with its function applied.
    fn gate(&self, gate: Gate, parts: &Parts<'_, Self>) -> Self::Cell
    where
        Self: Sized;

    /// The cell's new state, from the input gate, the forget gate, the cell gate and its state before.
    fn cell(&self, gates: [Self::Cell; 3], cell: Self::Cell) -> Self::Cell;

    /// The unit's new hidden state, from the cell's and the output gate.
    fn hidden(&self, cell: Self::Cell, gate: Self::Cell) -> Self::Value;
}

/// What a gate of one unit is the sum of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'p, A: Arithmetic> {
    /// The features of this step, and their weights.
    pub input: (&'p [A::Value], &'p [A::Weight]),
    /// The hidden state of the step before, and its weights.
    pub hidden: (&'p [A::Value], &'p [A::Weight]),
    /// The unit's bias.
    pub bias: A::Bias,
}

/// The constants of a gate.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'w, A: Arithmetic> {
    /// `[units, inputs]`.
    pub input: &'w [A::Weight],
    /// `[units, units]`.
    pub recurrent: &'w [A::Weight],
    /// `[units]`.
    pub bias: &'w [A::Bias],
}

/// What an LSTM keeps from run to run.
#[derive(Debug)]
pub struct State<'s, A: Arithmetic> {
    /// `[batches, units]`.
    pub hidden: &'s mut [A::Value],
    /// `[batches, units]`.
    pub cell: &'s mut [A::Cell],
}

/// Goes through the sequences: writes the output, and leaves the state as it is after their ends. `gates` are in the order of
/// [`Gate`].
///
/// # Errors
/// A slice's length is not that of its shape; then nothing is written.
pub fn run<A: Arithmetic>(
    shape: &Lstm,
    arithmetic: &A,
    gates: &[Weights<'_, A>; 4],
    input: &[A::Value],
    state: State<'_, A>,
    output: &mut [A::Value],
) -> Result<(), KernelError> {
    let Lstm {
        time_major,
        batches,
        steps,
        inputs,
        units,
    } = *shape;
    check_shape(Operand::Input, &[batches, steps, inputs], input.len())?;
    check_shape(Operand::Output, &[batches, steps, units], output.len())?;
    check_shape(Operand::State, &[batches, units], state.hidden.len())?;
    check_shape(Operand::State, &[batches, units], state.cell.len())?;
    for gate in gates {
        check_shape(Operand::Filter, &[units, inputs], gate.input.len())?;
        check_shape(Operand::Filter, &[units, units], gate.recurrent.len())?;
        check_shape(Operand::Bias, &[units], gate.bias.len())?;
    }
    if [batches, inputs, units].contains(&0) {
        return Err(KernelError::Parameters);
    }
    let units = units as usize;
    let (mut batch, mut step) = (0u32, 0u32);
    let rows = rows::of(input, inputs as usize).zip(rows::of_mut(output, units));
    for (input, output) in rows {
        let start = (batch as usize).wrapping_mul(units);
        let end = start.wrapping_add(units);
        let (Some(hidden), Some(cell)) = (
            state.hidden.get_mut(start..end),
            state.cell.get_mut(start..end),
        ) else {
            return Err(KernelError::Parameters);
        };
        advance(arithmetic, gates, input, hidden, cell, output);
        for (hidden, output) in hidden.iter_mut().zip(output) {
            *hidden = *output;
        }
        if time_major != 0 {
            batch = batch.wrapping_add(1);
            batch = if batch < batches { batch } else { 0 };
        } else {
            step = step.wrapping_add(1);
            if step >= steps {
                (batch, step) = (batch.wrapping_add(1), 0);
            }
        }
    }
    Ok(())
}

/// One step of one sequence: the new cell state, and the new hidden state as `output`.
fn advance<A: Arithmetic>(
    arithmetic: &A,
    gates: &[Weights<'_, A>; 4],
    input: &[A::Value],
    hidden: &[A::Value],
    cell: &mut [A::Cell],
    output: &mut [A::Value],
) {
    let mut parts = gates.each_ref().map(|gate| {
        let weights = rows::of(gate.input, input.len());
        weights
            .zip(rows::of(gate.recurrent, hidden.len()))
            .zip(gate.bias)
    });
    for (cell, output) in cell.iter_mut().zip(output) {
        let mut next = parts.iter_mut().map(|parts| {
            let ((weights, recurrent), bias) = parts.next()?;
            Some(Parts {
                input: (input, weights),
                hidden: (hidden, recurrent),
                bias: *bias,
            })
        });
        let mut next = || next.next().flatten();
        let (Some(i), Some(f), Some(c), Some(o)) = (next(), next(), next(), next()) else {
            return;
        };
        let new = [
            arithmetic.gate(Gate::Input, &i),
            arithmetic.gate(Gate::Forget, &f),
            arithmetic.gate(Gate::Cell, &c),
        ];
        *cell = arithmetic.cell(new, *cell);
        *output = arithmetic.hidden(*cell, arithmetic.gate(Gate::Output, &o));
    }
}

/// LSTM of float32.
#[derive(Clone, Copy, Debug)]
pub struct Float32 {
    /// The cell stays within this of zero, if it is above zero.
    pub clip: f32,
}

impl Arithmetic for Float32 {
    type Value = f32;
    type Weight = f32;
    type Bias = f32;
    type Cell = f32;

    fn gate(&self, gate: Gate, parts: &Parts<'_, Self>) -> f32 {
        let (x, weights) = parts.input;
        let (hidden, recurrent) = parts.hidden;
        let sum = arch::dot_f32(0.0, x, weights) + parts.bias;
        let sum = sum + arch::dot_f32(0.0, hidden, recurrent);
        match gate {
            Gate::Cell => elementary::tanh(sum),
            Gate::Input | Gate::Forget | Gate::Output => elementary::logistic(sum),
        }
    }

    fn cell(&self, [input, forget, new]: [f32; 3], cell: f32) -> f32 {
        let cell = forget * cell + input * new;
        if self.clip > 0.0 {
            let range = Clamp {
                min: -self.clip,
                max: self.clip,
            };
            range.apply(cell)
        } else {
            cell
        }
    }

    fn hidden(&self, cell: f32, gate: f32) -> f32 {
        elementary::tanh(cell) * gate
    }
}

ember_core::plain! {
    /// How a gate's two sums become Q3.12.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct Scales {
        /// For features and their weights.
        pub input: QuantizedMultiplier,
        /// For the hidden state and its weights.
        pub hidden: QuantizedMultiplier,
        /// The value of the features' weights that stands for zero.
        pub input_weight_zero: i32,
        /// The value of the hidden state's weights that stands for zero.
        pub hidden_weight_zero: i32,
    }

    /// Quantization of an LSTM of integers. Cell and gates have zero point 0; what gates give is Q0.15.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// In the order of [`Gate`].
        pub gates: [Scales; 4],
        /// The input value that stands for zero.
        pub input_zero_point: i32,
        /// The hidden state's value, and the output's, that stands for zero.
        pub hidden_zero_point: i32,
        /// From forget gate times cell to the cell.
        pub forget: QuantizedMultiplier,
        /// From input gate times cell gate to the cell.
        pub update: QuantizedMultiplier,
        /// From the cell's hyperbolic tangent times the output gate to the hidden state.
        pub output: QuantizedMultiplier,
        /// How the cell is an argument of the hyperbolic tangent.
        pub tanh: Steps,
        /// The cell stays within this of zero; 32768 where it is not clipped.
        pub clip: i32,
    }
}

/// A Q3.12 as an argument of the two functions: `CalculateLstmGate` (`micro/kernels/lstm_eval.h`).
const GATE_STEPS: Steps = Steps {
    multiplier: 3,
    shift: 0,
};

/// An activation of an integer LSTM: int8, or int16 with wide sums.
pub trait Activation: Element<Wide = i32> {
    /// Elements of the biases.
    type Bias: Plain;

    /// `bias + Σ (x - x_zero) * (w - w_zero)` as Q3.12.
    fn sum(
        bias: Option<Self::Bias>,
        x: &[Self],
        weights: &[i8],
        zero_points: [i32; 2],
        scale: QuantizedMultiplier,
    ) -> i32;
}

impl Activation for i8 {
    type Bias = i32;

    #[inline(always)]
    fn sum(
        bias: Option<i32>,
        x: &[i8],
        weights: &[i8],
        [x_zero, w_zero]: [i32; 2],
        scale: QuantizedMultiplier,
    ) -> i32 {
        let offset = x_zero.wrapping_neg();
        let mut bias = bias.unwrap_or(0);
        if w_zero != 0 {
            let of_x = x.iter().fold(0i32, |sum, x| {
                sum.wrapping_add(x.wide()).wrapping_add(offset)
            });
            bias = bias.wrapping_sub(of_x.wrapping_mul(w_zero));
        }
        scale.apply(arch::dot_i8(bias, x, offset, weights))
    }
}

impl Activation for i16 {
    type Bias = Int64;

    #[inline(always)]
    fn sum(
        bias: Option<Int64>,
        x: &[i16],
        weights: &[i8],
        [x_zero, w_zero]: [i32; 2],
        scale: QuantizedMultiplier,
    ) -> i32 {
        let bias = bias.map_or(0, Int64::get);
        if [x_zero, w_zero] == [0, 0] {
            return scale.apply_wide(arch::dot_i16(bias, x, weights));
        }
        let sum = x.iter().zip(weights).fold(bias, |sum, (x, w)| {
            let (x, w) = (x.wide().wrapping_sub(x_zero), w.wide().wrapping_sub(w_zero));
            sum.wrapping_add(i64::from(x.wrapping_mul(w)))
        });
        scale.apply_wide(sum)
    }
}

/// LSTM of int8 or int16 with weights of int8 and a cell of int16.
#[derive(Clone, Copy, Debug)]
pub struct Quantized<'q, T>(pub &'q Quantization, pub PhantomData<T>);

impl<T: Activation> Arithmetic for Quantized<'_, T> {
    type Value = T;
    type Weight = i8;
    type Bias = T::Bias;
    type Cell = i16;

    fn gate(&self, gate: Gate, parts: &Parts<'_, Self>) -> i16 {
        let q = self.0;
        let [input, forget, cell, output] = q.gates;
        let scales = match gate {
            Gate::Input => input,
            Gate::Forget => forget,
            Gate::Cell => cell,
            Gate::Output => output,
        };
        let (x, weights) = parts.input;
        let (hidden, recurrent) = parts.hidden;
        let of_input = T::sum(
            Some(parts.bias),
            x,
            weights,
            [q.input_zero_point, scales.input_weight_zero],
            scales.input,
        );
        let zero_points = [q.hidden_zero_point, scales.hidden_weight_zero];
        let of_hidden = T::sum(None, hidden, recurrent, zero_points, scales.hidden);
        let range = Clamp::INT16;
        let sum = range.apply(range.apply(of_input).wrapping_add(range.apply(of_hidden))) as i16;
        match gate {
            Gate::Cell => TanhInt16(&GATE_STEPS).apply(sum),
            Gate::Input | Gate::Forget | Gate::Output => Int16(&GATE_STEPS).apply(sum),
        }
    }

    fn cell(&self, gates: [i16; 3], cell: i16) -> i16 {
        let q = self.0;
        let [input, forget, new] = gates.map(i32::from);
        let range = Clamp::INT16;
        let kept = range.apply(q.forget.apply(forget.wrapping_mul(i32::from(cell))));
        let added = range.apply(q.update.apply(input.wrapping_mul(new)));
        let cell = range.apply(kept.wrapping_add(added));
        cell.min(q.clip).max(q.clip.wrapping_neg()) as i16
    }

    fn hidden(&self, cell: i16, gate: i16) -> T {
        let q = self.0;
        let cell = i32::from(TanhInt16(&q.tanh).apply(cell));
        let output = q.output.apply(cell.wrapping_mul(i32::from(gate)));
        T::within(output.wrapping_add(q.hidden_zero_point), T::RANGE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Float32, Lstm, State, Weights, run};
    use std::vec;
    use std::vec::Vec;

    /// Two units, two features, two sequences of three.
    fn outputs(time_major: bool, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let shape = Lstm {
            time_major: time_major.into(),
            batches: 2,
            steps: 3,
            inputs: 2,
            units: 2,
        };
        let gate = |at: f32| ([0.5 - at, 0.2, -0.3, at], [0.1, -at, 0.4, 0.6], [at, -0.1]);
        let gates = [gate(0.1), gate(0.3), gate(-0.2), gate(0.7)];
        let gates = gates.each_ref().map(|(input, recurrent, bias)| Weights {
            input,
            recurrent,
            bias,
        });
        let (mut hidden, mut cell, mut output) = (vec![0.0; 4], vec![0.0; 4], vec![0.0; 12]);
        let state = State {
            hidden: &mut hidden,
            cell: &mut cell,
        };
        run(
            &shape,
            &Float32 { clip: 0.0 },
            &gates,
            input,
            state,
            &mut output,
        )
        .unwrap();
        (output, hidden)
    }

    #[test]
    fn the_order_of_time_and_batch_changes_the_order_and_nothing_else() {
        let input: Vec<f32> = (0..12u8).map(|at| f32::from(at * 7 % 5) - 2.0).collect();
        let swapped: Vec<f32> = [0, 3, 1, 4, 2, 5]
            .iter()
            .flat_map(|row| input[row * 2..row * 2 + 2].to_vec())
            .collect();
        let (output, hidden) = outputs(false, &input);
        let (other, other_hidden) = outputs(true, &swapped);
        assert_eq!(hidden, other_hidden);
        for (row, other_row) in [0, 3, 1, 4, 2, 5].into_iter().zip(other.chunks(2)) {
            assert_eq!(&output[row * 2..row * 2 + 2], other_row);
        }
        assert_eq!([&output[4..6], &output[10..12]].concat(), hidden);
        assert!(
            output.iter().all(|y| y.abs() < 1.0 && *y != 0.0),
            "{output:?}"
        );
    }

    #[test]
    fn slices_that_do_not_fit_are_refused() {
        let shape = Lstm {
            time_major: 0,
            batches: 1,
            steps: 1,
            inputs: 1,
            units: 1,
        };
        let gate = Weights {
            input: &[1.0],
            recurrent: &[1.0; 2],
            bias: &[0.0],
        };
        let (mut hidden, mut cell) = ([3.0], [4.0]);
        let state = State {
            hidden: &mut hidden,
            cell: &mut cell,
        };
        let refused = run(
            &shape,
            &Float32 { clip: 0.0 },
            &[gate; 4],
            &[1.0],
            state,
            &mut [0.0],
        );
        assert!(refused.is_err());
        assert_eq!((hidden, cell), ([3.0], [4.0]));
    }
}
