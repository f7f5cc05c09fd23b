//! The arithmetic of int16 activations.

use ember_core::view::Int64;
use ember_core::{Clamp, QuantizedMultiplier};

use super::{Arithmetic, check_multipliers, multiplier_of};
use crate::arch;
use crate::error::{KernelError, Operand, check};

/// One value per output channel that sums of 16-bit activations start with.
#[derive(Clone, Copy, Debug)]
pub enum WideBias<'a> {
    /// Zero.
    None,
    /// In 16 bits.
    Int16(&'a [i16]),
    /// In 32 bits.
    Int32(&'a [i32]),
    /// In 64 bits.
    Int64(&'a [Int64]),
}

/// int16 activations with int8 weights, both with zero point 0, and 64-bit sums.
#[derive(Clone, Copy, Debug)]
pub struct Int16<'a> {
    /// What a fused activation leaves of the output's range.
    pub range: Clamp<i32>,
    /// In the scale of the sums.
    pub bias: WideBias<'a>,
    /// Whether TFLM adds up in 32 bits, as it does for a bias of 32 bits: then sums wrap there, and are scaled with the
    /// whole multiplier instead of its upper half.
    pub narrow: bool,
    /// `input scale * filter scale / output scale`: one for all output channels, or one each.
    pub multipliers: &'a [QuantizedMultiplier],
}

impl Arithmetic for Int16<'_> {
    type Value = i16;
    type Output = i16;
    type Weight = i8;
    type Sum = i64;

    fn check(&self, channels: usize) -> Result<(), KernelError> {
        match self.bias {
            WideBias::None => {}
            WideBias::Int16(bias) => check(Operand::Bias, channels, bias.len())?,
            WideBias::Int32(bias) => check(Operand::Bias, channels, bias.len())?,
            WideBias::Int64(bias) => check(Operand::Bias, channels, bias.len())?,
        }
        check_multipliers(self.multipliers, channels)
    }

    #[inline(always)]
    fn zero(&self) -> i16 {
        0
    }

    #[inline(always)]
    fn join(&self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn start(&self, channel: usize) -> i64 {
        match self.bias {
            WideBias::None => 0,
            WideBias::Int16(bias) => bias.get(channel).map_or(0, |bias| i64::from(*bias)),
            WideBias::Int32(bias) => bias.get(channel).map_or(0, |bias| i64::from(*bias)),
            WideBias::Int64(bias) => bias.get(channel).map_or(0, |bias| bias.get()),
        }
    }

    #[inline(always)]
    fn multiply_add(&self, sum: i64, x: i16, w: i8) -> i64 {
        sum.wrapping_add(i64::from(i32::from(x).wrapping_mul(i32::from(w))))
    }

    #[inline(always)]
    fn dot(&self, sum: i64, x: &[i16], w: &[i8]) -> i64 {
        arch::dot_i16(sum, x, w)
    }

    #[inline(always)]
    fn finish(&self, channel: usize, sum: i64) -> i16 {
        let multiplier = multiplier_of(self.multipliers, channel);
        let output = if self.narrow {
            // Modulo 2^32 it is what 32 bits would have held.
            multiplier.apply(sum as i32)
        } else {
            multiplier.apply_wide(sum)
        };
        self.range.apply(output) as i16
    }
}
