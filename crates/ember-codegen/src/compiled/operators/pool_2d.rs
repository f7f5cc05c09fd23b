//! MAX_POOL_2D and AVERAGE_POOL_2D.

use ember_core::Clamp;
use ember_core::view::Plain;
use ember_micro::ops::pool_2d::{Operation, Pool, Pooled};
use ember_micro::ops::{average_pool_2d, max_pool_2d};

use super::super::step::{Problem, Step};
use super::super::text::Literal;
use super::{Activation, range};

/// A pooling's kernel.
pub(super) trait Call: Operation {
    const RUN: &'static str;
}

impl Call for max_pool_2d::Op {
    const RUN: &'static str = "max_pool_2d::pool";
}

impl Call for average_pool_2d::Op {
    const RUN: &'static str = "average_pool_2d::pool";
}

/// A pooling of any type.
pub(in super::super) fn pool<O: Call, T: Activation + Pooled>(
    step: &mut Step<'_, '_>,
) -> Result<(), Problem>
where
    Clamp<T::Wide>: Plain + Literal,
{
    let (prepared, _) = step.prepared::<Pool<O, T>>()?;
    let shape = step.shape("", &prepared.first);
    let range = range(prepared.second);
    let input = step.input(0, "input", T::ELEMENT)?;
    let output = step.output(T::ELEMENT)?;
    step.call(O::RUN, &[&shape, &range, &input, &output]);
    Ok(())
}
