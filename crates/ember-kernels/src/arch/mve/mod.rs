//! Armv8.1-M Mainline with the M-profile Vector Extension on integers (Helium): Cortex-M55 and M85.
//!
//! Sixteen products of bytes in one instruction that adds them all to a register (VMLADAVA), and loops that count and mask the
//! last round by themselves (DLSTP, LETP). An input's offset is taken off the start of a sum, which is the same for every
//! output of a filter: `Σ (x - zero) * w = Σ x * w - zero * Σ w`, overflow included.
//!
//! The loops are assembly, each a whole function that counts on nothing but the procedure call standard: d0 to d7 are free there,
//! d8 to d15 are kept ("Procedure Call Standard for the Arm Architecture", Arm IHI 0042, on the registers of the floating-point
//! unit). Instructions are those of the "Armv8-M Architecture Reference Manual" (Arm DDI 0553), chapter C2. Floats stay with the
//! scalar unit: vectors flush denormals to zero, and host and device have to agree to the byte.

/// Tells the assembler that there are these instructions.
macro_rules! assembler {
    () => {
        ".cpu cortex-m55"
    };
}

mod conv_2d;
mod depthwise_conv_2d;
mod dots;
mod fully_connected;
mod pooled;
mod quads;

pub(crate) use conv_2d::{conv_2d_i8, conv_2d_pooled_i8};
pub(crate) use depthwise_conv_2d::depthwise_conv_2d_i8;
pub(crate) use dots::{dot_i8, dots_i8};
pub(crate) use fully_connected::fully_connected_i8;
pub(crate) use pooled::{HAS_CONV_2D_3X3, conv_2d_3x3};

pub(crate) use super::small::conv_2d_pooled_f32;
pub(crate) use super::unaided::{
    conv_2d_f32, depthwise_conv_2d_f32, fully_connected_f32, max_pool_2d_f32, max_pool_2d_i8,
};

use crate::arithmetic::Int8;
use ember_core::{Clamp, QuantizedMultiplier};

/// Scales sums in the first register by multipliers in the second and shifts in the third, which are in -31..=0. It spoils the
/// multipliers.
///
/// ```text
/// VQRDMULH s, s, multiplier    (2 s m + 2^31) >> 32
/// VAND, VSHR #31, VADD         one off where it is negative and there is a shift: ties away from zero
/// VRSHL    s, s, shift
/// ```
///
/// That is [`QuantizedMultiplier::apply`] for every sum.
#[rustfmt::skip]
macro_rules! scale {
    ($sums:literal, $multipliers:literal, $shifts:literal) => {
        concat!(
            "vqrdmulh.s32 ", $sums, ", ", $sums, ", ", $multipliers, "\n",
            "vand ", $multipliers, ", ", $sums, ", ", $shifts, "\n",
            "vshr.s32 ", $multipliers, ", ", $multipliers, ", #31\n",
            "vadd.i32 ", $sums, ", ", $sums, ", ", $multipliers, "\n",
            "vrshl.s32 ", $sums, ", ", $sums, ", ", $shifts, "\n",
        )
    };
}
use scale;

/// Whether every sum can be scaled by the vectors: the factors are below 1, and there is nothing beyond int8 in the range.
fn suits(arithmetic: &Int8<'_>) -> bool {
    let Int8 {
        range, multipliers, ..
    } = arithmetic;
    Clamp::INT8.min <= range.min
        && range.min <= range.max
        && range.max <= Clamp::INT8.max
        && multipliers.iter().all(|multiplier| {
            let QuantizedMultiplier { multiplier, shift } = *multiplier;
            multiplier >= 0 && (-31..=0).contains(&shift)
        })
}

/// The bias of a channel, and its multiplier.
fn channel(arithmetic: &Int8<'_>, channel: usize) -> (i32, QuantizedMultiplier) {
    let bias = arithmetic.bias.and_then(|bias| bias.get(channel));
    let multiplier = crate::arithmetic::multiplier_of(arithmetic.multipliers, channel);
    (bias.copied().unwrap_or(0), multiplier)
}
