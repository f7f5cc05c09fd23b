//! x86-64: the kernels for wide vectors with AVX2, and with VNNI where the processor has it. Which it has is asked of it at run
//! time, once.
//!
//! Without either the generic kernels do it all.

#![allow(
    unsafe_code,
    reason = "vector instructions are for processors that have them, which is checked here and not by the compiler"
)]

mod avx2;
mod avx2_float32;
mod level;
mod vnni;

use ember_core::Clamp;

pub(super) use self::level::Level;
use crate::arch::wide;
use crate::arithmetic::{Float32, Int8};
use crate::conv_2d::Conv2d;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::{MaxPool, Pool2d};

/// What the vector instructions that this processor has are called; none where there is no code for any.
#[cfg(feature = "observe")]
pub(super) fn instructions() -> Option<&'static str> {
    Level::best().name()
}

/// Defines functions that call one for [`Lanes`](wide::Lanes) with those of the level. They give false where that does, and
/// where the processor has no instructions for it.
macro_rules! by_level {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $token:ident $wide:path;)*) => {
        impl Level {
            $($(#[$meta])* pub(in crate::arch) fn $name(self, $($arg: $type),*) -> bool {
                #[target_feature(enable = "avx2")]
                fn avx2(lanes: avx2::Avx2, $($arg: $type),*) -> bool {
                    $wide(lanes.$token(), $($arg),*)
                }

                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
                fn vnni(lanes: vnni::Vnni, $($arg: $type),*) -> bool {
                    $wide(lanes.$token(), $($arg),*)
                }

                match self {
                    // SAFETY: there are such lanes only where the processor has the instructions.
                    Level::Vnni(lanes) => unsafe { vnni(lanes, $($arg),*) },
                    // SAFETY: as above.
                    Level::Avx2(lanes) => unsafe { avx2(lanes, $($arg),*) },
                    Level::None => false,
                }
            })*
        }

        $($(#[$meta])* pub(crate) fn $name($($arg: $type),*) -> bool {
            super::noted(Level::best().$name($($arg),*))
        })*
    };
}

by_level! {
    fn conv_2d_i8(
        shape: &Conv2d,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) = lanes wide::convolve;

    #[allow(clippy::too_many_arguments, reason = "those of the function that it is for")]
    fn conv_2d_pooled_i8(
        shape: &Conv2d,
        pool: &MaxPool<i32>,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) = lanes wide::convolve_pooled;

    fn fully_connected_i8(
        shape: &FullyConnected,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        output: &mut [i8],
    ) = lanes wide::connect;

    fn depthwise_conv_2d_i8(
        shape: &DepthwiseConv2d,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) = lanes wide::depthwise;

    fn conv_2d_f32(
        shape: &Conv2d,
        arithmetic: &Float32<'_>,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) = floats wide::float32::convolve;

    #[allow(
        clippy::too_many_arguments,
        reason = "those of the function that it is for"
    )]
    fn conv_2d_pooled_f32(
        shape: &Conv2d,
        pool: &MaxPool<f32>,
        arithmetic: &Float32<'_>,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) = floats wide::float32::convolve_pooled;

    fn fully_connected_f32(
        shape: &FullyConnected,
        arithmetic: &Float32<'_>,
        input: &[f32],
        filter: &[f32],
        output: &mut [f32],
    ) = floats wide::float32::connect;

    fn depthwise_conv_2d_f32(
        shape: &DepthwiseConv2d,
        arithmetic: &Float32<'_>,
        input: &[f32],
        filter: &[f32],
        scratch: &mut [u32],
        output: &mut [f32],
    ) = floats wide::depthwise_float32;

    fn max_pool_2d_i8(
        shape: &Pool2d,
        range: Clamp<i32>,
        input: &[i8],
        output: &mut [i8],
    ) = lanes wide::pool;

    fn max_pool_2d_f32(
        shape: &Pool2d,
        range: Clamp<f32>,
        input: &[f32],
        output: &mut [f32],
    ) = floats wide::pool;
}
