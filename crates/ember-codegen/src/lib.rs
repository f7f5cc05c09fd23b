//! Graphs to `.tflite` files and to Rust source.
//!
//! [`tflite::float32`] and [`tflite::quantized`] lower a graph to a file that TensorFlow Lite, TensorFlow Lite Micro and Ember
//! run; [`source::rust_source`] turns that file into what a firmware is built around. The same input gives the same
//! bytes on every machine.

mod error;
pub mod source;
pub mod tflite;

pub use error::CodegenError;
