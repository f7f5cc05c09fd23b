//! Graphs to .tflite files and to Rust source.
