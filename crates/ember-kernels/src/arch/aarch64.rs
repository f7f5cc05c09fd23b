//! AArch64: the kernels for wide vectors, as the compiler lays them out for NEON, which is always there.

use ember_core::Clamp;

use super::noted;
use super::wide::{self, Plain};
use crate::arithmetic::{Float32, Int8};
use crate::conv_2d::Conv2d;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::{MaxPool, Pool2d};

/// What the vector instructions are called.
#[cfg(feature = "observe")]
pub(super) const fn instructions() -> Option<&'static str> {
    Some("NEON")
}

pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    noted(wide::convolve(
        Plain, shape, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn conv_2d_pooled_i8(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    noted(wide::convolve_pooled(
        Plain, shape, pool, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn fully_connected_i8(
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> bool {
    noted(wide::connect(
        Plain, shape, arithmetic, input, filter, output,
    ))
}

pub(crate) fn depthwise_conv_2d_i8(
    shape: &DepthwiseConv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    noted(wide::depthwise(
        Plain, shape, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn conv_2d_f32(
    shape: &Conv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    noted(wide::float32::convolve(
        Plain, shape, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn conv_2d_pooled_f32(
    shape: &Conv2d,
    pool: &MaxPool<f32>,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    noted(wide::float32::convolve_pooled(
        Plain, shape, pool, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn fully_connected_f32(
    shape: &FullyConnected,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    output: &mut [f32],
) -> bool {
    noted(wide::float32::connect(
        Plain, shape, arithmetic, input, filter, output,
    ))
}

pub(crate) fn depthwise_conv_2d_f32(
    shape: &DepthwiseConv2d,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    noted(wide::depthwise_float32(
        Plain, shape, arithmetic, input, filter, scratch, output,
    ))
}

pub(crate) fn max_pool_2d_i8(
    shape: &Pool2d,
    range: Clamp<i32>,
    input: &[i8],
    output: &mut [i8],
) -> bool {
    noted(wide::pool(Plain, shape, range, input, output))
}

pub(crate) fn max_pool_2d_f32(
    shape: &Pool2d,
    range: Clamp<f32>,
    input: &[f32],
    output: &mut [f32],
) -> bool {
    noted(wide::pool(Plain, shape, range, input, output))
}
