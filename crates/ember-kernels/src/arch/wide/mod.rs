//! Whole operators for machines with wide vectors, written once for all of them: what a machine's instructions do is a
//! [`Lanes`].
//!
//! The work is laid across output channels, eight at a time. A short window meets weights that are put in the order of the
//! lanes first; a long one meets each filter as it lies in the file.
//!
//! Everything is `#[inline(always)]`, because it is compiled with a machine's instructions only inside of the function that
//! enables them.
#![allow(
    unsafe_code,
    reason = "bounds are checked once for a tile of windows or a row of weights instead of at every step"
)]

mod conv_2d;
mod dense;
mod depthwise_conv_2d;
mod filters;
pub(super) mod float32;
mod lanes;
mod max_pool_2d;
#[cfg(any(test, target_arch = "aarch64"))]
mod plain;
#[cfg(test)]
mod tests;
mod window;

pub(super) use conv_2d::{convolve, convolve_pooled};
pub(super) use dense::connect;
pub(super) use depthwise_conv_2d::{depthwise, depthwise_float32};
#[cfg(target_arch = "x86_64")]
pub(super) use lanes::{GROUP, LANES, Lanes, Scaling, TAPS};
pub(super) use max_pool_2d::pool;
#[cfg(any(test, target_arch = "aarch64"))]
pub(super) use plain::Plain;
