//! A 3×3 convolution of one channel with 2×2 poolings: the first layer of many a small network.

#[cfg(all(target_arch = "arm", not(target_has_atomic = "32")))]
use super::armv6m::largest;
use crate::arithmetic::{Arithmetic, Int8};
use crate::conv_2d::Conv2d;
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// Convolves and pools; false where the shapes are others, or scaling a sum is not monotonic.
pub(crate) fn conv_2d_pooled_i8(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    _scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    // A right shift of one bit at least: nothing overflows, so that the largest sum gives the largest output.
    let mut multipliers = arithmetic.multipliers.iter();
    let monotonic = multipliers
        .all(|multiplier| multiplier.multiplier >= 0 && (-31..0).contains(&multiplier.shift));
    if !shape.is_small(&pool.shape) || !monotonic {
        return false;
    }
    let row = shape.columns.input as usize;
    let mut outputs = rows::of_mut(output, shape.output_channels as usize);
    for image in rows::of(input, row.wrapping_mul(shape.rows.input as usize)) {
        for y in 0..pool.shape.rows.output as usize {
            for x in 0..pool.shape.columns.output as usize {
                let at = y
                    .wrapping_mul(2)
                    .wrapping_mul(row)
                    .wrapping_add(x.wrapping_mul(2));
                let Some(out) = outputs.next() else {
                    break;
                };
                let mut window = [0; 16];
                let mut from = image.get(at..).unwrap_or(&[]);
                for values in window.as_chunks_mut::<4>().0 {
                    let row_values = from.first_chunk::<4>().copied().unwrap_or_default();
                    for (value, x) in values.iter_mut().zip(row_values) {
                        *value = i32::from(x).wrapping_sub(arithmetic.input_zero_point);
                    }
                    from = from.get(row..).unwrap_or(&[]);
                }
                pixel(arithmetic, &window, filter, out);
                for out in out {
                    *out = i8::within(i32::from(*out), pool.range);
                }
            }
        }
    }
    true
}

/// Four neighbouring outputs of the convolution at once, of which each filter's largest is scaled.
#[inline(never)]
fn pixel(arithmetic: &Int8<'_>, window: &[i32; 16], filter: &[i8], out: &mut [i8]) {
    let (filters, _) = filter.as_chunks::<9>();
    for ((out, filter), channel) in out.iter_mut().zip(filters).zip(0..) {
        let sum = largest(window, filter, arithmetic.start(channel));
        *out = arithmetic.finish(channel, sum);
    }
}

/// The largest of the sums of four neighbouring outputs.
#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "32"))))]
#[inline(always)]
fn largest(window: &[i32; 16], filter: &[i8; 9], start: i32) -> i32 {
    let (mut a, mut b, mut c, mut d) = (start, start, start, start);
    macro_rules! taps {
        ($($tap:literal: $at:literal;)*) => {$(
            let w = i32::from(filter[$tap]);
            a = a.wrapping_add(window[$at].wrapping_mul(w));
            b = b.wrapping_add(window[$at + 1].wrapping_mul(w));
            c = c.wrapping_add(window[$at + 4].wrapping_mul(w));
            d = d.wrapping_add(window[$at + 5].wrapping_mul(w));
        )*};
    }
    // The number of a tap in the filter, and where it is in the window of the upper left output.
    taps! { 0: 0; 1: 1; 2: 2; 3: 4; 4: 5; 5: 6; 6: 8; 7: 9; 8: 10; }
    a.max(b).max(c.max(d))
}
