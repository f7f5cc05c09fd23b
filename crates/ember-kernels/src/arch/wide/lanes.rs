//! What the kernels for wide vectors ask of a machine: eight sums of 32 bits side by side.

use ember_core::{Clamp, QuantizedMultiplier};

use crate::arithmetic::Int8;

/// Channels, or units, that are computed side by side.
pub(in crate::arch) const LANES: usize = 8;

/// Taps that one step of a convolution takes.
pub(in crate::arch) const TAPS: usize = 4;

/// Bytes of the weights of one step: [`TAPS`] of each of [`LANES`] channels.
pub(in crate::arch) const GROUP: usize = LANES * TAPS;

/// The vector instructions of a machine, for int8. A value of the type exists only where the machine has them.
///
/// Sums wrap, so that the order of additions does not matter.
pub(in crate::arch) trait Lanes: Copy {
    /// Sums of 32 bits, one per lane.
    type Sums: Copy;
    /// [`TAPS`] inputs, the same in every lane.
    type Inputs: Copy;
    /// [`TAPS`] weights per lane.
    type Weights: Copy;
    /// [`GROUP`] neighbouring inputs.
    type Chunk: Copy;
    /// How sums become outputs.
    type Scale: Copy;

    /// What [`Lanes::inputs`] adds to every input, because the instructions want them unsigned.
    const OFFSET: i32;

    /// Where [`Lanes::weights`] wants the weight of a channel and a tap among those of its group.
    fn place(channel: usize, tap: usize) -> usize;

    /// Sums that start like this.
    fn sums(self, sums: [i32; LANES]) -> Self::Sums;

    /// The inputs plus [`Lanes::OFFSET`], for [`Lanes::multiply_add`].
    fn inputs(self, inputs: [i8; TAPS]) -> Self::Inputs;

    /// Weights that lie as [`Lanes::place`] says.
    fn weights(self, weights: &[i8; GROUP]) -> Self::Weights;

    /// In each lane, the sum plus the products of the [`TAPS`] inputs and weights.
    fn multiply_add(
        self,
        sums: Self::Sums,
        inputs: Self::Inputs,
        weights: Self::Weights,
    ) -> Self::Sums;

    /// The larger of each two.
    fn larger(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// How often [`Lanes::dot`]'s result must have the sum of the weights added for an input zero point.
    fn weight_factor(zero_point: i32) -> i32;

    /// Neighbouring inputs, for [`Lanes::dot`].
    fn chunk(self, inputs: &[i8; GROUP], zero_point: i32) -> Self::Chunk;

    /// Adds the products of inputs and weights to the sums, each to any one of them. With the sum of the weights, times
    /// [`Lanes::weight_factor`], they are those of the inputs less the zero point.
    fn dot(self, sums: Self::Sums, inputs: Self::Chunk, weights: &[i8; GROUP]) -> Self::Sums;

    /// Adds the weights to the sums, each to any one of them.
    fn add_weights(self, sums: Self::Sums, weights: &[i8; GROUP]) -> Self::Sums;

    /// The total of each.
    fn totals(self, sums: [Self::Sums; LANES]) -> [i32; LANES];

    /// How sums become outputs.
    fn scale(self, scaling: &Scaling) -> Self::Scale;

    /// The outputs, as `QuantizedMultiplier::apply`, the output's zero point and the range give them.
    fn finish(self, sums: Self::Sums, scale: &Self::Scale) -> [i8; LANES];
}

/// How the sums of [`LANES`] channels become outputs.
#[derive(Clone, Copy)]
pub(in crate::arch) struct Scaling {
    /// Significand of each.
    pub(in crate::arch) multipliers: [i32; LANES],
    /// Bits to the left before the multiplication, 0..=31; 0 where the shift goes to the right.
    pub(in crate::arch) left: [i32; LANES],
    /// Bits to the right after it, less one, 0..=31; where the shift goes to the left -1.
    pub(in crate::arch) right: [i32; LANES],
    /// The output's zero point.
    pub(in crate::arch) zero_point: i32,
    /// What outputs are clamped to, within int8.
    pub(in crate::arch) range: Clamp<i32>,
}

impl Scaling {
    /// For the channels from `first` on, whose outputs are clamped to `after` at last. Channels that there are not get any.
    #[inline(always)]
    pub(in crate::arch) fn new(arithmetic: &Int8<'_>, first: usize, after: Clamp<i32>) -> Self {
        let mut scaling = Self {
            multipliers: [0; LANES],
            left: [0; LANES],
            right: [-1; LANES],
            zero_point: arithmetic.output_zero_point,
            // To one range and then to another is to this one.
            range: Clamp {
                min: after.apply(arithmetic.range.min),
                max: after.apply(arithmetic.range.max),
            },
        };
        let lanes = scaling.multipliers.iter_mut();
        let lanes = lanes.zip(&mut scaling.left).zip(&mut scaling.right);
        for (((multiplier, left), right), channel) in lanes.zip(first..) {
            let QuantizedMultiplier {
                multiplier: factor,
                shift,
            } = multiplier_of(arithmetic, channel);
            *multiplier = factor;
            // The shifts of the scalar code take their counts modulo 32.
            if shift > 0 {
                *left = shift & 31;
            } else if shift < 0 {
                *right = (shift.unsigned_abs().wrapping_sub(1) & 31).cast_signed();
            }
        }
        scaling
    }
}

/// The multiplier of a channel: its own, or the only one.
#[inline(always)]
pub(in crate::arch) fn multiplier_of(arithmetic: &Int8<'_>, channel: usize) -> QuantizedMultiplier {
    let each = arithmetic.multipliers.get(channel);
    each.or(arithmetic.multipliers.first())
        .copied()
        .unwrap_or_default()
}

/// Whether the parameters are those that the lanes compute with: zero points and ranges within int8. Whatever is prepared
/// from a model has such.
pub(in crate::arch) fn is_usual(arithmetic: &Int8<'_>, after: Clamp<i32>) -> bool {
    let int8 = Clamp::INT8;
    let within = |x: i32| int8.apply(x) == x;
    let bounds = [
        arithmetic.input_zero_point,
        arithmetic.output_zero_point,
        arithmetic.range.min,
        arithmetic.range.max,
        after.min,
        after.max,
    ];
    bounds.into_iter().all(within)
}
