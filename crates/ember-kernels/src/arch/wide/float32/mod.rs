//! CONV_2D and FULLY_CONNECTED of float32. Every sum is added up in the order of [`portable::dot_f32`](crate::arch::dot_f32):
//! four interleaved sums, each of products that are rounded on their own.

mod conv_2d;
mod dense;
mod windows;

pub(in crate::arch) use conv_2d::{convolve, convolve_pooled};
pub(in crate::arch) use dense::connect;

use super::lanes::LANES;

/// Sums that [`dot_f32`](crate::arch::dot_f32) interleaves.
pub(in crate::arch) const INTERLEAVED: usize = 4;

/// The vector instructions of a machine, for float32. A value of the type exists only where the machine has them.
pub(in crate::arch) trait Floats: Copy {
    /// A number per channel.
    type Channels: Copy;

    /// The [`INTERLEAVED`] sums of one channel.
    type Interleaved: Copy;

    /// These numbers.
    fn channels(self, numbers: &[f32; LANES]) -> Self::Channels;

    /// The numbers.
    fn numbers(self, channels: Self::Channels) -> [f32; LANES];

    /// `sums + x * weights`, rounded twice.
    fn multiply_add(self, sums: Self::Channels, x: f32, weights: Self::Channels) -> Self::Channels;

    /// The sum of each two.
    fn add(self, a: Self::Channels, b: Self::Channels) -> Self::Channels;

    /// `a` where it is less than `b`, else `b`.
    fn less(self, a: Self::Channels, b: Self::Channels) -> Self::Channels;

    /// `a` where it is greater than `b`, else `b`.
    fn greater(self, a: Self::Channels, b: Self::Channels) -> Self::Channels;

    /// These numbers.
    fn interleaved(self, numbers: &[f32; INTERLEAVED]) -> Self::Interleaved;

    /// `sums + x * weights`, rounded twice.
    fn interleaved_multiply_add(
        self,
        sums: Self::Interleaved,
        x: Self::Interleaved,
        weights: Self::Interleaved,
    ) -> Self::Interleaved;

    /// The numbers.
    fn interleaved_numbers(self, sums: Self::Interleaved) -> [f32; INTERLEAVED];
}
