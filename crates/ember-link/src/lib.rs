//! Frames between device and host.

#![no_std]
