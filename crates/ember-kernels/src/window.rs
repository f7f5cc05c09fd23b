//! Sliding windows: where the windows of a convolution or a pooling lie along one axis.

use ember_core::Padding;

/// One axis of a sliding window, in elements. `repr(C)` of `u32` only: it is part of what a runtime keeps in its arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
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
        const LIMIT: u32 = 1 << 31;
        if filter == 0 || stride == 0 || dilation == 0 || input == 0 || input >= LIMIT {
            return None;
        }
        let Some(reach) = (filter - 1).checked_mul(dilation) else {
            return None;
        };
        if reach >= LIMIT - 1 || stride >= LIMIT {
            return None;
        }
        let extent = reach + 1;
        let output = match padding {
            Padding::Same => input.div_ceil(stride),
            Padding::Valid if extent > input => return None,
            Padding::Valid => (input - extent) / stride + 1,
        };
        // (output - 1) * stride is below the input's size, so this cannot overflow.
        let covered = (output - 1) * stride + extent;
        Some(Self {
            input,
            filter,
            output,
            stride,
            dilation,
            padding: covered.saturating_sub(input) / 2,
        })
    }

    /// What of the window at `output` lies in the input.
    #[inline(never)]
    pub(crate) fn span(&self, output: u32) -> Span {
        let mut position = output.wrapping_mul(self.stride).wrapping_sub(self.padding);
        let mut span = Span {
            tap: 0,
            taps: 0,
            position: 0,
        };
        for tap in 0..self.filter {
            // A negative position is a great unsigned one.
            if position < self.input {
                if span.taps == 0 {
                    span.tap = tap;
                    span.position = position;
                }
                span.taps += 1;
            }
            position = position.wrapping_add(self.dilation);
        }
        span
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
