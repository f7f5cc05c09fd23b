//! FULLY_CONNECTED: `micro/kernels/fully_connected_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::fully_connected::{self, FullyConnected};
use ember_tflite::{FullyConnectedOptions, OpCode, WeightsFormat};

use super::linear::{self, QuantizedOutput};
use crate::error::{Fault, InvokeFault};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

crate::record! { FullyConnected { batches: u32, depth: u32, units: u32 } }

struct Checked<'m> {
    shape: FullyConnected,
    activation: Activation,
    input: Operand<'m>,
    filter: Operand<'m>,
    bias: Option<Operand<'m>>,
    output: Operand<'m>,
}

fn check<'m>(cx: &Prepare<'_, 'm>, dtype: Dtype, bias: Dtype) -> Result<Checked<'m>, Fault> {
    cx.arity(2..=3, 1)?;
    let options = cx.options::<FullyConnectedOptions>()?;
    if options.weights_format != WeightsFormat::Default {
        return Err(Fault::Options);
    }
    let input = cx.input(0, dtype)?;
    let filter = cx.input(1, dtype)?;
    let output = cx.output(0, dtype)?;
    let [units, depth] = filter.dims()?;
    // The input's dimensions do not matter, only that its elements make whole rows.
    let Some(batches) = input.elements().checked_div(depth) else {
        return Err(Fault::Size {
            slot: filter.slot(),
            dimension: 1,
            found: depth,
            expected: input.elements(),
        });
    };
    let expected = batches.checked_mul(depth).unwrap_or(0);
    input.elements_are(expected)?;
    output.elements_are(batches.checked_mul(units).unwrap_or(0))?;
    let bias = linear::bias(cx, bias, units)?;
    Ok(Checked {
        shape: FullyConnected {
            batches,
            depth,
            units,
        },
        activation: options.fused_activation_function,
        input,
        filter,
        bias,
        output,
    })
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

    fn prepare(cx: &mut Prepare<'_, '_>) -> Result<PreparedInt8, Fault> {
        let Checked {
            shape,
            activation,
            input,
            filter,
            bias,
            output,
        } = check(cx, Dtype::Int8, Dtype::Int32)?;
        let mut filter_zero_point = 0;
        let quantized = if filter.quantization()?.len() > 1 {
            QuantizedOutput::prepare(cx, &input, &filter, &output, activation, shape.units)?
        } else {
            let (filter_scale, zero_point) = filter.affine_int8()?;
            filter_zero_point = zero_point;
            let bias_scale = match bias {
                Some(bias) => bias.quantization()?.scale(0),
                None => None,
            };
            QuantizedOutput::prepare_single(
                cx,
                &input,
                filter_scale,
                bias_scale,
                &output,
                activation,
            )?
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

    fn prepare(cx: &mut Prepare<'_, '_>) -> Result<PreparedFloat32, Fault> {
        let checked = check(cx, Dtype::Float32, Dtype::Float32)?;
        Ok(PreparedFloat32 {
            shape: checked.shape,
            range: linear::float32_range(checked.activation)?,
        })
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
