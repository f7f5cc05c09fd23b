//! Broadcasting of two shapes, reduced to the few axes that matter.

/// Axes that a broadcast keeps after joining neighbours that behave alike.
pub const MAX_AXES: usize = 4;

ember_core::plain! {
    /// One axis of a broadcast: its size, and how far each input advances along it (0 where the input is repeated).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct BroadcastAxis {
        /// Positions of the output.
        pub size: u32,
        /// Elements of the first input from one position to the next.
        pub stride1: u32,
        /// Elements of the second input from one position to the next.
        pub stride2: u32,
    }
}

ember_core::plain! {
    /// How two inputs spread over an output, from the outermost axis to the innermost.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Broadcast {
        /// The axes; unused ones are outermost, with size 1.
        pub axes: [BroadcastAxis; MAX_AXES],
    }
}

impl Broadcast {
    /// The broadcast of shapes that are given from the innermost axis outwards: two sizes fit where they are equal or
    /// one is 1, and the shorter shape counts as filled up with ones.
    ///
    /// `None` where sizes do not fit, a product overflows, or more than [`MAX_AXES`] axes remain after joining.
    #[must_use]
    pub fn new(
        mut shape1: impl Iterator<Item = u32>,
        mut shape2: impl Iterator<Item = u32>,
    ) -> Option<Self> {
        let empty = BroadcastAxis {
            size: 1,
            stride1: 0,
            stride2: 0,
        };
        let mut axes = [empty; MAX_AXES];
        let mut slots = axes.iter_mut().rev();
        let mut current: Option<&mut BroadcastAxis> = None;
        let (mut elements1, mut elements2) = (1u32, 1u32);
        loop {
            let (size1, size2) = match (shape1.next(), shape2.next()) {
                (None, None) => break,
                (a, b) => (a.unwrap_or(1), b.unwrap_or(1)),
            };
            if size1 == 1 && size2 == 1 {
                continue;
            }
            let size = match (size1, size2) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => return None,
            };
            let stride1 = if size1 == 1 { 0 } else { elements1 };
            let stride2 = if size2 == 1 { 0 } else { elements2 };
            elements1 = elements1.checked_mul(size1)?;
            elements2 = elements2.checked_mul(size2)?;
            match &mut current {
                // Both inputs go on (or stay) as they did along the axis inside: the two are one axis.
                Some(axis)
                    if (axis.stride1 == 0) == (stride1 == 0)
                        && (axis.stride2 == 0) == (stride2 == 0) =>
                {
                    axis.size = axis.size.checked_mul(size)?;
                }
                _ => {
                    let slot = slots.next()?;
                    *slot = BroadcastAxis {
                        size,
                        stride1,
                        stride2,
                    };
                    current = Some(slot);
                }
            }
        }
        drop(slots);
        Some(Self { axes })
    }

    /// Elements of the output; `None` on overflow.
    pub(crate) fn output_len(&self) -> Option<usize> {
        let mut len = 1u32;
        for axis in &self.axes {
            len = len.checked_mul(axis.size)?;
        }
        Some(len as usize)
    }

    /// Elements that each input must have.
    pub(crate) fn input_lens(&self) -> Option<[usize; 2]> {
        if self.axes.iter().any(|axis| axis.size == 0) {
            return Some([0, 0]);
        }
        let mut last = [0u32; 2];
        for axis in &self.axes {
            let steps = axis.size - 1;
            last[0] = last[0].checked_add(axis.stride1.checked_mul(steps)?)?;
            last[1] = last[1].checked_add(axis.stride2.checked_mul(steps)?)?;
        }
        Some(last.map(|last| last as usize + 1))
    }

    /// Writes `f(x1, x2)` for every element of the output.
    #[inline(always)]
    pub(crate) fn apply<A: Copy, B: Copy, Y>(
        &self,
        input1: &[A],
        input2: &[B],
        output: &mut [Y],
        f: impl Fn(A, B) -> Y,
    ) {
        let [outer, middle, inner, innermost] = &self.axes;
        let mut outputs = output.iter_mut();
        for i in 0..outer.size {
            for j in 0..middle.size {
                for k in 0..inner.size {
                    let start = |stride: fn(&BroadcastAxis) -> u32| {
                        i.wrapping_mul(stride(outer))
                            .wrapping_add(j.wrapping_mul(stride(middle)))
                            .wrapping_add(k.wrapping_mul(stride(inner)))
                    };
                    let mut at1 = start(|axis| axis.stride1);
                    let mut at2 = start(|axis| axis.stride2);
                    for out in outputs.by_ref().take(innermost.size as usize) {
                        if let (Some(x1), Some(x2)) =
                            (input1.get(at1 as usize), input2.get(at2 as usize))
                        {
                            *out = f(*x1, *x2);
                        }
                        at1 = at1.wrapping_add(innermost.stride1);
                        at2 = at2.wrapping_add(innermost.stride2);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Broadcast, BroadcastAxis};

    #[test]
    fn equal_shapes_are_one_axis() {
        let shape = [3, 4, 5, 1, 6];
        let both = Broadcast::new(shape.into_iter(), shape.into_iter()).unwrap();
        let last = BroadcastAxis {
            size: 360,
            stride1: 1,
            stride2: 1,
        };
        assert_eq!(both.axes[3], last);
        assert_eq!(both.axes[2].size, 1);
        assert_eq!(both.input_lens(), Some([360, 360]));
    }

    #[test]
    fn a_channel_vector_is_repeated() {
        let both = Broadcast::new([8, 5, 5].into_iter(), [8].into_iter()).unwrap();
        assert_eq!(
            both.axes[3],
            BroadcastAxis {
                size: 8,
                stride1: 1,
                stride2: 1
            }
        );
        assert_eq!(
            both.axes[2],
            BroadcastAxis {
                size: 25,
                stride1: 8,
                stride2: 0
            }
        );
        assert_eq!(both.input_lens(), Some([200, 8]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Broadcast::new([3].into_iter(), [4].into_iter()).is_none());
        assert!(Broadcast::new([u32::MAX, 2].into_iter(), [u32::MAX, 2].into_iter()).is_none());
        let zigzag1 = [2, 1, 2, 1, 2];
        let zigzag2 = [1, 2, 1, 2, 1];
        assert!(Broadcast::new(zigzag1.into_iter(), zigzag2.into_iter()).is_none());
    }
}
