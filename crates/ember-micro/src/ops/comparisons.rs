//! EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL: `micro/kernels/comparisons.cc`.

use core::marker::PhantomData;

use ember_core::{BuiltinOp, QuantizedMultiplier};
use ember_kernels::Bool;
use ember_kernels::comparisons::{self, Quantization, Relation};
use ember_kernels::maximum_minimum::Ordered;

use super::binary::{ALL, BinaryKernel, Operation};
use super::typed::Typed;
use crate::error::{Fault, Refused};
use crate::prepare::Prepare;

pub use comparisons::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};

/// A relation that is an operator.
pub trait Related: Relation {
    /// The operator.
    const OP: BuiltinOp;
}

macro_rules! related {
    ($($relation:ident),*) => {
        $(impl Related for $relation {
            const OP: BuiltinOp = BuiltinOp::$relation;
        })*
    };
}

related!(Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual);

/// A comparison of elements of type `T` as they are.
pub struct PlainComparison<R, T>(PhantomData<(R, T)>);

/// The kernel of a comparison of elements as they are.
pub type Plain<R, T> = BinaryKernel<PlainComparison<R, T>>;

impl<R: Related, T: Typed + Ordered> Operation for PlainComparison<R, T> {
    const OP: BuiltinOp = R::OP;
    type Input1 = T;
    type Input2 = T;
    type Output = Bool;
    type Prepared = ();
    type Function<'q> = comparisons::Plain<R, T>;

    fn prepare(_cx: &Prepare<'_>) -> Result<(), Refused> {
        Ok(())
    }

    fn function(_prepared: &()) -> comparisons::Plain<R, T> {
        comparisons::Plain(PhantomData)
    }
}

/// A comparison of int8 with scales.
pub struct Int8Comparison<R>(PhantomData<R>);

/// The kernel of a comparison of int8 with scales.
pub type Int8<R> = BinaryKernel<Int8Comparison<R>>;

impl<R: Related> Operation for Int8Comparison<R> {
    const OP: BuiltinOp = R::OP;
    type Input1 = i8;
    type Input2 = i8;
    type Output = Bool;
    type Prepared = Quantization;
    type Function<'q> = comparisons::Scaled<'q, R, i8>;

    fn prepare(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
        quantization(cx)
    }

    fn function(prepared: &Quantization) -> comparisons::Scaled<'_, R, i8> {
        comparisons::Scaled(prepared, PhantomData)
    }
}

#[inline(never)]
fn quantization(cx: &Prepare<'_>) -> Result<Quantization, Refused> {
    let [input1, input2, _] = ALL;
    let (scale1, zero1) = cx.any(input1)?.affine()?;
    let (scale2, zero2) = cx.any(input2)?.affine()?;
    let multipliers =
        [scale1, scale2].map(|scale| QuantizedMultiplier::from_ratio(scale, 1.0, 1.0));
    for (multiplier, slot) in multipliers.iter().zip([input1, input2]) {
        // TFLM takes scales below 1 only.
        if multiplier.shift > 0 {
            return Err(cx.refuse(Fault::Scale(slot)));
        }
    }
    Ok(Quantization {
        zero_points: [zero1, zero2],
        multipliers,
    })
}
