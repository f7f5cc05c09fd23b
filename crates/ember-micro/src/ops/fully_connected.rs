//! FULLY_CONNECTED: `micro/kernels/fully_connected_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_tflite::{FullyConnectedOptions, OpCode, WeightsFormat};

use super::linear::{self, QuantizedOutput};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

crate::record! { FullyConnected { batches: u32, depth: u32, units: u32 } }

#[inline(never)]
fn check(cx: &Prepare<'_>, dtype: Dtype) -> Result<(FullyConnected, Activation), Refused> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<FullyConnectedOptions>()?;
    if options.weights_format != WeightsFormat::Default {
        return Err(cx.refuse(Fault::Options));
    }
    let input = cx.input(0, dtype)?;
    let filter = cx.input(1, dtype)?;
    let [units, depth] = filter.dims()?;
    // The input's dimensions do not matter, only that its elements make whole rows.
    let elements = input.elements();
    let batches = elements.checked_div(depth).unwrap_or(0);
    if batches.wrapping_mul(depth) != elements || depth == 0 {
        filter.size_is(1, depth, elements)?;
    }
    let expected = batches.checked_mul(units);
    cx.output(0, dtype)?
        .elements_are(cx.expect(expected, Fault::Options)?)?;
    linear::bias(cx, dtype, units)?;
    let shape = FullyConnected {
        batches,
        depth,
        units,
    };
    Ok((shape, options.fused_activation_function))
}

/// FULLY_CONNECTED of int8 with int8 weights and int32 bias.
pub struct Int8;

/// What [`Int8`] prepares.
pub struct PreparedInt8 {
    shape: FullyConnected,
    quantized: QuantizedOutput,
    filter_zero_point: i32,
}

crate::record! {
    PreparedInt8 { shape: FullyConnected, quantized: QuantizedOutput, filter_zero_point: i32 }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::FullyConnected);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>) -> Result<PreparedInt8, Refused> {
        let (shape, activation) = check(cx, Dtype::Int8)?;
        let filter = cx.input(1, Dtype::Int8)?;
        let mut filter_zero_point = 0;
        let quantized = if filter.quantization()?.len() > 1 {
            QuantizedOutput::prepare(cx, activation, shape.units)?
        } else {
            let (filter_scale, zero_point) = filter.affine_int8()?;
            filter_zero_point = zero_point;
            let bias_scale = match linear::bias(cx, Dtype::Int8, shape.units)? {
                Some(bias) => bias.quantization()?.scale(0),
                None => None,
            };
            QuantizedOutput::prepare_single(cx, filter_scale, bias_scale, activation)?
        };
        Ok(PreparedInt8 {
            shape,
            quantized,
            filter_zero_point,
        })
    }

    fn run(prepared: PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output, kept) = linear::split_int8(io)?;
        let arithmetic = prepared.quantized.arithmetic(kept, &inputs)?;
        fully_connected::int8(
            &prepared.shape,
            &arithmetic,
            prepared.filter_zero_point,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}

/// FULLY_CONNECTED of float32.
pub struct Float32;

/// What [`Float32`] prepares.
pub struct PreparedFloat32 {
    shape: FullyConnected,
    range: Clamp<f32>,
}

crate::record! { PreparedFloat32 { shape: FullyConnected, range: Clamp<f32> } }

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::FullyConnected);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>) -> Result<PreparedFloat32, Refused> {
        let (shape, activation) = check(cx, Dtype::Float32)?;
        let range = linear::float32_range(cx, activation)?;
        Ok(PreparedFloat32 { shape, range })
    }

    fn run(prepared: PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let arithmetic = linear::float32_arithmetic(prepared.range, &inputs)?;
        fully_connected::float32(
            &prepared.shape,
            &arithmetic,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}
