//! MAXIMUM and MINIMUM: `micro/kernels/maximum_minimum.cc`.

use core::marker::PhantomData;

use ember_core::BuiltinOp;
use ember_kernels::Int64;
use ember_kernels::maximum_minimum::{self, Ordered};

use super::binary::{ALL, BinaryKernel, Operation};
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

/// The greater of two elements of type `T`.
pub struct MaximumOf<T>(PhantomData<T>);

/// MAXIMUM of elements of type `T`.
pub type Maximum<T> = BinaryKernel<MaximumOf<T>>;

/// The lesser of two elements of type `T`.
pub struct MinimumOf<T>(PhantomData<T>);

/// MINIMUM of elements of type `T`.
pub type Minimum<T> = BinaryKernel<MinimumOf<T>>;

/// MAXIMUM of int64.
pub type MaximumInt64 = Maximum<Int64>;

/// MINIMUM of int64.
pub type MinimumInt64 = Minimum<Int64>;

/// Refuses tensors of different scales: the elements are compared as they are.
fn one_scale(cx: &Prepare<'_>) -> Result<(), Refused> {
    let [first, others @ ..] = ALL;
    let first = cx.any(first)?;
    for slot in others {
        if !first.has_scale_of(&cx.any(slot)?) {
            return Err(cx.refuse(Fault::Rescale));
        }
    }
    Ok(())
}

impl<T: Typed + Ordered> Operation for MaximumOf<T> {
    const OP: BuiltinOp = BuiltinOp::Maximum;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = ();
    type Function<'q> = maximum_minimum::Maximum<T>;

    fn prepare(cx: &Prepare<'_>) -> Result<(), Refused> {
        one_scale(cx)
    }

    fn function(_prepared: &()) -> maximum_minimum::Maximum<T> {
        maximum_minimum::Maximum(PhantomData)
    }
}

impl<T: Typed + Ordered> Operation for MinimumOf<T> {
    const OP: BuiltinOp = BuiltinOp::Minimum;
    type Input1 = T;
    type Input2 = T;
    type Output = T;
    type Prepared = ();
    type Function<'q> = maximum_minimum::Minimum<T>;

    fn prepare(cx: &Prepare<'_>) -> Result<(), Refused> {
        one_scale(cx)
    }

    fn function(_prepared: &()) -> maximum_minimum::Minimum<T> {
        maximum_minimum::Minimum(PhantomData)
    }
}
