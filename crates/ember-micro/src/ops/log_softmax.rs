//! LOG_SOFTMAX: `micro/kernels/log_softmax.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::log_softmax;
use ember_kernels::softmax::Softmax;
use ember_tflite::OpCode;

use super::softmax;
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// The rows of the input, which has at least one dimension: TFLM reads beyond the shape of a scalar.
fn shape(cx: &Prepare<'_>) -> Result<Softmax, Refused> {
    let shape = softmax::shape(cx)?;
    let slot = Slot::input(0);
    let fault = Fault::Rank {
        slot,
        found: 0,
        expected: 1,
    };
    cx.expect(cx.any(slot)?.shape()?.last(), fault)?;
    Ok(shape)
}

/// LOG_SOFTMAX of int8 to int8.
pub struct Int8;

ember_core::plain! {
    /// What [`Int8`] prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        /// Rows and their length.
        pub shape: Softmax,
        /// How differences of the input are scaled, and back.
        pub quantization: log_softmax::Int8,
    }
}

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::LogSoftmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        let shape = shape(cx)?;
        let (input, output) = (cx.input(0, Dtype::Int8)?, cx.output(0, Dtype::Int8)?);
        if output.scale_about(127)? != 1.0 / 16.0 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        let quantization = log_softmax::Int8::new(input.affine()?.0);
        let quantization = cx.expect(quantization, Fault::Scale(input.slot()))?;
        *prepared = PreparedInt8 {
            shape,
            quantization,
        };
        Ok(())
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let PreparedInt8 {
            shape,
            quantization,
        } = prepared;
        log_softmax::int8(shape, quantization, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// LOG_SOFTMAX of float32.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::LogSoftmax);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Softmax;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Softmax) -> Result<(), Refused> {
        *prepared = shape(cx)?;
        Ok(())
    }

    fn run(prepared: &Softmax, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        log_softmax::float32(prepared, inputs.get(0)?, output)?;
        Ok(())
    }
}
