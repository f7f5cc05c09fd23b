//! A 3×3 convolution of one channel with 2×2 poolings: the first layer of many a small network.

use ember_core::{Clamp, QuantizedMultiplier, fixed_point, view};

#[cfg(armv6m)]
use super::armv6m::largest;
use crate::arithmetic::{Arithmetic, Int8, multiplier_of};
use crate::conv_2d::{Conv2d, is_special};
use crate::element::Element;
use crate::max_pool_2d::MaxPool;
use crate::rows;

/// There is such code.
pub(crate) const HAS_CONV_2D_3X3: bool = true;

/// [`conv_2d_3x3`] where `is_special` says so.
pub(crate) fn conv_2d_pooled_i8(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    is_special(shape, pool, arithmetic)
        && conv_2d_3x3(shape, pool, arithmetic, input, filter, scratch, output)
}

/// Convolves and pools; false where the shapes are others, or there is no scratch for the filters. Every multiplier is one to
/// the right, by a bit at least: then nothing overflows, so that the largest sum gives the largest output.
pub(crate) fn conv_2d_3x3(
    shape: &Conv2d,
    pool: &MaxPool<i32>,
    arithmetic: &Int8<'_>,
    input: &[i8],
    filter: &[i8],
    scratch: &mut [u32],
    output: &mut [i8],
) -> bool {
    let channels = shape.output_channels as usize;
    let (Some(packed), true) = (
        scratch.get_mut(..channels.wrapping_mul(WORDS)),
        shape.is_small(&pool.shape),
    ) else {
        return false;
    };
    let packed = packed.as_chunks_mut::<WORDS>().0;
    let (filters, _) = filter.as_chunks();
    for ((packed, filter), channel) in packed.iter_mut().zip(filters).zip(0..) {
        *packed = pack(arithmetic, filter, channel);
    }
    let range = arithmetic.range;
    let scaling = Scaling {
        zero_point: arithmetic.output_zero_point,
        range: Clamp {
            min: i8::within(range.min, pool.range).into(),
            max: i8::within(range.max, pool.range).into(),
        },
    };
    let row = shape.columns.input as usize;
    let mut outputs = rows::of_mut(output, channels);
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
                pixel(scaling, &window, packed, out);
            }
        }
    }
    true
}

/// Words of a filter: its nine weights as bytes, and two or three more of zero; bias, multiplier, and the right shift less one.
const WORDS: usize = 8;

/// The words of a channel.
fn pack(arithmetic: &Int8<'_>, filter: &[i8; 9], channel: usize) -> [u32; WORDS] {
    let [a, b, c, d, e, f, g, h, i] = filter.map(i8::cast_unsigned);
    let QuantizedMultiplier { multiplier, shift } = multiplier_of(arithmetic.multipliers, channel);
    [
        u32::from_ne_bytes([a, b, c, d]),
        u32::from_ne_bytes([e, f, g, h]),
        u32::from_ne_bytes([i, 0, 0, 0]),
        arithmetic.start(channel).cast_unsigned(),
        multiplier.cast_unsigned(),
        (!shift).cast_unsigned(),
        0,
        0,
    ]
}

/// What is the same for every channel.
#[derive(Clone, Copy)]
struct Scaling {
    zero_point: i32,
    range: Clamp<i32>,
}

/// Four neighbouring outputs of the convolution at once, of which each filter's largest is scaled.
#[inline(never)]
fn pixel(scaling: Scaling, window: &[i32; 16], filters: &[[u32; WORDS]], out: &mut [i8]) {
    for (out, filter) in out.iter_mut().zip(filters) {
        let [.., bias, multiplier, shift, _, _] = *filter;
        let weights = view::as_bytes(filter).first_chunk();
        let Some(weights) = weights else {
            return;
        };
        let sum = largest(window, weights, bias.cast_signed());
        // `QuantizedMultiplier::apply` for shifts to the right.
        let product = fixed_point::rounding_doubling_high_mul(sum, multiplier.cast_signed());
        let lowered = product.wrapping_add(product >> 31);
        let scaled = lowered.wrapping_shr(shift).wrapping_add(1) >> 1;
        *out = scaling.range.apply(scaled.wrapping_add(scaling.zero_point)) as i8;
    }
}

/// The largest of the sums of four neighbouring outputs; the filter's weights are as many bytes.
#[cfg(not(armv6m))]
#[inline(always)]
fn largest(window: &[i32; 16], filter: &[u8; 9], start: i32) -> i32 {
    let (mut a, mut b, mut c, mut d) = (start, start, start, start);
    let [w0, w1, w2, w3, w4, w5, w6, w7, w8] = filter.map(|weight| i32::from(weight.cast_signed()));
    let ([row0, row1, row2, row3], _) = window.as_chunks::<4>() else {
        return start;
    };
    // Row by row: what is loaded of one meets a row of the filter for the upper outputs, and the one before for the lower.
    macro_rules! meet {
        ($row:ident: $($left:ident, $right:ident: $x:ident $y:ident $z:ident;)*) => {
            let [p, q, r, s] = *$row;
            $(
                $left = $left.wrapping_add(p.wrapping_mul($x));
                $right = $right.wrapping_add(q.wrapping_mul($x));
                $left = $left.wrapping_add(q.wrapping_mul($y));
                $right = $right.wrapping_add(r.wrapping_mul($y));
                $left = $left.wrapping_add(r.wrapping_mul($z));
                $right = $right.wrapping_add(s.wrapping_mul($z));
            )*
        };
    }
    meet! { row0: a, b: w0 w1 w2; }
    meet! { row1: a, b: w3 w4 w5; c, d: w0 w1 w2; }
    meet! { row2: a, b: w6 w7 w8; c, d: w3 w4 w5; }
    meet! { row3: c, d: w6 w7 w8; }
    a.max(b).max(c.max(d))
}
