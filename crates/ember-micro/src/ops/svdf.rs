//! SVDF: `micro/kernels/svdf_common.cc`. The state is a variable among the inputs.

use core::marker::PhantomData;

use ember_core::{Activation, BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::Element;
use ember_kernels::svdf::{self, Arithmetic, Quantization, Quantized, Svdf, Weights};
use ember_tflite::{OpCode, SvdfOptions};

use super::typed::Typed;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;
use crate::written;

const FEATURE: u8 = 1;
const TIME: u8 = 2;
const BIAS: u8 = 3;
const STATE: Slot = Slot::input(4);
const OUTPUT: Slot = Slot::output(0);

/// The types of an SVDF's tensors.
struct Types {
    value: Dtype,
    state: Dtype,
    bias: Dtype,
}

/// Checks types and shapes; gives the shape and the fused activation.
#[inline(never)]
fn check(cx: &Prepare<'_>, types: &Types) -> Result<(Svdf, Activation), Refused> {
    cx.arity(5..=5, 1)?;
    let options = cx.options::<SvdfOptions>()?;
    let [batches, inputs] = cx.input(0, types.value)?.dims()?;
    let feature = cx.input(FEATURE, types.value)?;
    let [filters, _] = feature.dims()?;
    feature.dims_are(&[filters, inputs])?;
    let rank = u32::try_from(options.rank).ok();
    let units = rank.filter(|rank| filters.checked_rem(*rank) == Some(0));
    let rank = cx.expect(units, Fault::Options)?;
    let units = filters.checked_div(rank).unwrap_or(0);
    let time = cx.input(TIME, types.state)?;
    let [_, memory] = time.dims()?;
    time.dims_are(&[filters, memory])?;
    if let Some(bias) = cx.optional_input(BIAS, types.bias)? {
        bias.dims_are(&[units])?;
    }
    let state = cx.typed(STATE, types.state)?;
    state.is_variable()?;
    let remembered = cx.expect(memory.checked_mul(filters), Fault::Options)?;
    state.dims_are(&[batches, remembered])?;
    cx.typed(OUTPUT, types.value)?.dims_are(&[batches, units])?;
    let shape = Svdf {
        batches,
        inputs,
        units,
        rank,
        memory,
    };
    let empty = [batches, inputs, units, memory].contains(&0);
    if empty {
        return Err(cx.refuse(Fault::Options));
    }
    Ok((shape, options.fused_activation_function))
}

fn run<A: Arithmetic>(shape: &Svdf, arithmetic: &A, io: Io<'_>) -> Result<(), InvokeFault> {
    let ([state, output], others) = io.written([STATE, OUTPUT])?;
    let weights = Weights {
        feature: others.get(FEATURE)?,
        time: others.get(TIME)?,
        bias: others.optional(BIAS)?,
    };
    let state = written::elements(state, STATE)?;
    let output = written::elements(output, OUTPUT)?;
    svdf::run(shape, arithmetic, &weights, others.get(0)?, state, output)?;
    Ok(())
}

/// SVDF of int8, with a state and weights over time of `T`.
pub struct OfInt8<T>(PhantomData<T>);

/// SVDF of int8 throughout.
pub type Int8 = OfInt8<i8>;

/// SVDF of int8 with a state of int16.
pub type Int8WithInt16 = OfInt8<i16>;

ember_core::plain! {
    /// What [`OfInt8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        /// Shapes.
        pub shape: Svdf,
        /// Scales and zero points.
        pub quantization: Quantization,
    }
}

impl<T: Element<Wide = i32> + Typed> Kernel for OfInt8<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Svdf);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::input(TIME), T::DTYPE));
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let types = Types {
            value: Dtype::Int8,
            state: T::DTYPE,
            bias: Dtype::Int32,
        };
        let (shape, _) = check(cx, &types)?;
        *prepared = PreparedInt8 {
            shape,
            quantization: quantization(cx)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let arithmetic = Quantized::<T>(&prepared.quantization, PhantomData);
        run(&prepared.shape, &arithmetic, io)
    }
}

/// Scales and zero points (`PrepareSvdf`): products of scales are taken in single precision.
#[inline(never)]
fn quantization(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
    let (input, state) = (cx.any(Slot::input(0))?, cx.any(STATE)?);
    let (input_scale, input_zero_point) = input.affine()?;
    let feature_scale = cx.any(Slot::input(FEATURE))?.scale_about(0)?;
    let time_scale = cx.any(Slot::input(TIME))?.scale_about(0)?;
    let (state_scale, state_zero_point) = state.affine()?;
    let output = cx.any(OUTPUT)?;
    let (output_scale, output_zero_point) = output.affine()?;
    let sum_scale = state_scale * time_scale;
    if let Some(bias) = cx.optional_input(BIAS, Dtype::Int32)? {
        let scale = bias.quantization()?.scale(0).unwrap_or_default();
        const LIMIT: f32 = 1e-5;
        if !(-LIMIT..LIMIT).contains(&(scale - sum_scale)) {
            return Err(cx.refuse(Fault::Scale(bias.slot())));
        }
    }
    let multiplier = |factor: f32, slot: Slot| {
        let multiplier = QuantizedMultiplier::from_ratio(factor, 1.0, 1.0);
        cx.expect(
            (multiplier.shift <= 30).then_some(multiplier),
            Fault::Scale(slot),
        )
    };
    Ok(Quantization {
        input_zero_point,
        feature: multiplier(input_scale * feature_scale / state_scale, STATE)?,
        state_zero_point,
        time: multiplier(sum_scale / output_scale, OUTPUT)?,
        output_zero_point,
    })
}

/// SVDF of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        /// Shapes.
        pub shape: Svdf,
        /// The code of the fused activation.
        pub activation: i32,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Svdf);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let types = Types {
            value: Dtype::Float32,
            state: Dtype::Float32,
            bias: Dtype::Float32,
        };
        let (shape, activation) = check(cx, &types)?;
        *prepared = PreparedFloat32 {
            shape,
            activation: activation as i32,
        };
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let activation = Activation::from_code(prepared.activation as i8);
        let activation = activation.ok_or(InvokeFault::Prepared)?;
        run(&prepared.shape, &svdf::Float32(activation), io)
    }
}
