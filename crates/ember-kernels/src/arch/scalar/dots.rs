//! One row of input with four filters at once.

use crate::arch::portable;

/// Elements per round. Explicit, because the size-optimized profile of a firmware does not unroll by itself.
const LANES: usize = 4;

/// Adds `Σ (x + offset) * w` to each sum, wrapping; `filters` are four of `x`'s length.
#[inline(never)]
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    let len = x.len();
    let row = |number: usize| {
        let from = len.wrapping_mul(number);
        filters.get(from..from.wrapping_add(len)).unwrap_or(&[])
    };
    let [sum0, sum1, sum2, sum3] = sums;
    let (mut a, mut b, mut c, mut d) = (*sum0, *sum1, *sum2, *sum3);
    let (fours, rest) = x.as_chunks::<LANES>();
    let [(w0, rest0), (w1, rest1), (w2, rest2), (w3, rest3)] =
        [row(0), row(1), row(2), row(3)].map(|row| row.as_chunks::<LANES>());
    for ((((x, w0), w1), w2), w3) in fours.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
        for ((((x, w0), w1), w2), w3) in x.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
            let x = i32::from(*x).wrapping_add(offset);
            a = a.wrapping_add(x.wrapping_mul(i32::from(*w0)));
            b = b.wrapping_add(x.wrapping_mul(i32::from(*w1)));
            c = c.wrapping_add(x.wrapping_mul(i32::from(*w2)));
            d = d.wrapping_add(x.wrapping_mul(i32::from(*w3)));
        }
    }
    let sums = [
        (sum0, a, rest0),
        (sum1, b, rest1),
        (sum2, c, rest2),
        (sum3, d, rest3),
    ];
    for (sum, so_far, w) in sums {
        *sum = portable::dot_i8(so_far, rest, offset, w);
    }
}
