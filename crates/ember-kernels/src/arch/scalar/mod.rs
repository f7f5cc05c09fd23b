//! Cores without vectors: Cortex-M0 to M3 and RISC-V. Several sums at once, so that what is loaded is used more than once.

#[cfg(armv6m)]
mod armv6m;
#[cfg(armv7m)]
mod armv7m;
mod conv_2d;
mod depthwise_conv_2d;
#[cfg(not(any(armv6m, armv7m, rv32im)))]
mod dots;
mod pooled;
#[cfg(rv32im)]
mod riscv;

pub(crate) use conv_2d::conv_2d_i8;
pub(crate) use depthwise_conv_2d::depthwise_conv_2d_i8;
#[cfg(not(any(armv6m, armv7m, rv32im)))]
pub(crate) use dots::dots_i8;
pub(crate) use pooled::{HAS_CONV_2D_3X3, conv_2d_3x3, conv_2d_pooled_i8};

pub(crate) use super::small::conv_2d_pooled_f32;
pub(crate) use super::unaided::{
    conv_2d_f32, depthwise_conv_2d_f32, fully_connected_f32, fully_connected_i8, max_pool_2d_f32,
    max_pool_2d_i8,
};

#[cfg(armv6m)]
use armv6m::four;
#[cfg(armv7m)]
use armv7m::four;
#[cfg(rv32im)]
use riscv::four;

/// Adds `Σ (x + offset) * w` to each sum, wrapping; `filters` are four of `x`'s length.
#[cfg(any(armv6m, armv7m, rv32im))]
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    let len = x.len();
    if len > 0 && filters.len() / 4 == len {
        let (x, filters) = (x.as_ptr(), filters.as_ptr());
        // SAFETY: `x` has `len` bytes, and so has each of the four filters, which are one after the other.
        unsafe { four(x, filters, len, &mut Sums { sums, offset }) };
    }
}

/// What the loops in assembly work on besides inputs and weights.
#[cfg(any(armv6m, armv7m, rv32im))]
#[repr(C)]
struct Sums<'s> {
    sums: &'s mut [i32; 4],
    offset: i32,
}
