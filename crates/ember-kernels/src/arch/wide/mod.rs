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
    reason = "the bounds of a tile of windows are checked once instead of at every step"
)]

mod conv_2d;
mod dense;
mod filters;
mod lanes;
#[cfg(any(test, target_arch = "aarch64"))]
mod plain;
#[cfg(test)]
mod tests;
mod window;

pub(super) use conv_2d::{convolve, convolve_pooled};
pub(super) use dense::connect;
pub(super) use lanes::{GROUP, LANES, Lanes, Scaling, TAPS};
#[cfg(any(test, target_arch = "aarch64"))]
pub(super) use plain::Plain;
