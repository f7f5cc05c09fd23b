//! CONV_2D and the MAX_POOL_2D behind it, without the tensor between them.

use core::marker::PhantomData;

use ember_core::view::{Pair, Plain};
use ember_core::{BuiltinOp, Clamp, Dtype};
use ember_kernels::conv_2d::{self, Conv2d};
use ember_kernels::max_pool_2d::{MaxPool, Pool2d};
use ember_kernels::{Element, Linear};
use ember_tflite::OpCode;

use super::conv_2d::Op;
use super::linear::{self, FILTER, Operation, Types};
use super::pool_2d::{self, Pooled};
use crate::error::{Fault, InvokeFault, Refused, Slot};
use crate::io::Io;
use crate::kernel::Kernel;
use crate::prepare::{Prepare, Scratch};

/// Both operators on a combination of types.
pub struct Fused<T>(PhantomData<T>);

/// CONV_2D and MAX_POOL_2D of int8 with int8 weights and int32 bias.
pub type Int8 = Fused<linear::Int8>;

/// CONV_2D and MAX_POOL_2D of float32.
pub type Float32 = Fused<linear::Float32>;

ember_core::plain! {
    /// The sizes that [`Fused`] prepares.
    #[derive(Clone, Copy)]
    pub struct Shapes {
        conv: Conv2d,
        pool: Pool2d,
        scratch: Scratch,
    }
}

/// A combination of types whose outputs are pooled.
pub trait Pools: Types {
    /// Of the output.
    type Element: Pooled;
}

impl Pools for linear::Int8 {
    type Element = i8;
}

impl Pools for linear::Float32 {
    type Element = f32;
}

impl<T: Pools> Kernel for Fused<T>
where
    for<'s> T::Arithmetic<'s>: Linear<Output = T::Element>,
    Clamp<<T::Element as Element>::Wide>: Plain,
{
    const CODE: OpCode<'static> = OpCode::Builtin(BuiltinOp::Conv2d);
    const DTYPE: Option<Dtype> = Some(T::ACTIVATIONS);
    const OTHER: Option<(Slot, Dtype)> = Some((FILTER, T::WEIGHTS));
    const NEXT: Option<BuiltinOp> = Some(BuiltinOp::MaxPool2d);
    type Prepared = Pair<Shapes, Pair<T::Prepared, Clamp<<T::Element as Element>::Wide>>>;

    fn prepare(cx: &Prepare<'_>, prepared: &mut Self::Prepared) -> Result<(), Refused> {
        let Pair { first, second } = prepared;
        let outputs = Op::prepare(cx, (T::ACTIVATIONS, T::WEIGHTS), &mut first.conv)?;
        T::prepare::<Op>(cx, outputs, &mut second.first)?;
        let next = cx.next()?;
        let activation = pool_2d::prepare(&next, T::ACTIVATIONS, &mut first.pool)?;
        second.second = T::Element::range(&next, activation)?;
        if !first.conv.is_poolable(&first.pool) {
            return Err(next.refuse(Fault::Options));
        }
        first.scratch = cx.scratch::<u32>(first.conv.pooled_scratch_len(&first.pool))?;
        Ok(())
    }

    fn run(prepared: &Self::Prepared, io: Io<'_>) -> Result<(), InvokeFault> {
        let Pair { first, second } = prepared;
        let (scratch, io) = io.scratch(first.scratch)?;
        let (inputs, output, kept) = linear::split(io)?;
        let arithmetic = T::arithmetic(&second.first, kept, &inputs)?;
        let pool = MaxPool {
            shape: first.pool,
            range: second.second,
        };
        let (input, filter) = (inputs.get(0)?, inputs.get(1)?);
        Ok(conv_2d::convolve_pooled(
            &first.conv,
            &pool,
            &arithmetic,
            input,
            filter,
            scratch,
            output,
        )?)
    }
}
