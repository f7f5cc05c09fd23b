//! AVERAGE_POOL_2D: `micro/kernels/pooling_common.cc`.

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::average_pool_2d;
use ember_tflite::OpCode;

use super::max_pool_2d::{PreparedFloat32, PreparedInt8, prepare_float32, prepare_int8};
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// AVERAGE_POOL_2D of int8.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::AveragePool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        prepare_int8(cx, prepared)
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        average_pool_2d::int8(&prepared.shape, prepared.range, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// AVERAGE_POOL_2D of float32.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::AveragePool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        prepare_float32(cx, prepared)
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        average_pool_2d::float32(&prepared.shape, prepared.range, inputs.get(0)?, output)?;
        Ok(())
    }
}
