//! BATCH_NORM: one factor and one summand per channel, which is a depthwise convolution of one tap.

use ember_core::Padding;
use ember_kernels::depthwise_conv_2d::{self, DepthwiseConv2d};
use ember_kernels::{Axis, KernelError};

use crate::batch_norm::BatchNorm;

/// `dims` is the shape of input and output, channels last; `None` when an extent leaves the kernels' 31 bits.
pub(super) fn run(
    norm: &BatchNorm<'_>,
    dims: &[u32],
    input: &[f32],
    output: &mut [f32],
) -> Option<Result<(), KernelError>> {
    let (channels, outer) = dims.split_last()?;
    let batches = outer
        .iter()
        .try_fold(1_u32, |product, extent| product.checked_mul(*extent))?;
    let one = Axis::new(1, 1, 1, 1, Padding::Valid)?;
    let shape = DepthwiseConv2d {
        batches,
        rows: one,
        columns: one,
        channels: *channels,
        multiplier: 1,
    };
    let (factors, summands) = norm.affine();
    let arithmetic = super::arithmetic(ember_core::Activation::None, &summands)?;
    Some(depthwise_conv_2d::convolve(
        &shape,
        &arithmetic,
        input,
        &factors,
        output,
    ))
}
