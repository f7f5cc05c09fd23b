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

    /// The first input position of the window at `output`; negative in the padding.
    #[inline(always)]
    pub(crate) const fn origin(&self, output: u32) -> i32 {
        output
            .wrapping_mul(self.stride)
            .wrapping_sub(self.padding)
            .cast_signed()
    }

    /// The input position of a tap, if it is not padding.
    #[inline(always)]
    pub(crate) const fn position(&self, origin: i32, tap: u32) -> Option<u32> {
        let position = origin
            .cast_unsigned()
            .wrapping_add(tap.wrapping_mul(self.dilation));
        // A negative position is a great unsigned one.
        if position < self.input {
            Some(position)
        } else {
            None
        }
    }

    /// The taps of an undilated window that are not padding, as first and count.
    #[inline(always)]
    pub(crate) const fn inside(&self, origin: i32) -> (u32, u32) {
        let first = if origin < 0 { origin.unsigned_abs() } else { 0 };
        let last = self.input.wrapping_sub(origin.cast_unsigned());
        let last = if last < self.filter {
            last
        } else {
            self.filter
        };
        (first, last.saturating_sub(first))
    }
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
        fn inside_is_what_position_says(input in 1..9u32, filter in 1..6u32, stride in 1..4u32, same: bool) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            let Some(axis) = Axis::new(input, filter, stride, 1, padding) else { return Ok(()) };
            for output in 0..axis.output {
                let origin = axis.origin(output);
                let taps: std::vec::Vec<u32> = (0..filter).filter(|tap| axis.position(origin, *tap).is_some()).collect();
                let (first, count) = axis.inside(origin);
                prop_assert_eq!(taps, (first..first + count).collect::<std::vec::Vec<_>>());
            }
        }
    }
}
