//! BATCH_MATMUL: `kernels/internal/reference/batch_matmul.h`.

use ember_core::QuantizedMultiplier;

use crate::element::Element;
use crate::error::{KernelError, Operand, check_shape};

/// Batch axes at most.
pub const BATCH_AXES: usize = 3;

ember_core::plain! {
    /// One side of the product.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Side {
        /// Elements from one batch to the next, per batch axis; 0 where it is repeated.
        pub batch_steps: [u32; BATCH_AXES],
        /// Elements from one row of the output (left side) or one column (right side) to the next.
        pub step: u32,
        /// Elements from one addend of a sum to the next.
        pub depth_step: u32,
    }

    /// Shapes of a product: the output is `[batches.., rows, columns]`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BatchMatmul {
        /// Positions of the batch axes.
        pub batches: [u32; BATCH_AXES],
        /// Rows of the output.
        pub rows: u32,
        /// Columns of the output.
        pub columns: u32,
        /// Addends of a sum.
        pub depth: u32,
        /// Left and right.
        pub sides: [Side; 2],
    }

    /// Quantization of a product of integers.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Quantization {
        /// Zero points of the two inputs.
        pub input_zero_points: [i32; 2],
        /// The inputs' scales multiplied, divided by the output's.
        pub multiplier: QuantizedMultiplier,
        /// The output value that stands for zero.
        pub output_zero_point: i32,
    }
}

/// The product of int8.
///
/// # Errors
/// A position lies outside of an input, or the output has not the elements of its shape.
pub fn int8(
    shape: &BatchMatmul,
    quantization: &Quantization,
    left: &[i8],
    right: &[i8],
    output: &mut [i8],
) -> Result<(), KernelError> {
    let q = quantization;
    let [zero1, zero2] = q.input_zero_points;
    let add = |sum: i32, a: i8, b: i8| {
        let a = a.wide().wrapping_sub(zero1);
        sum.wrapping_add(a.wrapping_mul(b.wide().wrapping_sub(zero2)))
    };
    multiply(shape, left, right, output, add, |sum| {
        let y = q.multiplier.apply(sum);
        i8::within(y.wrapping_add(q.output_zero_point), i8::RANGE)
    })
}

/// The product of int16, whose zero points are 0, with sums of 64 bits.
///
/// # Errors
/// As [`int8`].
pub fn int16(
    shape: &BatchMatmul,
    quantization: &Quantization,
    left: &[i16],
    right: &[i16],
    output: &mut [i16],
) -> Result<(), KernelError> {
    let add =
        |sum: i64, a: i16, b: i16| sum.wrapping_add(i64::from(a.wide().wrapping_mul(b.wide())));
    let multiplier = quantization.multiplier;
    multiply(shape, left, right, output, add, |sum| {
        i16::within(multiplier.apply_wide(sum), i16::RANGE)
    })
}

/// The product of float32.
///
/// # Errors
/// As [`int8`].
pub fn float32(
    shape: &BatchMatmul,
    left: &[f32],
    right: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    multiply(
        shape,
        left,
        right,
        output,
        |sum, a, b| sum + a * b,
        |sum| sum,
    )
}

#[inline(always)]
fn multiply<T: Copy, A: Copy + Default>(
    shape: &BatchMatmul,
    left: &[T],
    right: &[T],
    output: &mut [T],
    add: impl Fn(A, T, T) -> A,
    finish: impl Fn(A) -> T,
) -> Result<(), KernelError> {
    let [outer, middle, inner] = shape.batches;
    let sizes = [outer, middle, inner, shape.rows, shape.columns];
    check_shape(Operand::Output, &sizes, output.len())?;
    let [one, other] = &shape.sides;
    let start = |side: &Side, batch: [u32; BATCH_AXES]| {
        let products = batch.iter().zip(side.batch_steps);
        products.fold(0u32, |at, (index, step)| {
            at.wrapping_add(index.wrapping_mul(step))
        })
    };
    let mut outputs = output.iter_mut();
    for i in 0..outer {
        for j in 0..middle {
            for k in 0..inner {
                let starts = (start(one, [i, j, k]), start(other, [i, j, k]));
                for row in 0..shape.rows {
                    for column in 0..shape.columns {
                        let mut at1 = starts.0.wrapping_add(row.wrapping_mul(one.step));
                        let mut at2 = starts.1.wrapping_add(column.wrapping_mul(other.step));
                        let mut sum = A::default();
                        for _ in 0..shape.depth {
                            let pair = (left.get(at1 as usize), right.get(at2 as usize));
                            let (Some(a), Some(b)) = pair else {
                                return Err(KernelError::Parameters);
                            };
                            sum = add(sum, *a, *b);
                            at1 = at1.wrapping_add(one.depth_step);
                            at2 = at2.wrapping_add(other.depth_step);
                        }
                        if let Some(out) = outputs.next() {
                            *out = finish(sum);
                        }
                    }
                }
            }
        }
    }
    Ok(())
}
