//! What the operators that move elements check alike: axes, constant shapes, strides.

use ember_core::{Dtype, view};
use ember_kernels::strided::{MAX_AXES, Strided, StridedAxis};
use ember_tflite::{Operator, Shape, Subgraph};

use super::pack::element_bytes;
use crate::error::{Fault, Refused, Slot};
use crate::prepare::{Operand, Prepare};

/// The numbers of a constant input of int32.
pub(super) fn constants<'c>(cx: &'c Prepare<'_>, input: u8) -> Result<&'c [i32], Refused> {
    let operand = cx.input(input, Dtype::Int32)?;
    let slot = operand.slot();
    cx.expect(
        view::from_bytes(operand.constant()?),
        Fault::Misaligned(slot),
    )
}

/// Whether this input is there and no constant of int32: then a kernel that reads it when it runs takes the operator.
pub(super) fn varies<const INPUT: u8>(graph: &Subgraph<'_>, operator: &Operator<'_>) -> bool {
    let tensor = Slot::input(INPUT).of(graph, operator);
    tensor.is_some_and(|tensor| {
        let constant = tensor.elements() == 0 || !tensor.data().is_empty();
        !constant || tensor.dtype() != Dtype::Int32
    })
}

/// A position among `rank` dimensions; negative ones count from the end.
pub(super) fn position(cx: &Prepare<'_>, axis: i32, rank: usize) -> Result<usize, Refused> {
    let axis = match usize::try_from(axis) {
        Ok(axis) => axis,
        Err(_) => rank.wrapping_add_signed(axis as isize),
    };
    cx.expect((axis < rank).then_some(axis), Fault::Options)
}

/// The axis that a constant input of one int32 names among `rank` dimensions.
pub(super) fn axis_of(cx: &Prepare<'_>, input: u8, rank: usize) -> Result<usize, Refused> {
    match constants(cx, input)? {
        [axis] => position(cx, *axis, rank),
        numbers => {
            let slot = Slot::input(input);
            Err(cx.refuse(Fault::Elements {
                slot,
                found: numbers.len() as u32,
                expected: 1,
            }))
        }
    }
}

/// The product of the dimensions before `axis`, its size, and the product of those behind it.
pub(super) fn around(shape: Shape<'_>, axis: usize) -> [u32; 3] {
    let mut parts = [1u32; 3];
    for (at, size) in shape.iter().enumerate() {
        let [before, own, behind] = &mut parts;
        let part = match at.cmp(&axis) {
            core::cmp::Ordering::Less => before,
            core::cmp::Ordering::Equal => own,
            core::cmp::Ordering::Greater => behind,
        };
        // Products of sizes of a checked model fit.
        *part = part.saturating_mul(size as u32);
    }
    parts
}

/// The sizes of a tensor and the steps of its dimensions, at the end of the axes; those that it does not have are of one
/// position.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) sizes: [u32; MAX_AXES],
    pub(super) steps: [u32; MAX_AXES],
    pub(super) rank: usize,
}

impl Layout {
    /// # Errors
    /// [`Fault::Rank`] for more dimensions than a move has axes.
    pub(super) fn of(cx: &Prepare<'_>, operand: &Operand<'_>) -> Result<Self, Refused> {
        let shape = operand.shape()?;
        let rank = shape.len();
        if rank > MAX_AXES {
            return Err(cx.refuse(Fault::Rank {
                slot: operand.slot(),
                found: rank as u32,
                expected: MAX_AXES as u32,
            }));
        }
        let mut layout = Self {
            sizes: [1; MAX_AXES],
            steps: [0; MAX_AXES],
            rank,
        };
        let own = layout.sizes.iter_mut().skip(MAX_AXES.wrapping_sub(rank));
        for (to, size) in own.zip(shape.iter()) {
            *to = size as u32;
        }
        let mut step = 1u32;
        for (to, size) in layout.steps.iter_mut().zip(&layout.sizes).rev() {
            *to = step;
            step = step.saturating_mul(*size);
        }
        Ok(layout)
    }

    /// Sizes and steps of the tensor's own dimensions.
    pub(super) fn own(&self) -> impl DoubleEndedIterator<Item = (u32, u32)> + ExactSizeIterator {
        let skipped = MAX_AXES.wrapping_sub(self.rank);
        let (sizes, steps) = (self.sizes, self.steps);
        sizes.into_iter().zip(steps).skip(skipped)
    }

    /// Size and step of a dimension of the tensor.
    pub(super) fn dimension(&self, at: usize) -> (u32, u32) {
        let at = MAX_AXES.wrapping_sub(self.rank).wrapping_add(at);
        let get = |list: &[u32; MAX_AXES]| list.get(at).copied().unwrap_or(1);
        (get(&self.sizes), get(&self.steps))
    }
}

/// A move whose axes are still to be set.
pub(super) fn strided(cx: &Prepare<'_>, operand: &Operand<'_>) -> Result<Strided, Refused> {
    Ok(Strided {
        axes: [StridedAxis::ONE; MAX_AXES],
        input_start: 0,
        output_start: 0,
        element: element_bytes(cx, operand)?,
    })
}

/// Checks the dimensions of a tensor, from the outermost on.
pub(super) fn sizes_are(
    cx: &Prepare<'_>,
    operand: &Operand<'_>,
    expected: impl ExactSizeIterator<Item = u32>,
) -> Result<(), Refused> {
    let shape = operand.shape()?;
    if shape.len() != expected.len() {
        return Err(cx.refuse(Fault::Rank {
            slot: operand.slot(),
            found: shape.len() as u32,
            expected: expected.len() as u32,
        }));
    }
    for ((found, expected), dimension) in shape.iter().zip(expected).zip(0..) {
        operand.size_is(dimension, found as u32, expected)?;
    }
    Ok(())
}

/// Refuses integers whose scale or zero point changes on the way.
pub(super) fn same_scale(cx: &Prepare<'_>, slots: [Slot; 2]) -> Result<(), Refused> {
    let [one, other] = slots;
    if cx.any(one)?.has_scale_of(&cx.any(other)?) {
        Ok(())
    } else {
        Err(cx.refuse(Fault::Rescale))
    }
}
