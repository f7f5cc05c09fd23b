//! What every crate of Ember agrees on: element types, the operator table, quantization arithmetic.
//!
//! **Invariants:** no standard library, no allocation, no dependencies; nothing here panics.

#![no_std]

mod dtype;
mod op;

pub use dtype::Dtype;
pub use op::{Activation, BuiltinOp, Padding};
