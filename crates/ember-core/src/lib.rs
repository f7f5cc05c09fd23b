//! What every crate of Ember agrees on: element types, the operator table, quantization arithmetic.
//!
//! **Invariants:** no standard library, no allocation, no dependencies; nothing here panics.

#![no_std]

#[cfg(test)]
extern crate std;

mod dtype;
pub mod elementary;
pub mod fixed_point;
pub mod float;
mod op;
mod quantization;
pub mod view;

pub use dtype::Dtype;
pub use op::{Activation, BuiltinOp, Padding};
pub use quantization::{Clamp, QuantizedMultiplier, multiply_by_quantized_multiplier};
