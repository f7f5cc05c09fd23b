//! CAST: `micro/kernels/cast.cc`. Integers that do not fit keep their low bits; floats lose their fraction, become the nearest
//! end of an integer type that they are beyond, and NaN becomes 0.

use core::marker::PhantomData;

use ember_core::view::Plain;

use crate::element::Bool;
use crate::unary::Unary;

/// What an element is between the types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An integer of any type.
    Integer(i64),
    /// A float32.
    Float(f32),
}

/// An element that is cast from or to.
pub trait Castable: Plain {
    /// The element as a value.
    fn value(self) -> Value;

    /// A value as an element. A float beyond the type becomes the nearest integer that it has.
    fn from_value(value: Value) -> Self;
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Castable for $type {
            #[inline(always)]
            fn value(self) -> Value {
                Value::Integer(i64::from(self))
            }

            #[inline(always)]
            fn from_value(value: Value) -> Self {
                match value {
                    Value::Integer(value) => value as Self,
                    Value::Float(value) => value as Self,
                }
            }
        })*
    };
}

integers!(i8, i16, i32, u32);

impl Castable for f32 {
    #[inline(always)]
    fn value(self) -> Value {
        Value::Float(self)
    }

    #[inline(always)]
    fn from_value(value: Value) -> Self {
        match value {
            Value::Integer(value) => value as Self,
            Value::Float(value) => value,
        }
    }
}

impl Castable for Bool {
    #[inline(always)]
    fn value(self) -> Value {
        Value::Integer(i64::from(self.get()))
    }

    #[inline(always)]
    fn from_value(value: Value) -> Self {
        Self::new(match value {
            Value::Integer(value) => value != 0,
            Value::Float(value) => value != 0.0,
        })
    }
}

/// CAST from `X` to `Y`.
#[derive(Clone, Copy, Debug)]
pub struct Cast<X, Y>(pub PhantomData<(X, Y)>);

impl<X: Castable, Y: Castable> Unary for Cast<X, Y> {
    type Input = X;
    type Output = Y;

    #[inline(always)]
    fn apply(&self, x: X) -> Y {
        Y::from_value(x.value())
    }
}
