//! Armv7E-M and Armv8-M Mainline with the DSP extension: Cortex-M4, M7, M33 and their kin without vectors.
//!
//! Two products of 16 bits in one instruction (SMLAD), for which bytes are widened two at a time (SXTB16, and SXTAB16 where
//! the input's offset comes on top). The loops are assembly, because the compiler has no stable intrinsics for these
//! instructions; each is a whole function that counts on nothing but the procedure call standard. Instructions are those of
//! the "Armv7-M Architecture Reference Manual" (Arm DDI 0403), chapter A7.
//!
//! Words are loaded from any address: Armv7-M does that for LDR, not for LDM and LDRD, which here only see words of our own.

/// Tells the assembler that there are these instructions: for Armv8-M Mainline it does not know by itself. A Cortex-M33 has those
/// of the target and these.
#[cfg(armv8m)]
macro_rules! assembler {
    () => {
        ".cpu cortex-m33"
    };
}

/// Nothing: for Armv7E-M it knows.
#[cfg(not(armv8m))]
macro_rules! assembler {
    () => {
        ""
    };
}

mod conv_2d;
mod depthwise_conv_2d;
mod dots;
mod pairs;
mod patches;
mod pooled;

pub(crate) use conv_2d::{conv_2d_i8, conv_2d_pooled_i8};
pub(crate) use depthwise_conv_2d::depthwise_conv_2d_i8;
pub(crate) use dots::dots_i8;
pub(crate) use pooled::{HAS_CONV_2D_3X3, conv_2d_3x3};

pub(crate) use super::small::conv_2d_pooled_f32;
pub(crate) use super::unaided::{
    conv_2d_f32, depthwise_conv_2d_f32, fully_connected_f32, fully_connected_i8, max_pool_2d_f32,
    max_pool_2d_i8,
};

use crate::arithmetic::Int8;
use ember_core::{Clamp, QuantizedMultiplier};

/// What scales sums: one of each for every output channel, or one multiplier for all of them, or no biases.
///
/// All of the loops scale a sum with the same six instructions:
///
/// ```text
/// QADD   s, s, s            twice the sum, saturated
/// SMMULR s, s, multiplier   (2 s m + 2^31) >> 32 = (s m + 2^30) >> 31
/// ADD    s, s, s, ASR #31   one off where it is negative: ties away from zero
/// ASR    s, s, shift - 1
/// ADD    s, s, 2 zero + 1
/// SSAT   s, #8, s, ASR #1
/// ```
///
/// That is [`QuantizedMultiplier::apply`], the zero point and the range of int8 for the numbers that [`Self::suits`] names. For
/// channels with others the loops give anything, and something else gives their outputs.
#[derive(Clone, Copy)]
struct Scaling<'a> {
    arithmetic: &'a Int8<'a>,
    /// Twice the output's zero point, and one: the zero point, and half of what the last shift takes.
    twice_zero: i32,
}

/// Right shifts with which [`Scaling`] is exact for any sum.
const SHIFTS: core::ops::RangeInclusive<i32> = -21..=-1;

/// The same for sums below 2^30.
const SMALL: core::ops::RangeInclusive<i32> = -31..=-1;

impl<'a> Scaling<'a> {
    /// `None` where the activation leaves something beyond int8.
    fn new(arithmetic: &'a Int8<'_>) -> Option<Self> {
        is_within_int8(arithmetic.range).then(|| Self {
            arithmetic,
            twice_zero: arithmetic.output_zero_point.wrapping_mul(2).wrapping_add(1),
        })
    }

    /// Biases and multipliers of so many channels from one on, where there are so many.
    #[inline(always)]
    fn of<const COUNT: usize>(
        &self,
        channel: usize,
    ) -> ([i32; COUNT], [QuantizedMultiplier; COUNT]) {
        let Int8 {
            bias, multipliers, ..
        } = self.arithmetic;
        let bias = bias.and_then(|bias| bias.get(channel..)?.first_chunk());
        let multipliers = match *multipliers {
            [one] => [*one; COUNT],
            _ => multipliers
                .get(channel..)
                .and_then(|rest| rest.first_chunk())
                .copied()
                .unwrap_or([QuantizedMultiplier::ZERO; COUNT]),
        };
        (bias.copied().unwrap_or([0; COUNT]), multipliers)
    }

    /// Whether the six instructions are exact for a channel with these, whose sums are of `size` products.
    ///
    /// A sum of 2^30 or more saturates in the first of them. Then the product is at least 2^29 - 1 in both ways, and with 21
    /// bits less at least 256 after rounding: with any zero point the output is the range's end in both ways.
    ///
    /// Smaller factors are exact where no sum of `size` products gets that far. With a factor of zero every line gives what the
    /// definition gives.
    const fn suits(bias: i32, multiplier: QuantizedMultiplier, size: usize) -> bool {
        let QuantizedMultiplier { multiplier, shift } = multiplier;
        // A product is below 2^15.
        let small = bias.unsigned_abs() < 1 << 29 && size <= 1 << 14;
        let least = if small {
            *SMALL.start()
        } else {
            *SHIFTS.start()
        };
        let ordinary = multiplier >= 1 << 30 && shift >= least && shift <= *SHIFTS.end();
        let none = multiplier == 0 && shift == 0;
        ordinary || none
    }
}

/// Whether nothing of a range is beyond int8.
const fn is_within_int8(range: Clamp<i32>) -> bool {
    Clamp::INT8.min <= range.min && range.max <= Clamp::INT8.max
}

/// The input's offset in both halves of a word.
const fn offsets(arithmetic: &Int8<'_>) -> u32 {
    let offset = arithmetic.input_zero_point.wrapping_neg();
    (offset & 0xffff).cast_unsigned().wrapping_mul(0x1_0001)
}

/// What a fused activation leaves of outputs that are within int8 already.
fn narrow(range: Clamp<i32>, output: &mut [i8]) {
    if range != Clamp::INT8 {
        for out in output {
            *out = range.apply(i32::from(*out)) as i8;
        }
    }
}
