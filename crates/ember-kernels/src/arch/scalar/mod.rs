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

#[cfg(armv6m)]
pub(crate) use armv6m::dots_i8;
#[cfg(armv7m)]
pub(crate) use armv7m::dots_i8;
pub(crate) use conv_2d::conv_2d_i8;
pub(crate) use depthwise_conv_2d::depthwise_conv_2d_i8;
#[cfg(not(any(armv6m, armv7m, rv32im)))]
pub(crate) use dots::dots_i8;
pub(crate) use pooled::{HAS_CONV_2D_3X3, conv_2d_3x3, conv_2d_pooled_i8};
#[cfg(rv32im)]
pub(crate) use riscv::dots_i8;

pub(crate) use super::small::conv_2d_pooled_f32;
pub(crate) use super::unaided::{
    conv_2d_f32, depthwise_conv_2d_f32, fully_connected_f32, fully_connected_i8, max_pool_2d_f32,
    max_pool_2d_i8,
};

/// What the loops in assembly work on besides inputs and weights.
#[cfg(any(armv6m, armv7m, rv32im))]
#[repr(C)]
struct Sums<'s> {
    sums: &'s mut [i32; 4],
    offset: i32,
}
