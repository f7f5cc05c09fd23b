//! The poolings, MAX_POOL_2D and AVERAGE_POOL_2D, on any type: `micro/kernels/pooling_common.cc`.

use core::marker::PhantomData;

use ember_core::view::{Pair, Plain};
use ember_core::{Activation, BuiltinOp, Clamp, Dtype};
use ember_kernels::max_pool_2d::Pool2d;
use ember_kernels::{Element, KernelError};
use ember_tflite::{OpCode, Pool2dOptions};

use super::linear::{self, WindowOptions};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// What one pooling does, whatever the type.
pub trait Operation {
    /// The operator.
    const OP: BuiltinOp;

    /// Computes the output.
    ///
    /// # Errors
    /// A slice has not the length that it was prepared with, or a window lies wholly in the padding.
    fn run<T: Element>(
        shape: &Pool2d,
        range: Clamp<T::Wide>,
        input: &[T],
        output: &mut [T],
    ) -> Result<(), KernelError>;
}

/// An element that is pooled.
pub trait Pooled: Element {
    /// Its type in the file.
    const DTYPE: Dtype;

    /// What the fused activation leaves.
    ///
    /// # Errors
    /// Input and output differ in quantization.
    fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<Self::Wide>, Refused>;
}

macro_rules! integers {
    ($($type:ty: $dtype:ident;)*) => {
        $(impl Pooled for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<i32>, Refused> {
                integer_range(cx, activation)
            }
        })*
    };
}

integers! {
    i8: Int8;
    i16: Int16;
}

impl Pooled for f32 {
    const DTYPE: Dtype = Dtype::Float32;

    fn range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<Self>, Refused> {
        linear::float32_range(cx, activation)
    }
}

#[inline(never)]
fn integer_range(cx: &Prepare<'_>, activation: Activation) -> Result<Clamp<i32>, Refused> {
    let output = cx.any(Slot::output(0))?;
    let (input_scale, input_zero_point) = cx.any(Slot::input(0))?.affine()?;
    let (output_scale, output_zero_point) = output.affine()?;
    let difference = input_scale - output_scale;
    if !(-1e-6..=1e-6).contains(&difference) || input_zero_point != output_zero_point {
        return Err(cx.refuse(Fault::Rescale));
    }
    linear::integer_range(cx, &output, activation)
}

/// The kernel of a pooling on a type.
pub struct Pool<O, T>(PhantomData<(O, T)>);

impl<O: Operation, T: Pooled> Kernel for Pool<O, T>
where
    Clamp<T::Wide>: Plain,
{
    const CODE: OpCode<'static> = OpCode::Builtin(O::OP);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = Pair<Pool2d, Clamp<T::Wide>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let activation = prepare(cx, T::DTYPE, &mut prepared.first)?;
        prepared.second = T::range(cx, activation)?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split::<T>()?;
        let Pair { first, second } = prepared;
        Ok(O::run(first, *second, inputs.get(0)?, output)?)
    }
}

#[inline(never)]
pub(super) fn prepare(
    cx: &Prepare<'_>,
    dtype: Dtype,
    shape: &mut Pool2d,
) -> Result<Activation, Refused> {
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
