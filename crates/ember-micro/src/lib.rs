//! The device runtime: an interpreter of .tflite files without an allocator.

#![no_std]
