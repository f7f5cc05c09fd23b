//! Cores without vectors: Cortex-M0 to M3 and RISC-V. Several sums at once, so that what is loaded is used more than once.

#[cfg(all(target_arch = "arm", not(target_has_atomic = "32")))]
mod armv6m;
#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "32"))))]
mod dots;
mod pooled;

#[cfg(all(target_arch = "arm", not(target_has_atomic = "32")))]
pub(crate) use armv6m::dots_i8;
#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "32"))))]
pub(crate) use dots::dots_i8;
pub(crate) use pooled::conv_2d_pooled_i8;

pub(crate) use super::small::conv_2d_pooled_f32;
pub(crate) use super::unaided::{
    conv_2d_f32, conv_2d_i8, depthwise_conv_2d_f32, depthwise_conv_2d_i8, fully_connected_f32,
    fully_connected_i8, max_pool_2d_f32, max_pool_2d_i8,
};
