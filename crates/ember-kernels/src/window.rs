//! Sliding windows: where the windows of a convolution or a pooling lie along one axis.

use ember_core::Padding;

use crate::error::KernelError;

ember_core::plain! {
    /// One axis of a sliding window, in elements. `repr(C)` of `u32` only: it is part of what a runtime keeps in its arena.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Axis {
        /// Positions of the input.
        pub input: u32,
        /// Taps of the window.
        pub filter: u32,
        /// Positions of the output.
        pub output: u32,
        /// Input positions from one window to the next.
        pub stride: u32,
        /// Input positions from one tap to the next.
        pub dilation: u32,
        /// Positions before the input that the first window covers; they count as zero, or not at all in a pooling.
        pub padding: u32,
    }
}

impl Axis {
    /// The axis for this padding scheme, with the output size and the padding of `kernels/padding.h`: with `Same` the
    /// odd position of padding goes after.
    ///
    /// `None` where filter, stride or dilation is 0, where the window does not fit the input (`Valid`), or where a
    /// product leaves 31 bits.
    #[must_use]
    pub const fn new(
        input: u32,
        filter: u32,
        stride: u32,
        dilation: u32,
        padding: Padding,
    ) -> Option<Self> {
        if filter == 0 || stride == 0 || dilation == 0 || input == 0 {
            return None;
        }
        let Some(reach) = (filter - 1).checked_mul(dilation) else {
            return None;
        };
        let Some(extent) = reach.checked_add(1) else {
            return None;
        };
        let output = match padding {
            Padding::Same => input.div_ceil(stride),
            Padding::Valid if extent > input => return None,
            Padding::Valid => (input - extent) / stride + 1,
        };
        // (output - 1) * stride is below the input's size, so this cannot overflow.
        let covered = ((output - 1) * stride).saturating_add(extent);
        let axis = Self {
            input,
            filter,
            output,
            stride,
            dilation,
            padding: covered.saturating_sub(input) / 2,
        };
        if axis.is_sound() { Some(axis) } else { None }
    }

    /// Whether no position leaves 31 bits, whatever made the axis.
    const fn is_sound(&self) -> bool {
        const LIMIT: u64 = 1 << 31;
        self.output as u64 * (self.stride as u64) < LIMIT
            && self.filter as u64 * (self.dilation as u64) < LIMIT
            && (self.padding as u64) < LIMIT
            && (self.input as u64) < LIMIT
    }

    /// [`Axis::is_sound`], for the kernels.
    #[inline(never)]
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        if self.is_sound() {
            Ok(())
        } else {
            Err(KernelError::Parameters)
        }
    }

    /// What of the window at `output` lies in the input.
    #[inline(never)]
    pub(crate) fn span(&self, output: u32) -> Span {
        let origin = output.wrapping_mul(self.stride).wrapping_sub(self.padding);
        let mut span = Span {
            tap: 0,
            taps: 0,
            position: origin,
        };
        if origin.cast_signed() < 0 {
            span.tap = self.taps_within(origin.wrapping_neg());
            span.position = origin.wrapping_add(span.tap.wrapping_mul(self.dilation));
        }
        let room = self.taps_within(self.input.saturating_sub(span.position));
        span.taps = room.min(self.filter.saturating_sub(span.tap));
        span
    }

    /// How many windows from `output` on, whose span this is, lie wholly in the input; one at least.
    #[cfg(any(dsp, mve, scalar))]
    pub(crate) const fn whole_from(&self, output: u32, span: Span) -> u32 {
        let last = self.filter.wrapping_sub(1).wrapping_mul(self.dilation);
        let room = self
            .input
            .saturating_sub(span.position.wrapping_add(last).wrapping_add(1));
        let more = match self.stride {
            1 => room,
            stride => match room.checked_div(stride) {
                Some(more) => more,
                None => 0,
            },
        };
        let left = self.output.wrapping_sub(output);
        if more < left {
            more.wrapping_add(1)
        } else {
            left
        }
    }

    /// Taps that begin in a stretch of so many positions that begins with one.
    const fn taps_within(&self, positions: u32) -> u32 {
        match self.dilation {
            // The usual case, without a division.
            0 | 1 => positions,
            dilation => positions.div_ceil(dilation),
        }
    }
}

/// The taps of a window that are not padding; they are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first such tap.
    pub(crate) tap: u32,
    /// How many there are.
    pub(crate) taps: u32,
    /// The input position of the first.
    pub(crate) position: u32,
}

#[cfg(test)]
mod tests {
    use super::Axis;
    use ember_core::Padding;

    use proptest::prelude::*;

    #[test]
    fn the_odd_padding_goes_after() {
        let axis = Axis::new(5, 2, 1, 1, Padding::Same).unwrap();
        assert_eq!((axis.output, axis.padding), (5, 0));
        let axis = Axis::new(96, 3, 2, 1, Padding::Same).unwrap();
        assert_eq!((axis.output, axis.padding), (48, 0));
        let axis = Axis::new(7, 3, 1, 2, Padding::Same).unwrap();
        assert_eq!((axis.output, axis.padding), (7, 2));
        assert_eq!(Axis::new(2, 3, 1, 1, Padding::Valid), None);
        assert_eq!(Axis::new(4, 3, 0, 1, Padding::Valid), None);
        assert_eq!(Axis::new(4, u32::MAX, 1, u32::MAX, Padding::Same), None);
    }

    proptest! {
        #[test]
        fn a_span_is_what_lies_in_the_input(
            input in 1..9u32,
            filter in 1..6u32,
            stride in 1..4u32,
            dilation in 1..4u32,
            same: bool,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            let Some(axis) = Axis::new(input, filter, stride, dilation, padding) else {
                return Ok(());
            };
            for output in 0..axis.output {
                let span = axis.span(output);
                let mut taps = std::vec::Vec::new();
                for tap in 0..i64::from(filter) {
                    let position = i64::from(output * stride) - i64::from(axis.padding) + tap * i64::from(dilation);
                    if (0..i64::from(input)).contains(&position) {
                        taps.push((tap, position));
                    }
                }
                let found: std::vec::Vec<_> = (0..i64::from(span.taps))
                    .map(|n| (i64::from(span.tap) + n, i64::from(span.position) + n * i64::from(dilation)))
                    .collect();
                prop_assert_eq!(found, taps);
            }
        }
    }
}
