//! GATHER, GATHER_ND and EMBEDDING_LOOKUP: `micro/kernels/gather.cc`, `gather_nd.cc` and `embedding_lookup.cc`, for elements
//! of any size.

use crate::error::{KernelError, Operand, check, check_shape};

/// Dimensions that an index of GATHER_ND has at most.
pub const MAX_DIMENSIONS: usize = 5;

ember_core::plain! {
    /// Shapes of GATHER: the input `[batches, outer, axis, inner]` in bytes, `count` indices per batch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Gather {
        /// Leading dimensions that input and indices share.
        pub batches: u32,
        /// What lies between those and the axis.
        pub outer: u32,
        /// Positions of the axis.
        pub axis: u32,
        /// Bytes of a position.
        pub inner: u32,
        /// Indices of a batch.
        pub count: u32,
    }

    /// Shapes of GATHER_ND.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct GatherNd {
        /// Positions of each dimension that an index names; the first `dimensions` count.
        pub sizes: [u32; MAX_DIMENSIONS],
        /// Numbers of an index.
        pub dimensions: u32,
        /// Bytes of what an index names.
        pub inner: u32,
    }
}

/// Copies the positions that the indices name.
///
/// # Errors
/// A slice's length is not that of its shape, or an index lies outside.
pub fn gather(
    shape: &Gather,
    input: &[u8],
    indices: &[i32],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let Gather {
        batches,
        outer,
        axis,
        inner,
        count,
    } = *shape;
    check_shape(Operand::Input, &[batches, outer, axis, inner], input.len())?;
    check_shape(Operand::Input2, &[batches, count], indices.len())?;
    check_shape(
        Operand::Output,
        &[batches, outer, count, inner],
        output.len(),
    )?;
    if inner == 0 || count == 0 {
        return Ok(());
    }
    let mut outputs = crate::rows::of_mut(output, inner as usize);
    let batches = crate::rows::of(indices, count as usize).zip(0u32..);
    for (indices, batch) in batches {
        for outer_index in 0..outer {
            let row = batch.wrapping_mul(outer).wrapping_add(outer_index);
            for index in indices {
                let index = u32::try_from(*index).map_err(|_| KernelError::Undefined)?;
                if index >= axis {
                    return Err(KernelError::Undefined);
                }
                let at = row.wrapping_mul(axis).wrapping_add(index);
                copy(at, inner, input, outputs.next())?;
            }
        }
    }
    Ok(())
}

/// Copies what the indices name.
///
/// # Errors
/// A slice's length is not that of its shape, or an index lies outside.
pub fn gather_nd(
    shape: &GatherNd,
    input: &[u8],
    indices: &[i32],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let dimensions = shape.dimensions as usize;
    let sizes = shape
        .sizes
        .get(..dimensions)
        .ok_or(KernelError::Parameters)?;
    let mut outputs = crate::rows::of_mut(output, shape.inner as usize);
    for index in crate::rows::of(indices, dimensions) {
        let mut at = 0u32;
        for (index, size) in index.iter().zip(sizes) {
            let index = u32::try_from(*index).map_err(|_| KernelError::Undefined)?;
            if index >= *size {
                return Err(KernelError::Undefined);
            }
            at = at.wrapping_mul(*size).wrapping_add(index);
        }
        copy(at, shape.inner, input, outputs.next())?;
    }
    Ok(())
}

fn copy(at: u32, inner: u32, input: &[u8], output: Option<&mut [u8]>) -> Result<(), KernelError> {
    let from = (at as usize).saturating_mul(inner as usize);
    let from = input.get(from..from.saturating_add(inner as usize));
    let (Some(from), Some(output)) = (from, output) else {
        return Err(KernelError::Parameters);
    };
    check(Operand::Output, from.len(), output.len())?;
    output.copy_from_slice(from);
    Ok(())
}
/// The rows of int8 that the indices name, as float32: `x * scale`. `shape` has no batches.
///
/// # Errors
/// As [`gather`].
pub fn dequantized(
    shape: &Gather,
    scale: f32,
    rows: &[i8],
    indices: &[i32],
    output: &mut [f32],
) -> Result<(), KernelError> {
    let Gather {
        axis, inner, count, ..
    } = *shape;
    check_shape(Operand::Input, &[axis, inner], rows.len())?;
    check_shape(Operand::Input2, &[count], indices.len())?;
    check_shape(Operand::Output, &[count, inner], output.len())?;
    let mut rest = output;
    for index in indices {
        let start = usize::try_from(*index)
            .ok()
            .filter(|at| *at < axis as usize);
        let start = start
            .ok_or(KernelError::Undefined)?
            .wrapping_mul(inner as usize);
        let row = rows
            .get(start..)
            .and_then(|rows| rows.get(..inner as usize));
        let split = core::mem::take(&mut rest).split_at_mut_checked(inner as usize);
        let (Some(row), Some((out, behind))) = (row, split) else {
            return Err(KernelError::Parameters);
        };
        for (out, x) in out.iter_mut().zip(row) {
            *out = scale * f32::from(*x);
        }
        rest = behind;
    }
    Ok(())
}
