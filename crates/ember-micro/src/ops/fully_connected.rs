//! FULLY_CONNECTED: `micro/kernels/fully_connected_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_tflite::{FullyConnectedOptions, OpCode, WeightsFormat};

use super::linear::{self, QuantizedOutput};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

#[inline(never)]
fn prepare(
    cx: &Prepare<'_>,
    dtype: Dtype,
    shape: &mut FullyConnected,
) -> Result<Activation, Refused> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<FullyConnectedOptions>()?;
    if options.weights_format != WeightsFormat::Default {
        return Err(cx.refuse(Fault::Options));
    }
    let filter = cx.input(1, dtype)?;
    let [units, depth] = filter.dims()?;
    // The input's dimensions do not matter, only that its elements make whole rows.
    let elements = cx.input(0, dtype)?.elements();
    let batches = elements.checked_div(depth).unwrap_or(0);
    if batches.wrapping_mul(depth) != elements || depth == 0 {
        filter.size_is(1, depth, elements)?;
    }
    let expected = cx.expect(batches.checked_mul(units), Fault::Options)?;
    cx.output(0, dtype)?.elements_are(expected)?;
    linear::check_bias(cx, dtype, units)?;
    shape.batches = batches;
    shape.depth = depth;
    shape.units = units;
    Ok(options.fused_activation_function)
}

/// FULLY_CONNECTED of int8 with int8 weights and int32 bias.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        shape: FullyConnected,
        quantized: QuantizedOutput,
        filter_zero_point: i32,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::FullyConnected);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let PreparedInt8 {
            shape,
            quantized,
            filter_zero_point,
        } = prepared;
        let activation = prepare(cx, Dtype::Int8, shape)?;
        let filter = cx.any(linear::FILTER)?;
        let single = filter.quantization()?.len() == 1;
        *filter_zero_point = if single { filter.affine_int8()?.1 } else { 0 };
        quantized.prepare(cx, activation, shape.units, single)
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        let zero = prepared.filter_zero_point;
        Ok(fully_connected::int8(
            &prepared.shape,
            &arithmetic,
            zero,
            input,
            filter,
            output,
        )?)
    }
}

/// FULLY_CONNECTED of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        shape: FullyConnected,
        range: Clamp<f32>,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::FullyConnected);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let activation = prepare(cx, Dtype::Float32, &mut prepared.shape)?;
        prepared.range = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let arithmetic = linear::float32_arithmetic(prepared.range, &inputs)?;
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(fully_connected::float32(
            &prepared.shape,
            &arithmetic,
            input,
            filter,
            output,
        )?)
    }
}
