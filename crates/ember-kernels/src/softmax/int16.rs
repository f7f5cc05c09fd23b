//! SOFTMAX of int16: `SoftmaxInt16` (`kernels/internal/reference/softmax.h`) with its two tables, which TFLM fills with
//! `LUTPopulateInt16` (`kernels/internal/common.h`) when it starts and which are constants here.

use ember_core::{QuantizedMultiplier, float};

use super::Softmax;
use crate::error::KernelError;
use crate::rows;

/// Steps of a table; one more value closes it.
const STEPS: usize = 512;

/// Values of a function at equal distances.
type Table = [i16; STEPS + 1];

/// `e^x` for x in [-10, 0], Q0.15.
static EXP: Table = table(Function::Exp, 10.0 / 65535.0, 32767);

/// `1 / (1 + x)` for x in [0, 1], Q0.15.
static ONE_OVER_ONE_PLUS: Table = table(Function::OneOverOnePlus, 1.0 / 65535.0, -32768);

/// What a table holds: constants cannot be made with closures.
#[derive(Clone, Copy)]
enum Function {
    Exp,
    OneOverOnePlus,
}

impl Function {
    const fn at(self, x: f32) -> f32 {
        match self {
            Self::Exp => exp(x),
            Self::OneOverOnePlus => 1.0 / (1.0 + x),
        }
    }
}

/// `e^x`, the f32 nearest to it for x in [-10, 0]: the tables hang on the last bit, and
/// [`float::exp`] is not that close. The series of `e^(x / 64)`, then squared six times, in double precision.
const fn exp(x: f32) -> f32 {
    let r = x as f64 / 64.0;
    let (mut power, mut term, mut n) = (1.0, 1.0, 1.0);
    while n < 16.0 {
        term *= r / n;
        power += term;
        n += 1.0;
    }
    let mut squared = 0;
    while squared < 6 {
        power *= power;
        squared += 1;
    }
    power as f32
}

/// `LUTPopulateInt16` for outputs of scale 2 / 65535 and zero point 0. Every value is moved by half of what the straight
/// line to the next one misses in the middle.
const fn table(function: Function, input_scale: f32, input_zero_point: i32) -> Table {
    const OUTPUT_SCALE: f32 = 2.0 / 65535.0;
    let input_min = input_scale * (-32768 - input_zero_point) as f32;
    let input_max = input_scale * (32767 - input_zero_point) as f32;
    let step = (input_max - input_min) / STEPS as f32;
    let inverse = 65536.0 / (OUTPUT_SCALE * 32767.0 - OUTPUT_SCALE * -32768.0);
    let mut table = [0; STEPS + 1];
    let mut index = 0;
    while index < STEPS {
        let x = input_min + index as f32 * step;
        let value = float::round(function.at(x) * inverse);
        let next = function.at(input_min + (index + 1) as f32 * step) * inverse;
        let straight = float::round((next + value) / 2.0);
        let middle = float::round(function.at(x + step / 2.0) * inverse);
        table[index] = saturated(value - float::round((straight - middle) / 2.0));
        index += 1;
    }
    table[STEPS] = saturated(float::round(function.at(input_max) * inverse));
    table
}

/// A conversion of floats saturates.
const fn saturated(x: f32) -> i16 {
    x as i16
}

/// The table's function at `x`, of which -32768 is its first value: `LUTLookup` (`kernels/internal/common.h`).
#[inline(never)]
fn look_up(table: &Table, x: i16) -> i16 {
    let index = ((i32::from(x) >> 7) + 256).unsigned_abs() as usize;
    let value = |index: usize| table.get(index).copied().unwrap_or(0);
    let base = value(index);
    let slope = i32::from(value(index + 1)) - i32::from(base);
    let offset = i32::from(x) & 0x7f;
    base.wrapping_add(((slope * offset + 64) >> 7) as i16)
}

/// Differences from the maximum times this are steps of the exponential's table; `None` where beta times scale is not
/// positive.
#[must_use]
pub fn multiplier(beta: f32, input_scale: f32) -> Option<QuantizedMultiplier> {
    // 10 / 65535 is no f32, so the quotient is taken as TFLM takes it.
    let factor = f64::from(input_scale) * f64::from(beta) / (10.0 / 65535.0);
    let multiplier = QuantizedMultiplier::from_f64(factor);
    (multiplier.multiplier > 0 && multiplier.shift <= 30).then_some(multiplier)
}

/// Softmax of int16 rows, equal to TFLM's to the byte. Input and output have zero point 0, the output scale 1/32768.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn softmax(
    shape: &Softmax,
    multiplier: QuantizedMultiplier,
    input: &[i16],
    output: &mut [i16],
) -> Result<(), KernelError> {
    let depth = shape.check(input.len(), output.len())?;
    for (row, out) in rows::of(input, depth).zip(rows::of_mut(output, depth)) {
        let max = row.iter().fold(i16::MIN, |max, x| max.max(*x));
        let mut sum = 0i32;
        for (out, x) in out.iter_mut().zip(row) {
            let difference = multiplier.apply(i32::from(*x) - i32::from(max));
            let index = difference.wrapping_add(32767).clamp(-32768, 32767);
            *out = look_up(&EXP, index as i16);
            sum = sum.wrapping_add(i32::from(*out));
        }
        // The sum is 1.x * 2^(16 - headroom); x in 16 bits, from -32768 on.
        let headroom = sum.leading_zeros().wrapping_sub(1);
        let shifted = (i64::from(sum) << (headroom & 31)).wrapping_add(1 << 13) >> 14;
        let x = shifted.wrapping_sub((1 << 15) + (1 << 16));
        let reciprocal = look_up(&ONE_OVER_ONE_PLUS, x.clamp(-32768, 32767) as i16);
        let shift = 30u32.wrapping_sub(headroom) & 31;
        let half = 1i64 << (shift.wrapping_sub(1) & 31);
        for out in out {
            let product = i64::from(*out) * i64::from(reciprocal);
            *out = ((product.wrapping_add(half) >> shift) as i32).clamp(0, 32767) as i16;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{EXP, Function, ONE_OVER_ONE_PLUS, exp};

    #[test]
    fn the_exponential_is_that_of_the_mathematical_library() {
        for index in 0..=2048 {
            let x = -10.0 + index as f32 * (10.0 / 2048.0);
            let library = f64::from(x).exp() as f32;
            assert_eq!(exp(x), library, "exp({x})");
        }
        assert_eq!(Function::Exp.at(0.0), 1.0);
    }

    #[test]
    fn the_tables_end_where_their_functions_do() {
        assert_eq!((EXP[0], EXP[512]), (2, 32767));
        assert_eq!(
            (ONE_OVER_ONE_PLUS[0], ONE_OVER_ONE_PLUS[512]),
            (32767, 16384)
        );
        assert!(EXP.is_sorted() && ONE_OVER_ONE_PLUS.iter().rev().is_sorted());
    }
}
