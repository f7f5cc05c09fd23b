//! CAST: `micro/kernels/cast.cc`. The options repeat the tensors' types, and TFLM does not read them either.

use core::marker::PhantomData;

use ember_core::BuiltinOp;
use ember_kernels::cast::{self, Castable};

use super::typed::Typed;
use super::unary::{Operation, UnaryKernel};
use crate::error::Refused;
use crate::prepare::Prepare;

/// CAST from `X` to `Y`.
pub struct Between<X, Y>(PhantomData<(X, Y)>);

/// The kernel of CAST from `X` to `Y`.
pub type Cast<X, Y> = UnaryKernel<Between<X, Y>>;

impl<X: Typed + Castable, Y: Typed + Castable> Operation for Between<X, Y> {
    const OP: BuiltinOp = BuiltinOp::Cast;
    const CONVERTS: bool = true;
    type Input = X;
    type Output = Y;
    type Prepared = ();
    type Function<'q> = cast::Cast<X, Y>;

    fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
        Ok(())
    }

    fn function(_prepared: &()) -> cast::Cast<X, Y> {
        cast::Cast(PhantomData)
    }
}
