//! MAX_POOL_2D: `micro/kernels/pooling_common.cc`.

use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::max_pool_2d::{self, Pool2d};
use ember_tflite::{OpCode, Pool2dOptions};

use super::linear::{self, WindowOptions};
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

ember_core::plain! {
    /// What a pooling on int8 prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedInt8 {
        pub(super) shape: Pool2d,
        pub(super) range: Clamp<i32>,
    }

    /// What a pooling on float32 prepares.
    #[derive(Clone, Copy)]
    pub struct PreparedFloat32 {
        pub(super) shape: Pool2d,
        pub(super) range: Clamp<f32>,
    }
}

#[inline(never)]
fn prepare(cx: &Prepare<'_>, dtype: Dtype, shape: &mut Pool2d) -> Result<Activation, Refused> {
    cx.arity(1..=1, 1)?;
    let options = cx.options::<Pool2dOptions>()?;
    let window = WindowOptions {
        padding: options.padding,
        // A negative number becomes a great one, which does not fit.
        sizes: [options.filter_height, options.filter_width].map(i32::cast_unsigned),
        strides: [options.stride_h, options.stride_w],
        dilations: [1, 1],
    };
    let (rows, columns) = (&mut shape.rows, &mut shape.columns);
    let [batches, channels] = linear::window(cx, dtype, &window, None, rows, columns)?;
    shape.batches = batches;
    shape.channels = channels;
    Ok(options.fused_activation_function)
}

/// Prepares either pooling on int8: input and output have one quantization.
#[inline(never)]
pub(super) fn prepare_int8(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
    let activation = prepare(cx, Dtype::Int8, &mut prepared.shape)?;
    let (input, output) = (cx.input(0, Dtype::Int8)?, cx.output(0, Dtype::Int8)?);
    let (input_scale, input_zero_point) = input.affine_int8()?;
    let (output_scale, output_zero_point) = output.affine_int8()?;
    let difference = input_scale - output_scale;
    if !(-1e-6..=1e-6).contains(&difference) || input_zero_point != output_zero_point {
        return Err(cx.refuse(Fault::Rescale));
    }
    prepared.range = linear::int8_range(cx, &output, activation)?;
    Ok(())
}

/// Prepares either pooling on float32.
pub(super) fn prepare_float32(
    cx: &Prepare<'_>,
    prepared: &mut PreparedFloat32,
) -> Result<(), Refused> {
    let activation = prepare(cx, Dtype::Float32, &mut prepared.shape)?;
    prepared.range = linear::float32_range(cx, activation)?;
    Ok(())
}

/// MAX_POOL_2D of int8.
pub struct Int8;

impl Kernel for Int8 {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::MaxPool2d);
    const DTYPE: Option<Dtype> = Some(Dtype::Int8);
    type Prepared = PreparedInt8;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedInt8) -> Result<(), Refused> {
        prepare_int8(cx, prepared)
    }

    fn run(prepared: &PreparedInt8, io: Io<'_>) -> Result<(), InvokeFault> {
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
    type Prepared = PreparedFloat32;

    fn prepare(cx: &Prepare<'_>, prepared: &mut PreparedFloat32) -> Result<(), Refused> {
        prepare_float32(cx, prepared)
    }

    fn run(prepared: &PreparedFloat32, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        max_pool_2d::float32(&prepared.shape, prepared.range, inputs.get(0)?, output)?;
        Ok(())
    }
}
