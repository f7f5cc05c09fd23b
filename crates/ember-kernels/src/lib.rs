//! Reference kernels, integer and float, one file per operator.
//!
//! A kernel is a pure function on slices with a struct of parameters. It checks the lengths of its slices once and
//! returns a [`KernelError`] where they do not fit; after that it walks rows, and nothing indexes.
//!
//! **Invariants:** no standard library, no allocation, no panic. Integer results are those of
//! TensorFlow Lite Micro's reference kernels to the byte; each file names the one it follows.
//!
//! Tensors are row-major, images NHWC. Parameter structs are `repr(C)` with 32-bit fields only, so that they take the
//! same room on every machine.

#![no_std]

#[cfg(test)]
extern crate std;

pub mod add;
mod arch;
mod arithmetic;
pub mod average_pool_2d;
pub mod broadcast;
pub mod compiled;
pub mod conv_2d;
pub mod depthwise_conv_2d;
pub mod dequantize;
mod element;
mod error;
pub mod fully_connected;
pub mod hybrid;
pub mod max_pool_2d;
pub mod pack;
pub mod quantize;
pub mod relu;
pub mod reshape;
mod rows;
pub mod shape;
pub mod softmax;
pub mod strided_slice;
pub mod weights;
mod window;

pub use arithmetic::{Float32, Int8, Int16, Linear, WideBias};
pub use element::Element;
pub use error::{KernelError, Operand};
pub use window::Axis;
