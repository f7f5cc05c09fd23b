//! Matrix products as dense layers need them: all rows of both operands are contiguous.

use super::simd::{Arithmetic, LANES, Vector};

/// `output[n, o] = bias[o] + rows[n] . weights[o]`, where rows and weights are of one length.
#[inline(always)]
pub(super) fn products<A: Arithmetic>(
    rows: &[f32],
    weights: &[f32],
    bias: &[f32],
    output: &mut [f32],
) {
    let outputs = bias.len();
    let length = weights.len().checked_div(outputs).unwrap_or(0).max(1);
    let count = rows.len() / length;
    let mut n = 0;
    while n < count {
        let tall = if count - n >= 2 { 2 } else { 1 };
        let mut o = 0;
        while o < outputs {
            let wide = if outputs - o >= 4 { 4 } else { 1 };
            let (rows, weights) = (&rows[n * length..], &weights[o * length..]);
            let (bias, output) = (&bias[o..], &mut output[n * outputs + o..]);
            match (tall, wide) {
                (2, 4) => tile::<A, 2, 4>(rows, weights, length, bias, output, outputs),
                (2, _) => tile::<A, 2, 1>(rows, weights, length, bias, output, outputs),
                (_, 4) => tile::<A, 1, 4>(rows, weights, length, bias, output, outputs),
                _ => tile::<A, 1, 1>(rows, weights, length, bias, output, outputs),
            }
            o += wide;
        }
        n += tall;
    }
}

/// `N` rows times `O` rows of weights.
#[inline(always)]
fn tile<A: Arithmetic, const N: usize, const O: usize>(
    rows: &[f32],
    weights: &[f32],
    length: usize,
    bias: &[f32],
    output: &mut [f32],
    outputs: usize,
) {
    let mut row_blocks = [&[][..]; N];
    let mut weight_blocks = [&[][..]; O];
    let whole = length / LANES;
    for n in 0..N {
        row_blocks[n] = &rows[n * length..].as_chunks::<LANES>().0[..whole];
    }
    for o in 0..O {
        weight_blocks[o] = &weights[o * length..].as_chunks::<LANES>().0[..whole];
    }
    let mut sums = [[A::Vector::splat(0.0); O]; N];
    for block in 0..whole {
        let mut own = [A::Vector::splat(0.0); N];
        for n in 0..N {
            own[n] = A::Vector::load(&row_blocks[n][block]);
        }
        for o in 0..O {
            let weights = A::Vector::load(&weight_blocks[o][block]);
            for n in 0..N {
                sums[n][o] = sums[n][o].add_product(own[n], weights);
            }
        }
    }
    for n in 0..N {
        for o in 0..O {
            let mut sum = bias[o];
            let mut lanes = [0.0; LANES];
            sums[n][o].store(&mut lanes);
            for lane in lanes {
                sum += lane;
            }
            for at in whole * LANES..length {
                sum = A::add_product(sum, rows[n * length + at], weights[o * length + at]);
            }
            output[n * outputs + o] = sum;
        }
    }
}

/// `output[m, i] = sum over k of factors[m * strides[0] + k * strides[1]] * rows[k, i]`, rows and output of this width.
#[inline(always)]
pub(super) fn combine<A: Arithmetic>(
    factors: &[f32],
    strides: [usize; 2],
    rows: &[f32],
    output: &mut [f32],
    width: usize,
) {
    let count = output.len().checked_div(width).unwrap_or(0);
    let mut m = 0;
    while m < count {
        let factors = &factors[m * strides[0]..];
        let output = &mut output[m * width..];
        let tall = if count - m >= 4 { 4 } else { 1 };
        let mut first = 0;
        while first < width {
            first += match (tall, width - first) {
                (4, 16..) => columns::<A, 4, 2>(factors, strides, rows, output, width, first),
                (4, 8..) => columns::<A, 4, 1>(factors, strides, rows, output, width, first),
                (4, _) => column::<A, 4>(factors, strides, rows, output, width, first),
                (_, 8..) => columns::<A, 1, 1>(factors, strides, rows, output, width, first),
                _ => column::<A, 1>(factors, strides, rows, output, width, first),
            };
        }
        m += tall;
    }
}

/// `B` vectors of `M` rows of the output; says how many columns that were.
#[inline(always)]
fn columns<A: Arithmetic, const M: usize, const B: usize>(
    factors: &[f32],
    strides: [usize; 2],
    rows: &[f32],
    output: &mut [f32],
    width: usize,
    first: usize,
) -> usize {
    let mut sums = [[A::Vector::splat(0.0); B]; M];
    for (k, row) in rows.chunks_exact(width).enumerate() {
        let (row, _) = row[first..].as_chunks::<LANES>();
        let Some(row) = row.first_chunk::<B>() else {
            continue;
        };
        let factors = &factors[k * strides[1]..];
        for m in 0..M {
            let factor = A::Vector::splat(factors[m * strides[0]]);
            for block in 0..B {
                sums[m][block] = sums[m][block].add_product(factor, A::Vector::load(&row[block]));
            }
        }
    }
    for m in 0..M {
        let (output, _) = output[m * width + first..].as_chunks_mut::<LANES>();
        for block in 0..B {
            sums[m][block].store(&mut output[block]);
        }
    }
    B * LANES
}

/// One column of `M` rows of the output; says how many columns that were.
#[inline(always)]
fn column<A: Arithmetic, const M: usize>(
    factors: &[f32],
    strides: [usize; 2],
    rows: &[f32],
    output: &mut [f32],
    width: usize,
    first: usize,
) -> usize {
    let mut sums = [0.0; M];
    for (k, row) in rows.chunks_exact(width).enumerate() {
        for m in 0..M {
            let factor = factors[m * strides[0] + k * strides[1]];
            sums[m] = A::add_product(sums[m], factor, row[first]);
        }
    }
    for m in 0..M {
        output[m * width + first] = sums[m];
    }
    1
}
