//! SOFTMAX: `micro/kernels/softmax_common.cc`.

use ember_core::{BuiltinOp, Dtype, QuantizedMultiplier};
use ember_kernels::softmax::{self, Softmax};
use ember_tflite::{OpCode, SoftmaxOptions};

use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Operand, Prepare};

fn check(cx: &Prepare<'_>) -> Result<(Softmax, f32), Refused> {
    let shape = shape(cx)?;
    Ok((shape, cx.options::<SoftmaxOptions>()?.beta))
}

/// The rows of the only input; the output has as many elements.
pub(super) fn shape(cx: &Prepare<'_>) -> Result<Softmax, Refused> {
    cx.arity(1..=1, 1)?;
    rows(&cx.same_elements()?)
}

fn rows(input: &Operand<'_>) -> Result<Softmax, Refused> {
    let depth = input.shape()?.last().unwrap_or(1) as u32;
    Ok(Softmax {
        outer: input.elements().checked_div(depth).unwrap_or(0),
        depth,
    })
}

/// SOFTMAX of int8 to int8.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        /// Rows and their length.
        pub shape: Softmax,
        /// How differences of the input are scaled.
        pub quantization: softmax::Int8,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Softmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let (shape, beta) = check(cx)?;
        let output = cx.output(0, Dtype::Int8)?;
        let (output_scale, output_zero_point) = output.affine()?;
        if output_scale != 1.0 / 256.0 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        if output_zero_point != -128 {
            return Err(cx.refuse(Fault::ZeroPoint {
                slot: output.slot(),
                found: output_zero_point,
            }));
        }
        *prepared = PreparedInt8 {
            shape,
            quantization: quantization(cx, beta)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(softmax::int8(
            &prepared.shape,
            &prepared.quantization,
            inputs.get(0)?,
            output,
        )?)
    }
}

/// How differences of the input are scaled.
fn quantization(cx: &Prepare<'_>, beta: f32) -> Result<softmax::Int8, Refused> {
    let input = cx.input(0, Dtype::Int8)?;
    let (scale, _) = input.affine()?;
    let quantization = softmax::Int8::new(beta, scale);
    cx.expect(quantization, Fault::Scale(input.slot()))
}

/// SOFTMAX of int8 to int16.
pub struct Int8ToInt16;

impl Kernel for Int8ToInt16 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Softmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    const OTHER: Option<(Slot, Dtype)> = Some((Slot::output(0), Dtype::Int16));
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        cx.arity(1..=1, 1)?;
        let input = cx.input(0, Dtype::Int8)?;
        let output = cx.output(0, Dtype::Int16)?;
        output.elements_are(input.elements())?;
        let beta = cx.options::<SoftmaxOptions>()?.beta;
        // TFLM allows for a thousandth.
        const OUTPUT_SCALE: f32 = 1.0 / 65536.0;
        let limit = 0.001 * OUTPUT_SCALE;
        if !(-limit..=limit).contains(&(output.scale_about(-32768)? - OUTPUT_SCALE)) {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        *prepared = PreparedInt8 {
            shape: rows(&input)?,
            quantization: quantization(cx, beta)?,
        };
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedInt8 {
            shape,
            quantization,
        } = prepared;
        softmax::int8_to_int16(shape, quantization, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// SOFTMAX of int16 to int16.
pub struct Int16;

ember_core::plain! {
    /// What [`Int16`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt16 {
        /// Rows and their length.
        pub shape: Softmax,
        /// How differences of the input are scaled.
        pub multiplier: QuantizedMultiplier,
    }
}

impl Kernel for Int16 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Softmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Int16);
    type Prepared = PreparedInt16;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt16) -> Result<(), Refused> {
        let (shape, beta) = check(cx)?;
        let (input, output) = (cx.input(0, Dtype::Int16)?, cx.output(0, Dtype::Int16)?);
        let scale = input.scale_about(0)?;
        let output_scale = output.scale_about(0)?;
        // TFLM allows for a thousandth.
        const OUTPUT_SCALE: f32 = 1.0 / 32768.0;
        let limit = 0.001 * OUTPUT_SCALE;
        if !(-limit..=limit).contains(&(output_scale - OUTPUT_SCALE)) {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        let multiplier = softmax::int16::multiplier(beta, scale);
        let multiplier = cx.expect(multiplier, Fault::Scale(input.slot()))?;
        *prepared = PreparedInt16 { shape, multiplier };
        Ok(())
    }

    fn run(prepared: &PreparedInt16, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedInt16 { shape, multiplier } = prepared;
        softmax::int16::softmax(shape, *multiplier, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// SOFTMAX of float32.
pub struct Float32;

ember_core::plain! {
    /// What [`Float32`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        /// Rows and their length.
        pub shape: Softmax,
        /// What the input is multiplied by.
        pub beta: f32,
    }
}

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Softmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        let (shape, beta) = check(cx)?;
        *prepared = PreparedFloat32 { shape, beta };
        Ok(())
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(softmax::float32(
            &prepared.shape,
            prepared.beta,
            inputs.get(0)?,
            output,
        )?)
    }
}
