//! x86-64: the kernels for wide vectors with AVX2, and with VNNI where the processor has it. Which it has is asked of it at run
//! time, once.
//!
//! Without either the generic kernels do it all.

#![allow(
    unsafe_code,
    reason = "vector instructions are for processors that have them, which is checked here and not by the compiler"
)]

mod avx2;
mod level;
mod vnni;

pub(super) use self::level::Level;
pub(crate) use crate::arch::unaided::{
    conv_2d_f32, conv_2d_pooled_f32, depthwise_conv_2d_f32, depthwise_conv_2d_i8,
    fully_connected_f32,
};
use crate::arch::wide;
use crate::arithmetic::Int8;
use crate::conv_2d::Conv2d;
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::MaxPool;

/// Defines functions that call one for [`Lanes`](wide::Lanes) with those of the level. They give false where that does, and
/// where the processor has no instructions for it.
macro_rules! by_level {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $wide:path;)*) => {
        impl Level {
            $($(#[$meta])* pub(in crate::arch) fn $name(self, $($arg: $type),*) -> bool {
                #[target_feature(enable = "avx2")]
                fn avx2(lanes: avx2::Avx2, $($arg: $type),*) -> bool {
                    $wide(lanes, $($arg),*)
                }

                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512vl,avx512vnni")]
                fn vnni(lanes: vnni::Vnni, $($arg: $type),*) -> bool {
                    $wide(lanes, $($arg),*)
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
            Level::best().$name($($arg),*)
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
    ) = wide::convolve;

    #[allow(clippy::too_many_arguments, reason = "those of the function that it is for")]
    fn conv_2d_pooled_i8(
        shape: &Conv2d,
        pool: &MaxPool<i32>,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        scratch: &mut [u32],
        output: &mut [i8],
    ) = wide::convolve_pooled;

    fn fully_connected_i8(
        shape: &FullyConnected,
        arithmetic: &Int8<'_>,
        input: &[i8],
        filter: &[i8],
        output: &mut [i8],
    ) = wide::connect;
}
