//! RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: `kernels/internal/reference/resize_nearest_neighbor.h` and
//! `resize_bilinear.h`.

use ember_core::{elementary, float};

use crate::error::{KernelError, Operand, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shapes of a resize: the input `[batches, input height, input width, depth]`, and how positions correspond.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Resize {
        /// Images.
        pub batches: u32,
        /// Height and width of the input, at most 2^20 each.
        pub input: [u32; 2],
        /// Height and width of the output, at most 2^20 each.
        pub output: [u32; 2],
        /// Elements of a pixel.
        pub depth: u32,
        /// 1 where the corners' middles correspond, else 0.
        pub align_corners: u32,
        /// 1 where a position stands for its pixel's middle, else 0.
        pub half_pixel_centers: u32,
    }
}

impl Resize {
    /// The sides, height first: input and output size.
    fn sides(&self) -> [(u32, u32); 2] {
        let [height, width] = self.input;
        let [out_height, out_width] = self.output;
        [(height, out_height), (width, out_width)]
    }

    fn check(&self, element: u32, input: usize, output: usize) -> Result<(), KernelError> {
        let [(height, out_height), (width, out_width)] = self.sides();
        let sizes = [self.batches, height, width, self.depth, element];
        check_shape(Operand::Input, &sizes, input)?;
        let sizes = [self.batches, out_height, out_width, self.depth, element];
        check_shape(Operand::Output, &sizes, output)
    }

    /// Input positions per output position.
    fn scale(&self, input: u32, output: u32) -> f32 {
        if self.align_corners != 0 && output > 1 {
            input.wrapping_sub(1) as f32 / output.wrapping_sub(1) as f32
        } else {
            input as f32 / output as f32
        }
    }

    /// The input position nearest to an output position.
    fn nearest(&self, at: u32, (input, output): (u32, u32)) -> u32 {
        let offset = if self.half_pixel_centers != 0 {
            0.5
        } else {
            0.0
        };
        let scaled = (at as f32 + offset) * self.scale(input, output);
        let nearest = if self.align_corners != 0 {
            float::round(scaled)
        } else {
            elementary::floor(scaled)
        };
        // Negative ones become 0.
        (nearest as u32).min(input.wrapping_sub(1))
    }
}

/// Copies the nearest pixel; a pixel's elements have `element` bytes each.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn nearest(
    shape: &Resize,
    element: u32,
    input: &[u8],
    output: &mut [u8],
) -> Result<(), KernelError> {
    shape.check(element, input.len(), output.len())?;
    let [rows, columns] = shape.sides();
    let pixel = (shape.depth as usize).saturating_mul(element as usize);
    let mut outputs = rows::of_mut(output, pixel);
    for batch in 0..shape.batches {
        for y in 0..rows.1 {
            let line = batch
                .wrapping_mul(rows.0)
                .wrapping_add(shape.nearest(y, rows));
            for x in 0..columns.1 {
                let at = line
                    .wrapping_mul(columns.0)
                    .wrapping_add(shape.nearest(x, columns));
                let from = (at as usize).saturating_mul(pixel);
                let from = input.get(from..from.saturating_add(pixel));
                if let (Some(out), Some(from)) = (outputs.next(), from) {
                    for (out, x) in out.iter_mut().zip(from) {
                        *out = *x;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Between which input positions an output position lies, and how far behind the first.
#[derive(Clone, Copy)]
struct Between<W> {
    low: u32,
    high: u32,
    weight: W,
}

/// The four pixels around each output position, with the weights of both sides.
#[inline(always)]
fn interpolate<T: Copy, W: Copy>(
    shape: &Resize,
    input: &[T],
    output: &mut [T],
    between: impl Fn(u32, (u32, u32)) -> Between<W>,
    mix: impl Fn([T; 4], W, W) -> T,
) -> Result<(), KernelError> {
    shape.check(1, input.len(), output.len())?;
    let [rows, columns] = shape.sides();
    let mut outputs = output.iter_mut();
    for batch in 0..shape.batches {
        for y in 0..rows.1 {
            let across = between(y, rows);
            for x in 0..columns.1 {
                let along = between(x, columns);
                for channel in 0..shape.depth {
                    let element = |y: u32, x: u32| {
                        let line = batch.wrapping_mul(rows.0).wrapping_add(y);
                        let at = line.wrapping_mul(columns.0).wrapping_add(x);
                        let at = at.wrapping_mul(shape.depth).wrapping_add(channel);
                        input.get(at as usize).copied()
                    };
                    let four = (
                        element(across.low, along.low),
                        element(across.high, along.low),
                        element(across.low, along.high),
                        element(across.high, along.high),
                    );
                    let (Some(a), Some(b), Some(c), Some(d)) = four else {
                        return Err(KernelError::Parameters);
                    };
                    if let Some(out) = outputs.next() {
                        *out = mix([a, b, c, d], across.weight, along.weight);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Interpolates float32 between the four nearest pixels.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn bilinear_float32(
    shape: &Resize,
    input: &[f32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let between = |at: u32, (size, output): (u32, u32)| {
        let scale = shape.scale(size, output);
        let scaled = if shape.half_pixel_centers != 0 {
            (at as f32 + 0.5) * scale - 0.5
        } else {
            at as f32 * scale
        };
        let last = size.wrapping_sub(1);
        // Negative ones become 0.
        let low = (elementary::floor(scaled) as u32).min(last);
        let high = (elementary::ceil(scaled) as u32).min(last);
        let weight = scaled - low as f32;
        Between { low, high, weight }
    };
    interpolate(shape, input, output, between, |[a, b, c, d], y, x| {
        a * (1.0 - y) * (1.0 - x) + b * y * (1.0 - x) + c * (1.0 - y) * x + d * y * x
    })
}

/// Interpolates int8 between the four nearest pixels, with positions in 1/1024.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn bilinear_int8(shape: &Resize, input: &[i8], output: &mut [i8]) -> Result<(), KernelError> {
    let between = |at: u32, (size, output): (u32, u32)| {
        let aligned = u32::from(shape.align_corners != 0 && output > 1);
        let (input, output) = (size.wrapping_sub(aligned), output.wrapping_sub(aligned));
        let scale = input.wrapping_mul(1 << 10).wrapping_add(output / 2);
        let scale = scale.checked_div(output).unwrap_or(0).cast_signed();
        let mut scaled = at.cast_signed().wrapping_mul(scale);
        if shape.half_pixel_centers != 0 {
            scaled = scaled.wrapping_add(scale / 2).wrapping_sub(1 << 9);
        }
        let last = size.wrapping_sub(1).cast_signed();
        let low = (scaled / (1 << 10)).max(0).min(last);
        let high = (scaled.wrapping_add((1 << 10) - 1) / (1 << 10))
            .max(0)
            .min(last);
        Between {
            low: low.unsigned_abs(),
            high: high.unsigned_abs(),
            weight: scaled.wrapping_sub(low.wrapping_mul(1 << 10)),
        }
    };
    interpolate(shape, input, output, between, |four, y, x| {
        let (y, x) = (i64::from(y), i64::from(x));
        let (from_y, from_x) = (1024i64.wrapping_sub(y), 1024i64.wrapping_sub(x));
        let weights = [
            from_y.wrapping_mul(from_x),
            y.wrapping_mul(from_x),
            from_y.wrapping_mul(x),
            y.wrapping_mul(x),
        ];
        let mut sum = 0i64;
        for (value, weight) in four.iter().zip(weights) {
            sum = sum.wrapping_add(i64::from(*value).wrapping_mul(weight));
        }
        let half = if sum > 0 { 1 << 19 } else { -(1 << 19) };
        // Towards zero.
        (sum.wrapping_add(half) / (1 << 20)) as i8
    })
}
