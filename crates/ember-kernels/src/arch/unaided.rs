//! Processors without code of their own for whole operators: the generic kernels do it all.

#![allow(
    dead_code,
    reason = "each processor takes what it has no code of its own for"
)]

use ember_core::Clamp;

use crate::arithmetic::{Float32, Int8};
use crate::conv_2d::Conv2d;
use crate::depthwise_conv_2d::DepthwiseConv2d;
use crate::fully_connected::FullyConnected;
use crate::max_pool_2d::{MaxPool, Pool2d};

#[inline(always)]
pub(crate) const fn conv_2d_i8(
    _shape: &Conv2d,
    _arithmetic: &Int8<'_>,
    _input: &[i8],
    _filter: &[i8],
    _scratch: &mut [u32],
    _output: &mut [i8],
) -> bool {
    false
}

/// Whether there is special code for that: [`conv_2d_3x3`] is never true.
pub(crate) const HAS_CONV_2D_3X3: bool = false;

#[inline(always)]
pub(crate) const fn conv_2d_3x3(
    _shape: &Conv2d,
    _pool: &MaxPool<i32>,
    _arithmetic: &Int8<'_>,
    _input: &[i8],
    _filter: &[i8],
    _scratch: &mut [u32],
    _output: &mut [i8],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn conv_2d_pooled_i8(
    _shape: &Conv2d,
    _pool: &MaxPool<i32>,
    _arithmetic: &Int8<'_>,
    _input: &[i8],
    _filter: &[i8],
    _scratch: &mut [u32],
    _output: &mut [i8],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn depthwise_conv_2d_i8(
    _shape: &DepthwiseConv2d,
    _arithmetic: &Int8<'_>,
    _input: &[i8],
    _filter: &[i8],
    _scratch: &mut [u32],
    _output: &mut [i8],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn fully_connected_i8(
    _shape: &FullyConnected,
    _arithmetic: &Int8<'_>,
    _input: &[i8],
    _filter: &[i8],
    _output: &mut [i8],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn conv_2d_f32(
    _shape: &Conv2d,
    _arithmetic: &Float32<'_>,
    _input: &[f32],
    _filter: &[f32],
    _scratch: &mut [u32],
    _output: &mut [f32],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn conv_2d_pooled_f32(
    _shape: &Conv2d,
    _pool: &MaxPool<f32>,
    _arithmetic: &Float32<'_>,
    _input: &[f32],
    _filter: &[f32],
    _scratch: &mut [u32],
    _output: &mut [f32],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn depthwise_conv_2d_f32(
    _shape: &DepthwiseConv2d,
    _arithmetic: &Float32<'_>,
    _input: &[f32],
    _filter: &[f32],
    _scratch: &mut [u32],
    _output: &mut [f32],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn fully_connected_f32(
    _shape: &FullyConnected,
    _arithmetic: &Float32<'_>,
    _input: &[f32],
    _filter: &[f32],
    _output: &mut [f32],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn max_pool_2d_i8(
    _shape: &Pool2d,
    _range: Clamp<i32>,
    _input: &[i8],
    _output: &mut [i8],
) -> bool {
    false
}

#[inline(always)]
pub(crate) const fn max_pool_2d_f32(
    _shape: &Pool2d,
    _range: Clamp<f32>,
    _input: &[f32],
    _output: &mut [f32],
) -> bool {
    false
}
