//! Axes that come as an input: what a kernel works out of them when it runs, where a constant axis is worked out before.

use crate::arg_max::About;
use crate::error::KernelError;
use crate::reduce::{Reduce, ReduceAxis};
use crate::strided::{MAX_AXES, Strided, StridedAxis};

ember_core::plain! {
    /// The dimensions of a tensor.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Sizes {
        /// From the outermost on; unused ones are 1.
        pub sizes: [u32; MAX_AXES],
        /// How many there are.
        pub rank: u32,
    }
}

impl Sizes {
    fn own(&self) -> &[u32] {
        self.sizes.get(..self.rank as usize).unwrap_or_default()
    }

    /// Which dimension an axis is; negative ones count from the end.
    ///
    /// # Errors
    /// [`KernelError::Undefined`] for one that the tensor has not.
    pub fn position(&self, axis: i32) -> Result<u32, KernelError> {
        let at = if axis < 0 {
            self.rank.checked_add_signed(axis)
        } else {
            Some(axis.unsigned_abs())
        };
        at.filter(|at| *at < self.rank)
            .ok_or(KernelError::Undefined)
    }

    /// The tensor about the only one of these axes.
    ///
    /// # Errors
    /// [`KernelError::Undefined`] for more or fewer axes, or one that the tensor has not.
    pub fn about(&self, axes: &[i32]) -> Result<About, KernelError> {
        let [axis] = axes else {
            return Err(KernelError::Undefined);
        };
        let at = self.position(*axis)?;
        let mut about = About {
            outer: 1,
            axis: 1,
            inner: 1,
        };
        for (size, own) in self.own().iter().zip(0..) {
            let part = match own.cmp(&at) {
                core::cmp::Ordering::Less => &mut about.outer,
                core::cmp::Ordering::Equal => &mut about.axis,
                core::cmp::Ordering::Greater => &mut about.inner,
            };
            *part = part.saturating_mul(*size);
        }
        Ok(about)
    }

    /// Which of the dimensions these axes name, a bit each from the outermost on.
    fn named(&self, axes: &[i32]) -> Result<u32, KernelError> {
        let mut named = 0u32;
        for axis in axes {
            named |= 1u32.wrapping_shl(self.position(*axis)?);
        }
        Ok(named)
    }

    /// The reduction along these axes, and how many elements an output is made of.
    ///
    /// # Errors
    /// [`KernelError::Undefined`] for an axis that the tensor has not.
    pub fn along(&self, axes: &[i32]) -> Result<(Reduce, u32), KernelError> {
        let named = self.named(axes)?;
        let mut shape = Reduce {
            kept: [ReduceAxis::ONE; MAX_AXES],
            reduced: [ReduceAxis::ONE; MAX_AXES],
        };
        let (mut addends, mut step) = (1u32, 1u32);
        let places = shape.kept.iter_mut().zip(&mut shape.reduced);
        for (at, (count, (kept, gone))) in self.own().iter().zip(places).enumerate().rev() {
            let axis = ReduceAxis {
                count: *count,
                step,
            };
            step = step.saturating_mul(*count);
            if named.wrapping_shr(at as u32) & 1 == 0 {
                *kept = axis;
            } else {
                *gone = axis;
                addends = addends.saturating_mul(*count);
            }
        }
        Ok((shape, addends))
    }

    /// The move that turns these axes round, of elements of so many bytes.
    ///
    /// # Errors
    /// [`KernelError::Undefined`] for an axis that the tensor has not.
    pub fn reversed(&self, axes: &[i32], element: u32) -> Result<Strided, KernelError> {
        let named = self.named(axes)?;
        let mut shape = Strided {
            axes: [StridedAxis::ONE; MAX_AXES],
            input_start: 0,
            output_start: 0,
            element,
        };
        let mut step = 1u32;
        for (at, (count, axis)) in self.own().iter().zip(&mut shape.axes).enumerate().rev() {
            *axis = StridedAxis::new(*count, step, step);
            if named.wrapping_shr(at as u32) & 1 != 0 {
                let last = count.saturating_sub(1).saturating_mul(step);
                shape.input_start = shape.input_start.saturating_add(last);
                axis.input_step = axis.input_step.wrapping_neg();
            }
            step = step.saturating_mul(*count);
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;
    use crate::arg_max::About;
    use crate::error::KernelError;
    use crate::strided;

    const SIZES: Sizes = Sizes {
        sizes: [2, 3, 4, 1, 1, 1],
        rank: 3,
    };

    #[test]
    fn an_axis_counts_from_both_ends() {
        let about = About {
            outer: 6,
            axis: 4,
            inner: 1,
        };
        assert_eq!(SIZES.about(&[2]), Ok(about));
        assert_eq!(SIZES.about(&[-1]), Ok(about));
        for axes in [&[3][..], &[-4], &[i32::MIN], &[], &[0, 1]] {
            assert_eq!(SIZES.about(axes), Err(KernelError::Undefined), "{axes:?}");
        }
    }

    #[test]
    fn a_reduction_names_every_element_once() {
        let (shape, addends) = SIZES.along(&[0, -1, 2]).unwrap();
        assert_eq!(addends, 8);
        let input: [i8; 24] = core::array::from_fn(|at| at as i8);
        let mut output = [0.0; 3];
        let input = input.map(f32::from);
        crate::reduce::float32(&shape, 1.0, &input, &mut output).unwrap();
        assert_eq!(output, [60.0, 92.0, 124.0]);
        assert_eq!(SIZES.along(&[3]).unwrap_err(), KernelError::Undefined);
    }

    #[test]
    fn reversing_twice_changes_nothing() {
        let input: [u8; 24] = core::array::from_fn(|at| at as u8);
        let (mut once, mut twice) = ([0; 24], [0; 24]);
        let shape = SIZES.reversed(&[-3, 2], 1).unwrap();
        strided::copy(&shape, &input, &mut once).unwrap();
        assert_eq!(once[..4], [15, 14, 13, 12]);
        strided::copy(&shape, &once, &mut twice).unwrap();
        assert_eq!(twice, input);
    }
}
