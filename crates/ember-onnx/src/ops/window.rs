//! Sliding windows: what the file says of them, and how that is said here, where padding is SAME, VALID or a pad in front.

use ember_core::Padding;
use ember_graph::Window;

use crate::OnnxError;
use crate::node::OnnxNode;

/// A window over an image, height first, with all the zeros around the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sliding {
    pub(super) size: [usize; 2],
    pub(super) stride: [usize; 2],
    pub(super) dilation: [usize; 2],
    /// Before the first row and column.
    pub(super) begin: [usize; 2],
    /// After the last row and column.
    pub(super) end: [usize; 2],
}

/// How padding is done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// By the operator itself.
    Within(Padding),
    /// By a pad in front of the operator, which has none itself.
    InFront,
}

impl Sliding {
    /// Of `size` over an image of this height and width, by the attributes of `node`; a signal has the height 1.
    pub(super) fn read(
        node: &OnnxNode<'_>,
        size: [usize; 2],
        image: [usize; 2],
        signal: bool,
    ) -> Result<Self, OnnxError> {
        let stride = node.window_extents("strides", (1, 1), signal)?;
        let dilation = node.window_extents("dilations", (1, 1), signal)?;
        let [top, left, bottom, right] = node.window_extents("pads", (0, 0), signal)?;
        let mut sliding = Self {
            size,
            stride,
            dilation,
            begin: [top, left],
            end: [bottom, right],
        };
        let all = |axis| sliding.missing(image[axis], axis);
        let all = [all(0), all(1)];
        match node.string("auto_pad")?.unwrap_or("NOTSET") {
            "NOTSET" => {}
            "VALID" => (sliding.begin, sliding.end) = ([0, 0], [0, 0]),
            "SAME_UPPER" => {
                sliding.begin = all.map(|all| all / 2);
                sliding.end = all.map(|all| all.div_ceil(2));
            }
            "SAME_LOWER" => {
                sliding.begin = all.map(|all| all.div_ceil(2));
                sliding.end = all.map(|all| all / 2);
            }
            other => {
                return Err(node.fail(format!(
                    "auto_pad is {other:?}; supported are NOTSET, VALID, SAME_UPPER and SAME_LOWER"
                )));
            }
        }
        for (axis, extent) in image.into_iter().enumerate() {
            if sliding.reach(axis) > sliding.padded(extent, axis) {
                return Err(node.fail(format!(
                    "its window of {} (dilation included) does not fit the padded image of {}",
                    sliding.reach(axis),
                    sliding.padded(extent, axis)
                )));
            }
        }
        Ok(sliding)
    }

    /// What one window covers, dilation included.
    const fn reach(&self, axis: usize) -> usize {
        (self.size[axis] - 1) * self.dilation[axis] + 1
    }

    const fn padded(&self, extent: usize, axis: usize) -> usize {
        self.begin[axis] + extent + self.end[axis]
    }

    /// How many positions there are; at least one.
    pub(super) const fn positions(&self, extent: usize, axis: usize) -> usize {
        (self.padded(extent, axis) - self.reach(axis)) / self.stride[axis] + 1
    }

    /// The shape in the file of what becomes of an image or signal.
    pub(super) fn made(
        &self,
        input: &[usize],
        channels: usize,
        [height, width]: [usize; 2],
    ) -> Vec<usize> {
        let (rows, columns) = (self.positions(height, 0), self.positions(width, 1));
        match input.len() {
            3 => vec![1, channels, columns],
            _ => vec![1, channels, rows, columns],
        }
    }

    /// Zeros that `ceil(extent / stride)` positions need, before and after together.
    fn missing(&self, extent: usize, axis: usize) -> usize {
        let positions = extent.div_ceil(self.stride[axis]);
        ((positions - 1) * self.stride[axis] + self.reach(axis)).saturating_sub(extent)
    }

    /// The window with as much padding at the end as `ceil_mode` needs for a last window that is cut off. Windows that
    /// would begin behind the image do not count.
    pub(super) fn rounded_up(mut self, image: [usize; 2]) -> Self {
        for (axis, extent) in image.into_iter().enumerate() {
            let room = self.padded(extent, axis) - self.reach(axis);
            let mut steps = room.div_ceil(self.stride[axis]);
            if steps * self.stride[axis] >= extent + self.begin[axis] {
                steps -= 1;
            }
            let needed = steps * self.stride[axis] + self.reach(axis);
            let end = needed.saturating_sub(extent + self.begin[axis]);
            self.end[axis] = self.end[axis].max(end);
        }
        self
    }

    /// How to pad an image of this height and width.
    pub(super) fn placement(&self, image: [usize; 2]) -> Placement {
        if self.begin == [0, 0] && self.end == [0, 0] {
            return Placement::Within(Padding::Valid);
        }
        let same = |axis: usize| {
            let extent = image[axis];
            self.positions(extent, axis) == extent.div_ceil(self.stride[axis])
                && self.missing(extent, axis) / 2 == self.begin[axis]
        };
        if same(0) && same(1) {
            Placement::Within(Padding::Same)
        } else {
            Placement::InFront
        }
    }

    pub(super) const fn window(&self, padding: Padding) -> Window {
        Window {
            stride: self.stride,
            dilation: self.dilation,
            padding,
        }
    }
}

#[cfg(test)]
mod tests {
    use ember_core::Padding;

    use super::{Placement, Sliding};

    fn sliding(size: usize, stride: usize, begin: usize, end: usize) -> Sliding {
        Sliding {
            size: [size; 2],
            stride: [stride; 2],
            dilation: [1; 2],
            begin: [begin; 2],
            end: [end; 2],
        }
    }

    #[test]
    fn padding_is_same_only_where_the_windows_are_those_of_same() {
        let same = Placement::Within(Padding::Same);
        let valid = Placement::Within(Padding::Valid);
        for (window, image, expected) in [
            (sliding(3, 1, 0, 0), 8, valid),
            (sliding(3, 1, 1, 1), 8, same),
            // Of 8, a stride of 2 and SAME begin with no zero; of 7, with one.
            (sliding(3, 2, 1, 1), 8, Placement::InFront),
            (sliding(3, 2, 1, 1), 7, same),
            (sliding(3, 2, 0, 1), 8, same),
            (sliding(3, 1, 2, 2), 8, Placement::InFront),
            (sliding(5, 1, 2, 2), 8, same),
        ] {
            assert_eq!(window.placement([image; 2]), expected, "{window:?} {image}");
        }
    }

    #[test]
    fn rounding_up_adds_a_window_that_begins_inside() {
        assert_eq!(sliding(2, 2, 0, 0).rounded_up([5, 5]).end, [1, 1]);
        assert_eq!(sliding(2, 2, 0, 0).rounded_up([4, 4]).end, [0, 0]);
        // The second window would begin behind the image.
        assert_eq!(sliding(1, 3, 0, 0).rounded_up([3, 3]).end, [0, 0]);
    }
}
