//! A 3×3 convolution of one channel with 2×2 poolings on float32: the first layer of many a small network, for any processor
//! that has no code of its own for it.

use crate::arithmetic::{Arithmetic, Float32};
use crate::conv_2d::Conv2d;
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// Convolves and pools; false where the shapes are others.
pub(crate) fn conv_2d_pooled_f32(
    shape: &Conv2d,
    pool: &MaxPool<f32>,
    arithmetic: &Float32<'_>,
    input: &[f32],
    filter: &[f32],
    _scratch: &mut [u32],
    output: &mut [f32],
) -> bool {
    if !shape.is_small(&pool.shape) {
        return false;
    }
    let row = shape.columns.input as usize;
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, row.wrapping_mul(shape.rows.input as usize)) {
        for y in 0..pool.shape.rows.output as usize {
            for x in 0..pool.shape.columns.output as usize {
                let at = y.wrapping_mul(row).wrapping_add(x).wrapping_mul(2);
                let Some(out) = outputs.next() else {
                    break;
                };
                let mut window = [0.0; 16];
                let mut from = image.get(at..).unwrap_or(&[]);
                for values in window.as_chunks_mut::<4>().0 {
                    *values = from.first_chunk().copied().unwrap_or_default();
                    from = from.get(row..).unwrap_or(&[]);
                }
                pixel(arithmetic, pool, &window, filter, out);
            }
        }
    }
    true
}

/// Each filter's largest of four neighbouring outputs of the convolution.
#[inline(never)]
fn pixel(
    arithmetic: &Float32<'_>,
    pool: &MaxPool<f32>,
    window: &[f32; 16],
    filter: &[f32],
    out: &mut [f32],
) {
    let (filters, _) = filter.as_chunks::<9>();
    for ((out, w), channel) in out.iter_mut().zip(filters).zip(0..) {
        // The order of the sums is that of `portable::dot_f32`.
        let start = arithmetic.start(channel);
        macro_rules! output {
            ($at:literal) => {{
                let first =
                    start + window[$at] * w[0] + window[$at + 5] * w[4] + window[$at + 10] * w[8];
                let second = 0.0 + window[$at + 1] * w[1] + window[$at + 6] * w[5];
                let third = 0.0 + window[$at + 2] * w[2] + window[$at + 8] * w[6];
                let fourth = 0.0 + window[$at + 4] * w[3] + window[$at + 9] * w[7];
                arithmetic.finish(channel, (first + second) + (third + fourth))
            }};
        }
        let largest = f32::LEAST
            .larger(output!(0))
            .larger(output!(1))
            .larger(output!(4))
            .larger(output!(5));
        *out = f32::within(largest, pool.range);
    }
}
