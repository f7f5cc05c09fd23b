//! Graphs to `.tflite` files and to Rust source.
//!
//! [`tflite::float32`] and [`tflite::quantized`] lower a graph to a file that TensorFlow Lite, TensorFlow Lite Micro and Ember
//! run; [`source::rust_source`] turns that file into what a firmware is built around, and [`compiled::source`] into code that needs no
//! interpreter. The same input gives the same bytes on every machine.

pub mod compiled;
mod error;
pub mod source;
pub mod tflite;

pub use error::CodegenError;
