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

#[cfg(any(test, feature = "observe"))]
extern crate std;

pub mod abs;
pub mod add;
mod arch;
pub mod arg_max;
mod arithmetic;
pub mod average_pool_2d;
pub mod axes;
pub mod batch_matmul;
pub mod binary;
pub mod broadcast;
pub mod broadcast_args;
pub mod cast;
pub mod circular_buffer;
pub mod comparisons;
pub mod compiled;
pub mod conv_2d;
pub mod depthwise_conv_2d;
pub mod dequantize;
pub mod detection_post_process;
pub mod div;
pub mod dynamic_update_slice;
mod element;
pub mod elu;
mod error;
pub mod fully_connected;
pub mod gather;
pub mod hard_swish;
pub mod hybrid;
pub mod l2;
pub mod leaky_relu;
pub mod log_softmax;
pub mod logical;
pub mod logistic;
pub mod max_pool_2d;
pub mod maximum_minimum;
pub mod mirror_pad;
pub mod mul;
#[cfg(feature = "observe")]
pub mod observe;
pub mod pack;
pub mod prelu;
pub mod quantize;
pub mod reduce;
pub mod relu;
pub mod reshape;
pub mod resize;
mod rows;
pub mod select_v2;
pub mod shape;
pub mod signal;
pub mod slice;
pub mod softmax;
pub mod space_to_batch_nd;
pub mod squared_difference;
pub mod strided;
pub mod strided_slice;
pub mod sub;
pub mod svdf;
pub mod transpose_conv;
pub mod unary;
pub mod unidirectional_sequence_lstm;
pub mod weights;
mod window;

pub use arithmetic::{Float32, Int8, Int16, Linear, WideBias};
pub use element::{Bool, Element, Int64};
pub use error::{KernelError, Operand};
pub use window::Axis;
