//! The inner loops in plain Rust: unrolled by hand for cores without vectors, left to the compiler where it has them.

#![allow(
    dead_code,
    reason = "each processor takes what it has no code of its own for"
)]

use crate::rows;

/// Elements per round. Explicit, because the size-optimized profile of a firmware does not unroll by itself.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const LANES: usize = 4;

/// `sum + Σ (x + offset) * w`, wrapping.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
pub(crate) fn dot_i8(mut sum: i32, x: &[i8], offset: i32, w: &[i8]) -> i32 {
    let (x, x_rest) = x.as_chunks::<LANES>();
    let (w, w_rest) = w.as_chunks::<LANES>();
    let product = |x: i8, w: i8| i32::from(x).wrapping_add(offset).wrapping_mul(i32::from(w));
    for ([x0, x1, x2, x3], [w0, w1, w2, w3]) in x.iter().zip(w) {
        sum = sum
            .wrapping_add(product(*x0, *w0))
            .wrapping_add(product(*x1, *w1))
            .wrapping_add(product(*x2, *w2))
            .wrapping_add(product(*x3, *w3));
    }
    for (x, w) in x_rest.iter().zip(w_rest) {
        sum = sum.wrapping_add(product(*x, *w));
    }
    sum
}

/// `sum + Σ (x + offset) * w`, wrapping.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(crate) fn dot_i8(sum: i32, x: &[i8], offset: i32, w: &[i8]) -> i32 {
    x.iter().zip(w).fold(sum, |sum, (x, w)| {
        sum.wrapping_add(
            i32::from(*x)
                .wrapping_add(offset)
                .wrapping_mul(i32::from(*w)),
        )
    })
}

/// [`dot_i8`] with four filters of `x`'s length, which are one after the other.
#[inline(always)]
pub(crate) fn dots_i8(sums: &mut [i32; 4], x: &[i8], offset: i32, filters: &[i8]) {
    for (sum, filter) in sums.iter_mut().zip(rows::of(filters, x.len())) {
        *sum = dot_i8(*sum, x, offset, filter);
    }
}

/// `sum + Σ x * w`, wrapping.
#[inline(always)]
pub(crate) fn dot_i16(mut sum: i64, x: &[i16], w: &[i8]) -> i64 {
    // A product is at most 2^22, so that 256 of them stay within 32 bits: most additions are narrow.
    const RUN: usize = 256;
    let (mut x, mut w) = (x, w);
    loop {
        let run = x.len().min(w.len()).min(RUN);
        let (Some((x_run, x_rest)), Some((w_run, w_rest))) =
            (x.split_at_checked(run), w.split_at_checked(run))
        else {
            return sum;
        };
        let mut narrow = 0i32;
        for (x, w) in x_run.iter().zip(w_run) {
            narrow = narrow.wrapping_add(i32::from(*x).wrapping_mul(i32::from(*w)));
        }
        sum = sum.wrapping_add(i64::from(narrow));
        if run < RUN {
            return sum;
        }
        (x, w) = (x_rest, w_rest);
    }
}

/// `sum + Σ x * w` in four interleaved sums: those of the elements 0, 4, 8 …, 1, 5, 9 … and so on. `sum` and what is beyond the
/// last whole four go to the first. The end is `(first + second) + (third + fourth)`. Every product is rounded before it is added.
#[inline(always)]
pub(crate) fn dot_f32(sum: f32, x: &[f32], w: &[f32]) -> f32 {
    let (x, x_rest) = x.as_chunks::<4>();
    let (w, w_rest) = w.as_chunks::<4>();
    let mut sums = [sum, 0.0, 0.0, 0.0];
    for (x, w) in x.iter().zip(w) {
        for ((sum, x), w) in sums.iter_mut().zip(x).zip(w) {
            *sum += x * w;
        }
    }
    let [mut sum, sum1, sum2, sum3] = sums;
    for (x, w) in x_rest.iter().zip(w_rest) {
        sum += x * w;
    }
    (sum + sum1) + (sum2 + sum3)
}

/// [`dot_f32`] with four filters of `x`'s length, which are one after the other.
#[inline(always)]
pub(crate) fn dots_f32(sums: &mut [f32; 4], x: &[f32], filters: &[f32]) {
    for (sum, filter) in sums.iter_mut().zip(rows::of(filters, x.len())) {
        *sum = dot_f32(*sum, x, filter);
    }
}
