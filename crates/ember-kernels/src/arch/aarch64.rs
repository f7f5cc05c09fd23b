//! AArch64: the kernels for wide vectors, as the compiler lays them out for NEON, which is always there.

pub(crate) use super::unaided::{
    conv_2d_f32, conv_2d_pooled_f32, depthwise_conv_2d_f32, depthwise_conv_2d_i8,
    fully_connected_f32,
};
use super::wide::{self, Plain};
use crate::arithmetic::Int8;
use crate::conv_2d::Conv2d;
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::MaxPool;

pub(crate) fn conv_2d_i8(
    shape: &Conv2d,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    wide::convolve(Plain, shape, arithmetic, input, filter, scratch, output)
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
    wide::convolve_pooled(
        Plain, shape, pool, arithmetic, input, filter, scratch, output,
    )
}

pub(crate) fn fully_connected_i8(
    shape: &FullyConnected,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    output: &mut [i8],
) -> bool {
    wide::connect(Plain, shape, arithmetic, input, filter, output)
}
