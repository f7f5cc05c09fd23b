//! What the elements of activations have in common, whatever their type.

use ember_core::Clamp;
use ember_core::view::Plain;

use crate::arch;
use crate::average_pool_2d;
use crate::error::KernelError;
use crate::max_pool_2d::{self, Pool2d};

pub use ember_core::view::Int64;

ember_core::plain! {
    /// An element of a bool tensor: true where the byte is not 0.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Bool {
        byte: u8,
    }
}

impl Bool {
    /// The element for a truth value.
    #[must_use]
    pub const fn new(value: bool) -> Self {
        Self { byte: value as u8 }
    }

    /// Its truth value.
    #[must_use]
    pub const fn get(self) -> bool {
        self.byte != 0
    }
}

/// An element of an activation: int8, int16, uint8, int32 or float32.
pub trait Element: Plain {
    /// What it is added up and clamped in.
    type Wide: Plain + Default;

    /// Nothing is less.
    const LEAST: Self;

    /// Every value there is.
    const RANGE: Clamp<Self::Wide>;

    /// The same value.
    fn wide(self) -> Self::Wide;

    /// The value within `range`, which is within [`Element::RANGE`].
    fn within(value: Self::Wide, range: Clamp<Self::Wide>) -> Self;

    /// The larger of two.
    #[must_use]
    fn larger(self, other: Self) -> Self;

    /// `sum + self`.
    fn add_to(self, sum: Self::Wide) -> Self::Wide;

    /// `sum / count`, integers rounded half away from zero; none where `count` is 0.
    fn mean(sum: Self::Wide, count: i32) -> Option<Self::Wide>;

    /// [`max_pool_2d::pool`]: each type's is compiled in this crate, with its optimization level.
    ///
    /// # Errors
    /// As there.
    fn max_pool_2d(
        shape: &Pool2d,
        range: Clamp<Self::Wide>,
        input: &[Self],
        output: &mut [Self],
    ) -> Result<(), KernelError>;

    /// [`average_pool_2d::pool`].
    ///
    /// # Errors
    /// As there.
    fn average_pool_2d(
        shape: &Pool2d,
        range: Clamp<Self::Wide>,
        input: &[Self],
        output: &mut [Self],
    ) -> Result<(), KernelError>;
}

macro_rules! poolings {
    ($wide:ty, $fast_max:expr) => {
        fn max_pool_2d(
            shape: &Pool2d,
            range: Clamp<$wide>,
            input: &[Self],
            output: &mut [Self],
        ) -> Result<(), KernelError> {
            max_pool_2d::run(shape, range, input, output, $fast_max)
        }

        fn average_pool_2d(
            shape: &Pool2d,
            range: Clamp<$wide>,
            input: &[Self],
            output: &mut [Self],
        ) -> Result<(), KernelError> {
            average_pool_2d::run(shape, range, input, output)
        }
    };
}

macro_rules! integers {
    ($($type:ty: $range:expr, $fast_max:expr;)*) => {
        $(impl Element for $type {
            type Wide = i32;

            const LEAST: Self = Self::MIN;

            const RANGE: Clamp<i32> = $range;

            #[inline(always)]
            fn wide(self) -> i32 {
                i32::from(self)
            }

            #[inline(always)]
            fn within(value: i32, range: Clamp<i32>) -> Self {
                range.apply(value) as Self
            }

            #[inline(always)]
            fn larger(self, other: Self) -> Self {
                self.max(other)
            }

            #[inline(always)]
            fn add_to(self, sum: i32) -> i32 {
                sum.wrapping_add(i32::from(self))
            }

            #[inline(always)]
            fn mean(sum: i32, count: i32) -> Option<i32> {
                let half = count / 2;
                let sum = if sum > 0 {
                    sum.wrapping_add(half)
                } else {
                    sum.wrapping_sub(half)
                };
                sum.checked_div(count)
            }

            poolings!(i32, $fast_max);
        })*
    };
}

integers! {
    i8: Clamp::INT8, arch::max_pool_2d_i8;
    i16: Clamp::INT16, |_, _, _, _| false;
    u8: Clamp { min: 0, max: 255 }, |_, _, _, _| false;
    i32: Clamp { min: Self::MIN, max: Self::MAX }, |_, _, _, _| false;
}

impl Element for f32 {
    type Wide = Self;

    const LEAST: Self = Self::MIN;

    const RANGE: Clamp<Self> = Clamp {
        min: Self::NEG_INFINITY,
        max: Self::INFINITY,
    };

    #[inline(always)]
    fn wide(self) -> Self {
        self
    }

    #[inline(always)]
    fn within(value: Self, range: Clamp<Self>) -> Self {
        range.apply(value)
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }

    #[inline(always)]
    fn add_to(self, sum: Self) -> Self {
        sum + self
    }

    #[inline(always)]
    fn mean(sum: Self, count: i32) -> Option<Self> {
        (count != 0).then(|| sum / count as Self)
    }

    poolings!(f32, arch::max_pool_2d_f32);
}
