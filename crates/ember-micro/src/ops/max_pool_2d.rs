//! MAX_POOL_2D: `micro/kernels/pooling_common.cc`.

use ember_core::{BuiltinOp, Clamp, Dtype};
use ember_kernels::Axis;
use ember_kernels::max_pool_2d::{self, Pool2d};
use ember_tflite::{OpCode, Pool2dOptions};

use super::linear;
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

crate::record! {
    Pool2d { batches: u32, rows: Axis, columns: Axis, channels: u32 }
}

/// A pooling with the range of its output.
pub struct Prepared<T> {
    pub(super) shape: Pool2d,
    pub(super) range: Clamp<T>,
}

crate::record! {
    Prepared::<i32> { shape: Pool2d, range: Clamp<i32> }
    Prepared::<f32> { shape: Pool2d, range: Clamp<f32> }
}

fn check(cx: &Prepare<'_>, dtype: Dtype) -> Result<(Pool2d, Pool2dOptions), Refused> {
    cx.arity(1..=1, 1)?;
    let options = cx.options::<Pool2dOptions>()?;
    let [batches, height, width, channels] = cx.input(0, dtype)?.dims()?;
    let window = (
        u32::try_from(options.filter_height),
        u32::try_from(options.filter_width),
    );
    let (Ok(rows), Ok(columns)) = window else {
        return Err(cx.refuse(Fault::Options));
    };
    let rows = linear::axis(cx, height, rows, options.stride_h, 1, options.padding)?;
    let columns = linear::axis(cx, width, columns, options.stride_w, 1, options.padding)?;
    cx.output(0, dtype)?
        .dims_are(&[batches, rows.output, columns.output, channels])?;
    let shape = Pool2d {
        batches,
        rows,
        columns,
        channels,
    };
    Ok((shape, options))
}

/// Prepares either pooling on int8: input and output have one quantization.
pub(super) fn prepare_int8(cx: &Prepare<'_>) -> Result<Prepared<i32>, Refused> {
    let (shape, options) = check(cx, Dtype::Int8)?;
    let (input, output) = (cx.input(0, Dtype::Int8)?, cx.output(0, Dtype::Int8)?);
    let (input_scale, input_zero_point) = input.affine_int8()?;
    let (output_scale, output_zero_point) = output.affine_int8()?;
    let difference = input_scale - output_scale;
    if !(-1e-6..=1e-6).contains(&difference) || input_zero_point != output_zero_point {
        return Err(cx.refuse(Fault::Rescale));
    }
    let range = linear::int8_range(cx, &output, options.fused_activation_function)?;
    Ok(Prepared { shape, range })
}

/// Prepares either pooling on float32.
pub(super) fn prepare_float32(cx: &Prepare<'_>) -> Result<Prepared<f32>, Refused> {
    let (shape, options) = check(cx, Dtype::Float32)?;
    let range = linear::float32_range(cx, options.fused_activation_function)?;
    Ok(Prepared { shape, range })
}

/// MAX_POOL_2D of int8.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::MaxPool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = Prepared<i32>;

    fn prepare(cx: &Prepare<'_>) -> Result<Prepared<i32>, Refused> {
        prepare_int8(cx)
    }

    fn run(prepared: Prepared<i32>, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        max_pool_2d::int8(&prepared.shape, prepared.range, inputs.get(0)?, output)?;
        Ok(())
    }
}

/// MAX_POOL_2D of float32.
pub struct Float32;

impl Kernel for Float32 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::MaxPool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Float32);
    type Prepared = Prepared<f32>;

    fn prepare(cx: &Prepare<'_>) -> Result<Prepared<f32>, Refused> {
        prepare_float32(cx)
    }

    fn run(prepared: Prepared<f32>, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        max_pool_2d::float32(&prepared.shape, prepared.range, inputs.get(0)?, output)?;
        Ok(())
    }
}
