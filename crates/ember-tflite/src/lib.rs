//! A checked zero-copy reader of .tflite files, and a writer.

#![no_std]
