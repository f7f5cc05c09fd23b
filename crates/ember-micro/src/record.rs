//! How prepared parameters are kept in the arena: as a row of 32-bit words.
//!
//! A word is the same size everywhere, so a model needs the same arena on a microcontroller and on the machine that
//! plans it.

use ember_core::{Clamp, QuantizedMultiplier};
use ember_kernels::Axis;
use ember_kernels::broadcast::{Broadcast, BroadcastAxis};
use ember_kernels::strided_slice::SliceAxis;

/// What can be kept as a fixed number of words. [`record!`](crate::record) implements it for a struct.
pub trait Record: Sized {
    /// The number of words.
    const WORDS: usize;

    /// Hands out the words in order.
    fn store(&self, put: &mut impl FnMut(u32));

    /// Takes the words back in the same order.
    fn load(take: &mut impl FnMut() -> u32) -> Self;
}

macro_rules! words {
    ($($ty:ty: $value:ident => $to:expr, $word:ident => $from:expr;)*) => {
        $(impl Record for $ty {
            const WORDS: usize = 1;

            #[inline(always)]
            fn store(&self, put: &mut impl FnMut(u32)) {
                let $value = *self;
                put($to);
            }

            #[inline(always)]
            fn load(take: &mut impl FnMut() -> u32) -> Self {
                let $word = take();
                $from
            }
        })*
    };
}

words! {
    u32: value => value, word => word;
    i32: value => value.cast_unsigned(), word => word.cast_signed();
    f32: value => value.to_bits(), word => f32::from_bits(word);
}

impl Record for () {
    const WORDS: usize = 0;

    fn store(&self, _put: &mut impl FnMut(u32)) {}

    fn load(_take: &mut impl FnMut() -> u32) -> Self {}
}

impl<T: Record, const N: usize> Record for [T; N] {
    const WORDS: usize = N * T::WORDS;

    #[inline(always)]
    fn store(&self, put: &mut impl FnMut(u32)) {
        for element in self {
            element.store(put);
        }
    }

    #[inline(always)]
    fn load(take: &mut impl FnMut() -> u32) -> Self {
        core::array::from_fn(|_| T::load(take))
    }
}

impl<T: Record> Record for Clamp<T> {
    const WORDS: usize = 2 * T::WORDS;

    #[inline(always)]
    fn store(&self, put: &mut impl FnMut(u32)) {
        self.min.store(put);
        self.max.store(put);
    }

    #[inline(always)]
    fn load(take: &mut impl FnMut() -> u32) -> Self {
        Self {
            min: T::load(take),
            max: T::load(take),
        }
    }
}

/// Implements [`Record`](crate::Record) for structs whose fields are records.
///
/// ```
/// struct Gain {
///     factor: f32,
///     channels: [u32; 2],
/// }
/// ember_micro::record!(Gain { factor: f32, channels: [u32; 2] });
/// assert_eq!(<Gain as ember_micro::Record>::WORDS, 3);
/// ```
#[macro_export]
macro_rules! record {
    ($($name:path { $($field:ident: $ty:ty),* $(,)? })*) => {
        $(impl $crate::Record for $name {
            const WORDS: usize = 0 $(+ <$ty as $crate::Record>::WORDS)*;

            #[inline(always)]
            fn store(&self, put: &mut impl FnMut(u32)) {
                $(<$ty as $crate::Record>::store(&self.$field, put);)*
            }

            #[inline(always)]
            fn load(take: &mut impl FnMut() -> u32) -> Self {
                Self {
                    $($field: <$ty as $crate::Record>::load(take),)*
                }
            }
        })*
    };
}

record! {
    QuantizedMultiplier { multiplier: i32, shift: i32 }
    Axis { input: u32, filter: u32, output: u32, stride: u32, dilation: u32, padding: u32 }
    BroadcastAxis { size: u32, stride1: u32, stride2: u32 }
    Broadcast { axes: [BroadcastAxis; 4] }
    SliceAxis { size: u32, start: u32, stride: i32, count: u32 }
}
