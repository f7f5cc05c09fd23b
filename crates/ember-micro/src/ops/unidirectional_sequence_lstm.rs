//! UNIDIRECTIONAL_SEQUENCE_LSTM: `micro/kernels/unidirectional_sequence_lstm.cc` and `lstm_eval_common.cc`. Hidden state and
//! cell state are variables among the inputs.

use core::marker::PhantomData;

use ember_core::{Activation, BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::logistic::Steps;
use ember_kernels::unidirectional_sequence_lstm::{
    self as lstm, Arithmetic, Lstm, Quantization, Quantized, Scales, State, Weights,
};
use ember_tflite::{OpCode, UnidirectionalSequenceLstmOptions};

use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::written;

/// The first of the gates' tensors of each kind; the others follow.
const WEIGHTS: u8 = 1;
const RECURRENT: u8 = 5;
const BIASES: u8 = 12;
const HIDDEN: Slot = Slot::input(18);
const CELL: Slot = Slot::input(19);
const OUTPUT: Slot = Slot::output(0);

/// The types of an LSTM's tensors.
struct Types {
    value: Dtype,
    weight: Dtype,
    bias: Dtype,
    cell: Dtype,
}

/// Checks types and shapes; gives the shape and the clipping of the cell.
#[inline(never)]
fn check(cx: &Prepare<'_>, types: &Types) -> Result<(Lstm, f32), Refused> {
    cx.arity(20..=24, 1)?;
    let options = cx.options::<UnidirectionalSequenceLstmOptions>()?;
    if options.fused_activation_function != Activation::Tanh || options.diagonal_recurrent_tensors {
        return Err(cx.refuse(Fault::Options));
    }
    // Peepholes, projection, normalization.
    for index in (9..12).chain(16..18).chain(20..24) {
        cx.no_input(index)?;
    }
    let input = cx.input(0, types.value)?;
    let [first, second, inputs] = input.dims()?;
    let (batches, steps) = if options.time_major {
        (second, first)
    } else {
        (first, second)
    };
    let output = cx.typed(OUTPUT, types.value)?;
    let [_, _, units] = output.dims()?;
    output.dims_are(&[first, second, units])?;
    for gate in 0..4 {
        let weights = cx.input(WEIGHTS.wrapping_add(gate), types.weight)?;
        weights.dims_are(&[units, inputs])?;
        let recurrent = cx.input(RECURRENT.wrapping_add(gate), types.weight)?;
        recurrent.dims_are(&[units, units])?;
        let bias = cx.input(BIASES.wrapping_add(gate), types.bias)?;
        bias.dims_are(&[units])?;
    }
    let remembered = cx.expect(batches.checked_mul(units), Fault::Options)?;
    for (slot, dtype) in [(HIDDEN, types.value), (CELL, types.cell)] {
        let state = cx.typed(slot, dtype)?;
        state.is_variable()?;
        state.elements_are(remembered)?;
    }
    if [batches, inputs, units].contains(&0) {
        return Err(cx.refuse(Fault::Options));
    }
    let shape = Lstm {
        time_major: options.time_major.into(),
        batches,
        steps,
        inputs,
        units,
    };
    Ok((shape, options.cell_clip))
}

fn run<A: Arithmetic>(shape: &Lstm, arithmetic: &A, io: Io<'_>) -> Result<(), InvokeFault> {
    let ([hidden, cell, output], others) = io.written([HIDDEN, CELL, OUTPUT])?;
    let gate = |gate: u8| -> Result<Weights<'_, A>, InvokeFault> {
        Ok(Weights {
            input: others.get(WEIGHTS.wrapping_add(gate))?,
            recurrent: others.get(RECURRENT.wrapping_add(gate))?,
            bias: others.get(BIASES.wrapping_add(gate))?,
        })
    };
    let gates = [gate(0)?, gate(1)?, gate(2)?, gate(3)?];
    let state = State {
        hidden: written::elements(hidden, HIDDEN)?,
        cell: written::elements(cell, CELL)?,
    };
    let output = written::elements(output, OUTPUT)?;
    lstm::run(shape, arithmetic, &gates, others.get(0)?, state, output)?;
    Ok(())
}

/// UNIDIRECTIONAL_SEQUENCE_LSTM of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        /// Shapes.
        pub shape: Lstm,
        /// The cell stays within this of zero, if it is above zero.
        pub clip: f32,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::UnidirectionalSequenceLstm);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let types = Types {
            value: Dtype::Float32,
            weight: Dtype::Float32,
            bias: Dtype::Float32,
            cell: Dtype::Float32,
        };
        let (shape, clip) = check(cx, &types)?;
        *prepared = PreparedFloat32 { shape, clip };
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let arithmetic = lstm::Float32 {
            clip: prepared.clip,
        };
        run(&prepared.shape, &arithmetic, io)
    }
}

/// UNIDIRECTIONAL_SEQUENCE_LSTM of integers, with weights of int8 and a cell of int16.
pub struct OfIntegers<T>(PhantomData<T>);

/// UNIDIRECTIONAL_SEQUENCE_LSTM of int8.
pub type Int8 = OfIntegers<i8>;

/// UNIDIRECTIONAL_SEQUENCE_LSTM of int16, with biases of int64.
pub type Int16 = OfIntegers<i16>;

ember_core::plain! {
    /// What [`OfIntegers`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedIntegers {
        /// Shapes.
        pub shape: Lstm,
        /// Scales and zero points.
        pub quantization: Quantization,
    }
}

impl<T: lstm::Activation<Bias: Typed> + Typed> Kernel for OfIntegers<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::UnidirectionalSequenceLstm);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = PreparedIntegers;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedIntegers) -> Result<(), Refused> {
        let types = Types {
            value: T::DTYPE,
            weight: Dtype::Int8,
            bias: T::Bias::DTYPE,
            cell: Dtype::Int16,
        };
        let (shape, clip) = check(cx, &types)?;
        *prepared = PreparedIntegers {
            shape,
            quantization: quantization(cx, clip)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedIntegers, io: Io<'_>) -> Result<(), InvokeFault> {
        let arithmetic = Quantized::<T>(&prepared.quantization, PhantomData);
        run(&prepared.shape, &arithmetic, io)
    }
}

/// `2^-12`: sums of a gate are Q3.12.
const SUM_SCALE: f32 = 1.0 / 4096.0;

/// `2^-15`: what gates give is Q0.15.
const GATE_SCALE: f32 = 1.0 / 32768.0;

/// Scales and zero points (`PrepareGateParametersInteger` and `CreateLstmCellStateInfo`).
#[inline(never)]
fn quantization(cx: &Prepare<'_>, clip: f32) -> Result<Quantization, Refused> {
    let (input_scale, input_zero_point) = cx.any(Slot::input(0))?.affine()?;
    let (hidden_scale, hidden_zero_point) = cx.any(HIDDEN)?.affine()?;
    let cell_scale = cx.any(CELL)?.scale_about(0)?;
    let multiplier = |a: f32, b: f32, divisor: f32, slot: Slot| {
        let multiplier = QuantizedMultiplier::from_ratio(a, b, divisor);
        cx.expect(
            (multiplier.shift <= 30).then_some(multiplier),
            Fault::Scale(slot),
        )
    };
    let weighed = |first: u8, gate: u8, scale: f32| {
        let slot = Slot::input(first.wrapping_add(gate));
        // FULLY_CONNECTED takes this product in single precision.
        let (weight_scale, zero_point) = cx.any(slot)?.affine()?;
        let multiplier = multiplier(scale * weight_scale, 1.0, SUM_SCALE, slot)?;
        Ok::<_, Refused>((multiplier, zero_point))
    };
    let mut gates = [Scales::default(); 4];
    for (scales, gate) in gates.iter_mut().zip(0..) {
        let (input, input_weight_zero) = weighed(WEIGHTS, gate, input_scale)?;
        let (hidden, hidden_weight_zero) = weighed(RECURRENT, gate, hidden_scale)?;
        *scales = Scales {
            input,
            hidden,
            input_weight_zero,
            hidden_weight_zero,
        };
    }
    let clip = if clip > 0.0 {
        // Towards zero, and within int16.
        (f64::from(clip) / f64::from(cell_scale)).min(32767.0) as i32
    } else {
        1 << 15
    };
    Ok(Quantization {
        gates,
        input_zero_point,
        hidden_zero_point,
        forget: multiplier(GATE_SCALE, cell_scale, cell_scale, CELL)?,
        update: multiplier(GATE_SCALE, GATE_SCALE, cell_scale, CELL)?,
        output: multiplier(GATE_SCALE, GATE_SCALE, hidden_scale, HIDDEN)?,
        tanh: cx.expect(Steps::of_power(cell_scale), Fault::Scale(CELL))?,
        clip,
    })
}
