//! L2_NORMALIZATION and L2_POOL_2D: `micro/kernels/l2norm.cc` and `l2_pool_2d.cc`.

use ember_core::view::Pair;
use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::l2;
use ember_kernels::max_pool_2d::Pool2d;
use ember_tflite::{L2NormOptions, OpCode};

use super::{linear, pool_2d};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// Checks what both types ask for; gives the length of a row.
fn depth(cx: &Prepare<'_>) -> Result<u32, Refused> {
    cx.arity(1..=1, 1)?;
    let activation = cx.options::<L2NormOptions>()?.fused_activation_function;
    if activation != Activation::None {
        return Err(cx.refuse(Fault::Activation(activation)));
    }
    let input = cx.same_elements()?;
    // TFLM reads beyond the shape of a scalar, LiteRT refuses it.
    let fault = Fault::Rank {
        slot: input.slot(),
        found: 0,
        expected: 1,
    };
    Ok(cx.expect(input.shape()?.last(), fault)? as u32)
}

/// L2_NORMALIZATION of float32 along the last dimension.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::L2Normalization);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = [u32; 1];

    fn prepare(cx: &Prepare<'_>, prepared: &mut [u32; 1]) -> Result<(), Refused> {
        *prepared = [depth(cx)?];
        Ok(())
    }

    fn run(&[depth]: &[u32; 1], io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        Ok(l2::float32(depth, inputs.get(0)?, output)?)
    }
}

/// L2_NORMALIZATION of int8 along the last dimension.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::L2Normalization);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Pair<u32, i32>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Pair<u32, i32>) -> Result<(), Refused> {
        prepared.first = depth(cx)?;
        let (_, zero_point) = cx.any(Slot::input(0))?.affine()?;
        prepared.second = zero_point;
        let output = cx.any(Slot::output(0))?;
        if output.scale_about(0)? != 1.0 / 128.0 {
            return Err(cx.refuse(Fault::Scale(output.slot())));
        }
        Ok(())
    }

    fn run(prepared: &Pair<u32, i32>, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = *prepared;
        Ok(l2::int8(first, second, inputs.get(0)?, output)?)
    }
}

/// L2_POOL_2D of float32.
pub struct Pool;

impl Kernel for Pool {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::L2Pool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Pair<Pool2d, Clamp<f32>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let activation = pool_2d::prepare(cx, Dtype::Float32, &mut prepared.first)?;
        prepared.second = linear::float32_range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let Pair { first, second } = prepared;
        Ok(l2::pool(first, *second, inputs.get(0)?, output)?)
    }
}
