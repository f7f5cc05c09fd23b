//! What a processor does better than portable code, chosen at compile time.
//!
//! Two kinds of functions. The inner loops (`dot_…`, `dots_…`) are what the generic kernels are made of. The others are whole
//! operators on slices that are checked: they give false, and write nothing, where there is no code for that shape; then the
//! generic kernel runs. A processor is one file with what it has of both and the rest from `unaided`, and a line below.
//!
//! **Invariants.** Integer results are those of the generic kernels to the byte, overflow included. Sums of floats are added
//! up in the order that [`portable::dot_f32`] documents, on every processor, so that host and device agree to the byte.
//! `unsafe` is allowed in this module alone.

#![allow(
    unsafe_code,
    reason = "instructions that the language does not have, and loads that it cannot express"
)]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(dsp)]
mod dsp;
#[cfg(all(any(dsp, mve), target_abi = "eabihf"))]
mod float_unit;
#[cfg(mve)]
mod mve;
mod portable;
#[cfg(scalar)]
mod scalar;
#[cfg(any(dsp, mve, scalar))]
mod small;
mod unaided;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod wide;
#[cfg(target_arch = "x86_64")]
mod x86_64;

/// What kernels for vectors give back, noted for whoever asks which of them ran.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn noted(done: bool) -> bool {
    #[cfg(feature = "observe")]
    crate::observe::note(done);
    done
}

/// What the vector instructions that this processor has are called; none where there is no code for any.
#[cfg(feature = "observe")]
pub(crate) fn instructions() -> Option<&'static str> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return machine::instructions();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    None
}

#[cfg(target_arch = "aarch64")]
use aarch64 as machine;
#[cfg(dsp)]
use dsp as machine;
#[cfg(mve)]
use mve as machine;
#[cfg(scalar)]
use scalar as machine;
#[cfg(not(any(dsp, mve, scalar, target_arch = "x86_64", target_arch = "aarch64")))]
use unaided as machine;
#[cfg(target_arch = "x86_64")]
use x86_64 as machine;

#[cfg(all(any(dsp, mve), target_abi = "eabihf"))]
pub(crate) use float_unit::dots_f32;
#[cfg(any(dsp, mve, scalar))]
pub(crate) use machine::{HAS_CONV_2D_3X3, conv_2d_3x3, dots_i8};
pub(crate) use machine::{
    conv_2d_f32, conv_2d_i8, conv_2d_pooled_f32, conv_2d_pooled_i8, depthwise_conv_2d_f32,
    depthwise_conv_2d_i8, fully_connected_f32, fully_connected_i8, max_pool_2d_f32, max_pool_2d_i8,
};
#[cfg(mve)]
pub(crate) use mve::dot_i8;
#[cfg(not(mve))]
pub(crate) use portable::dot_i8;
#[cfg(not(all(any(dsp, mve), target_abi = "eabihf")))]
pub(crate) use portable::dots_f32;
#[cfg(not(any(dsp, mve, scalar)))]
pub(crate) use portable::dots_i8;
pub(crate) use portable::{dot_f32, dot_i16};
#[cfg(not(any(dsp, mve, scalar)))]
pub(crate) use unaided::{HAS_CONV_2D_3X3, conv_2d_3x3};
