//! SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: `kernels/internal/reference/space_to_batch_nd.h` and `batch_to_space_nd.h`, for
//! elements of any size.

use crate::error::{KernelError, Operand, check_shape};

ember_core::plain! {
    /// Shapes of the move between a tensor of more batches and one of larger images.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SpaceToBatch {
        /// Batches of the tensor of larger images.
        pub batches: u32,
        /// Height and width of the larger images.
        pub space: [u32; 2],
        /// Height and width of the smaller images.
        pub batch: [u32; 2],
        /// Rows and columns of a block.
        pub block: [u32; 2],
        /// Rows and columns before the larger image that the blocks cover besides.
        pub before: [u32; 2],
        /// Bytes of a pixel.
        pub pixel: u32,
    }
}

impl SpaceToBatch {
    /// Calls `f` with the byte of every pixel that both have: in the tensor of smaller images, then in the other.
    fn pairs(&self, mut f: impl FnMut(usize, usize) -> Option<()>) -> Option<()> {
        let [height, width] = self.space;
        let [small_height, small_width] = self.batch;
        let [block_rows, block_columns] = self.block;
        let [before_rows, before_columns] = self.before;
        let mut small = 0usize;
        let pixel = self.pixel as usize;
        for offset_y in 0..block_rows {
            for offset_x in 0..block_columns {
                for batch in 0..self.batches {
                    for y in 0..small_height {
                        let row = y.wrapping_mul(block_rows).wrapping_add(offset_y);
                        let row = row.wrapping_sub(before_rows);
                        for x in 0..small_width {
                            let column = x.wrapping_mul(block_columns).wrapping_add(offset_x);
                            let column = column.wrapping_sub(before_columns);
                            // Positions before the image are great numbers.
                            if row < height && column < width {
                                let line = batch.wrapping_mul(height).wrapping_add(row);
                                let at = line.wrapping_mul(width).wrapping_add(column);
                                f(small, (at as usize).saturating_mul(pixel))?;
                            }
                            small = small.saturating_add(pixel);
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// Checks both lengths: that of the tensor of smaller images first.
    fn check(&self, operands: [(Operand, usize); 2]) -> Result<(), KernelError> {
        let [(small, small_len), (large, large_len)] = operands;
        let [rows, columns] = self.block;
        let [height, width] = self.batch;
        let sizes = [self.batches, rows, columns, height, width, self.pixel];
        check_shape(small, &sizes, small_len)?;
        let [height, width] = self.space;
        check_shape(large, &[self.batches, height, width, self.pixel], large_len)
    }
}

ember_core::plain! {
    /// A [`SpaceToBatch`] of which the blocks, and what lies around the larger images, come as inputs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SpaceToBatchAt {
        /// The shapes; the blocks are not known.
        pub shape: SpaceToBatch,
        /// Batches of the tensor of smaller images.
        pub small_batches: u32,
        /// How many sides of an image are divided: height and width, or the height.
        pub sides: u32,
    }
}

impl SpaceToBatchAt {
    /// The move with these blocks, a number for each side, and so many positions before and behind each side of the larger
    /// images. `None` where the tensors have other shapes.
    #[must_use]
    pub fn with(&self, blocks: &[i32], around: &[i32]) -> Option<SpaceToBatch> {
        let (around, rest) = around.as_chunks::<2>();
        let sides = self.sides as usize;
        if blocks.len() != sides || around.len() != sides || !rest.is_empty() {
            return None;
        }
        let mut shape = self.shape;
        shape.block = [1, 1];
        shape.before = [0, 0];
        let given = blocks.iter().zip(around);
        let places = shape.block.iter_mut().zip(&mut shape.before);
        let sizes = self.shape.batch.into_iter().zip(self.shape.space);
        let mut batches = shape.batches;
        for (((block, [before, behind]), (own, own_before)), (small, large)) in
            given.zip(places).zip(sizes)
        {
            *own = u32::try_from(*block).ok()?;
            *own_before = u32::try_from(*before).ok()?;
            let behind = u32::try_from(*behind).ok()?;
            let covered = small.checked_mul(*own)?.checked_sub(*own_before)?;
            if covered.checked_sub(behind)? != large {
                return None;
            }
            batches = batches.checked_mul(*own)?;
        }
        (batches == self.small_batches).then_some(shape)
    }
}

/// [`to_space`] of blocks, and of what is cut off, that come as inputs.
///
/// # Errors
/// As [`to_space`]; [`KernelError::Undefined`] where the tensors do not have the shapes that the inputs say.
pub fn to_space_at(
    shape: &SpaceToBatchAt,
    input: &[u8],
    blocks: &[i32],
    around: &[i32],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let shape = shape.with(blocks, around).ok_or(KernelError::Undefined)?;
    to_space(&shape, input, output)
}

/// [`to_batch`] of blocks, and of what lies around, that come as inputs.
///
/// # Errors
/// As [`to_space_at`].
pub fn to_batch_at(
    shape: &SpaceToBatchAt,
    input: &[u8],
    blocks: &[i32],
    around: &[i32],
    output: &mut [u8],
) -> Result<(), KernelError> {
    let shape = shape.with(blocks, around).ok_or(KernelError::Undefined)?;
    to_batch(&shape, input, output)
}

fn copy(pixel: u32, [from, to]: [usize; 2], input: &[u8], output: &mut [u8]) -> Option<()> {
    let pixel = pixel as usize;
    let input = input.get(from..from.saturating_add(pixel))?;
    let output = output.get_mut(to..to.saturating_add(pixel))?;
    for (out, x) in output.iter_mut().zip(input) {
        *out = *x;
    }
    Some(())
}

/// BATCH_TO_SPACE_ND.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn to_space(shape: &SpaceToBatch, input: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    shape.check([
        (Operand::Input, input.len()),
        (Operand::Output, output.len()),
    ])?;
    let copied = shape.pairs(|small, large| copy(shape.pixel, [small, large], input, output));
    copied.ok_or(KernelError::Parameters)
}

/// SPACE_TO_BATCH_ND. What lies outside of the larger image keeps what the output holds.
///
/// # Errors
/// A slice's length is not that of its shape.
pub fn to_batch(shape: &SpaceToBatch, input: &[u8], output: &mut [u8]) -> Result<(), KernelError> {
    shape.check([
        (Operand::Output, output.len()),
        (Operand::Input, input.len()),
    ])?;
    let copied = shape.pairs(|small, large| copy(shape.pixel, [large, small], input, output));
    copied.ok_or(KernelError::Parameters)
}
