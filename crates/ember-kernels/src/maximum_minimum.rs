//! MAXIMUM and MINIMUM: `micro/kernels/maximum_minimum.h`. Quantized tensors are compared as they are: all three have one
//! scale.

use core::cmp::Ordering;
use core::marker::PhantomData;

use ember_core::view::Plain;

use crate::binary::Binary;
use crate::element::{Bool, Int64};

/// An element that has an order.
pub trait Ordered: Plain {
    /// How it compares with another; none where one of them is NaN.
    fn order(self, other: Self) -> Option<Ordering>;
}

macro_rules! ordered {
    ($($type:ty),*) => {
        $(impl Ordered for $type {
            #[inline(always)]
            fn order(self, other: Self) -> Option<Ordering> {
                self.partial_cmp(&other)
            }
        })*
    };
}

ordered!(i8, i16, i32, f32);

impl Ordered for Int64 {
    #[inline(always)]
    fn order(self, other: Self) -> Option<Ordering> {
        Some(self.get().cmp(&other.get()))
    }
}

impl Ordered for Bool {
    #[inline(always)]
    fn order(self, other: Self) -> Option<Ordering> {
        Some(self.get().cmp(&other.get()))
    }
}

/// The greater of two.
#[derive(Clone, Copy, Debug)]
pub struct Maximum<T>(pub PhantomData<T>);

impl<T: Ordered> Binary for Maximum<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        if x1.order(x2) == Some(Ordering::Greater) {
            x1
        } else {
            x2
        }
    }
}

/// The lesser of two.
#[derive(Clone, Copy, Debug)]
pub struct Minimum<T>(pub PhantomData<T>);

impl<T: Ordered> Binary for Minimum<T> {
    type Input1 = T;
    type Input2 = T;
    type Output = T;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> T {
        if x1.order(x2) == Some(Ordering::Less) {
            x1
        } else {
            x2
        }
    }
}
