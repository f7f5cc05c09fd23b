//! Reference kernels, integer and float, one file per operator.

#![no_std]
