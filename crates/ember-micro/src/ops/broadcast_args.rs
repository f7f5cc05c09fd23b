//! BROADCAST_ARGS: `micro/kernels/broadcast_args.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, Dtype};
use ember_kernels::Int64;
use ember_kernels::broadcast_args::{self, Dimension};
use ember_tflite::OpCode;

use super::typed::Typed;
use crate::error::{InvokeFault, Refused};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::Prepare;

/// A dimension's type, with its one.
pub trait ShapeElement: Typed + Dimension {
    /// The dimension of what is repeated.
    const ONE: Self;
}

impl ShapeElement for i32 {
    const ONE: Self = 1;
}

impl ShapeElement for Int64 {
    const ONE: Self = Self::new(1);
}

/// BROADCAST_ARGS of shapes of type `T`.
pub struct Of<T>(PhantomData<T>);

/// BROADCAST_ARGS of shapes of int32.
pub type Int32 = Of<i32>;

/// BROADCAST_ARGS of shapes of int64.
pub type Wide = Of<Int64>;

impl<T: ShapeElement> Kernel for Of<T> {
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::BroadcastArgs);
    const DTYPE: Option<Dtype> = Some(T::DTYPE);
    type Prepared = ();

    fn prepare(cx: &Prepare<'_>, _prepared: &mut ()) -> Result<(), Refused> {
        cx.arity(2..=2, 1)?;
        let [first] = cx.input(0, T::DTYPE)?.dims()?;
        let [second] = cx.input(1, T::DTYPE)?.dims()?;
        cx.output(0, T::DTYPE)?.dims_are(&[first.max(second)])
    }

    fn run(_prepared: &(), io: Io<'_>) -> Result<(), InvokeFault> {
        let (inputs, output) = io.split()?;
        let (first, second) = (inputs.get(0)?, inputs.get(1)?);
        Ok(broadcast_args::shape(first, second, T::ONE, output)?)
    }
}
