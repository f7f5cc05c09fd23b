//! EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL: `kernels/internal/reference/comparisons.h`.

use core::cmp::Ordering;
use core::marker::PhantomData;

use ember_core::QuantizedMultiplier;

use crate::binary::Binary;
use crate::element::{Bool, Element};
use crate::maximum_minimum::Ordered;

/// Bits that integers with a scale are shifted to the left before they are scaled.
pub const LEFT_SHIFT: u32 = 8;

ember_core::plain! {
    /// Quantization of a comparison of integers (`ComparisonsPrepare` in `micro/kernels/comparisons.cc`).
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// Zero points of the two inputs.
        pub zero_points: [i32; 2],
        /// Each input's scale.
        pub multipliers: [QuantizedMultiplier; 2],
    }
}

/// What is asked of an order: which of less, equal and greater make it true. NaN makes all but NOT_EQUAL false.
pub trait Relation {
    /// Whether it holds.
    fn holds(order: Option<Ordering>) -> bool;
}

macro_rules! relations {
    ($($(#[$doc:meta])* $name:ident = $order:ident => $holds:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Relation for $name {
                #[inline(always)]
                fn holds($order: Option<Ordering>) -> bool {
                    $holds
                }
            }
        )*
    };
}

relations! {
    /// `x1 == x2`.
    Equal = order => order == Some(Ordering::Equal);
    /// `x1 != x2`.
    NotEqual = order => order != Some(Ordering::Equal);
    /// `x1 > x2`.
    Greater = order => order == Some(Ordering::Greater);
    /// `x1 >= x2`.
    GreaterEqual = order => matches!(order, Some(Ordering::Greater | Ordering::Equal));
    /// `x1 < x2`.
    Less = order => order == Some(Ordering::Less);
    /// `x1 <= x2`.
    LessEqual = order => matches!(order, Some(Ordering::Less | Ordering::Equal));
}

/// A comparison of elements as they are.
#[derive(Clone, Copy, Debug)]
pub struct Plain<R, T>(pub PhantomData<(R, T)>);

impl<R: Relation, T: Ordered> Binary for Plain<R, T> {
    type Input1 = T;
    type Input2 = T;
    type Output = Bool;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> Bool {
        Bool::new(R::holds(x1.order(x2)))
    }
}

/// A comparison of elements that have a scale.
#[derive(Clone, Copy, Debug)]
pub struct Scaled<'q, R, T>(pub &'q Quantization, pub PhantomData<(R, T)>);

impl<R: Relation, T: Element<Wide = i32>> Binary for Scaled<'_, R, T> {
    type Input1 = T;
    type Input2 = T;
    type Output = Bool;

    #[inline(always)]
    fn apply(&self, x1: T, x2: T) -> Bool {
        let [zero1, zero2] = self.0.zero_points;
        let [scale1, scale2] = self.0.multipliers;
        let scaled = |x: T, zero: i32, scale: QuantizedMultiplier| {
            scale.apply(x.wide().wrapping_sub(zero).wrapping_shl(LEFT_SHIFT))
        };
        let order = scaled(x1, zero1, scale1).cmp(&scaled(x2, zero2, scale2));
        Bool::new(R::holds(Some(order)))
    }
}
