//! ADD: `micro/kernels/add_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype, QuantizedMultiplier};
use ember_kernels::add;
use ember_kernels::broadcast::Broadcast;
use ember_tflite::{AddOptions, OpCode};

use super::linear;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The sizes from the innermost dimension outwards.
fn innermost_first(shape: ember_tflite::Shape<'_>) -> impl Iterator<Item = u32> {
    let len = shape.len();
    (1..=len).map(move |back| shape.get(len - back).unwrap_or(1) as u32)
}

fn check(cx: &Prepare<'_>, dtype: Dtype, shape: &mut Broadcast) -> Result<Activation, Refused> {
    cx.arity(2..=2, 1)?;
    let activation = cx.options::<AddOptions>()?.fused_activation_function;
    let input1 = cx.input(0, dtype)?.shape()?;
    let input2 = cx.input(1, dtype)?.shape()?;
    let found = Broadcast::new(innermost_first(input1), innermost_first(input2));
    *shape = cx.expect(found, Fault::Broadcast)?;
    let elements = shape
        .axes
        .iter()
        .try_fold(1u32, |n, axis| n.checked_mul(axis.size));
    cx.output(0, dtype)?
        .elements_are(cx.expect(elements, Fault::Broadcast)?)?;
    Ok(activation)
}

/// ADD of int8.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        shape: Broadcast,
        quantization: add::Int8,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Add);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let activation = check(cx, Dtype::Int8, &mut prepared.shape)?;
        let output = cx.output(0, Dtype::Int8)?;
        let (scale1, zero1) = cx.input(0, Dtype::Int8)?.affine_int8()?;
        let (scale2, zero2) = cx.input(1, Dtype::Int8)?.affine_int8()?;
        let (output_scale, output_zero_point) = output.affine_int8()?;
        let twice_the_greater = 2.0 * if scale1 > scale2 { scale1 } else { scale2 };
        // 1 / 2^LEFT_SHIFT, exactly.
        const UNSHIFT: f32 = 1.0 / (1u32 << add::LEFT_SHIFT) as f32;
        let ratio = QuantizedMultiplier::from_ratio;
        let output_multiplier = ratio(twice_the_greater, UNSHIFT, output_scale);
        // TFLM takes multipliers below 1 only: more than 2^20 steps of output in one of input make no sense.
        if output_multiplier.shift > 0 {
            return Err(cx.refuse(Fault::Scale(Slot::output(0))));
        }
        prepared.quantization = add::Int8 {
            input_zero_points: [zero1, zero2],
            input_multipliers: [
                ratio(scale1, 1.0, twice_the_greater),
                ratio(scale2, 1.0, twice_the_greater),
            ],
            output_multiplier,
            output_zero_point,
            range: linear::int8_range(cx, &output, activation)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedInt8 {
            shape,
            quantization,
        } = prepared;
        add::int8(shape, quantization, inputs.get(0)?, inputs.get(1)?, output)?;
        Ok(())
    }
}

/// ADD of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        shape: Broadcast,
        range: Clamp<f32>,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Add);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let activation = check(cx, Dtype::Float32, &mut prepared.shape)?;
        prepared.range = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        add::float32(
            &prepared.shape,
            prepared.range,
            inputs.get(0)?,
            inputs.get(1)?,
            output,
        )?;
        Ok(())
    }
}
