//! PAD: rows and columns of zeros around images.

/// Copies images of the shape `dims` `[N,H,W,C]` into `output`, which is zero, `before` rows and columns from its corner;
/// `None` when an extent does not fit.
pub(super) fn run(
    dims: &[u32],
    before: [usize; 2],
    after: [usize; 2],
    input: &[f32],
    output: &mut [f32],
) -> Option<()> {
    let [_, height, width, channels] = dims.try_into().ok()?;
    let [height, width, channels] = [height, width, channels].map(|extent: u32| extent as usize);
    let row = width * channels;
    let padded_row = (before[1] + width + after[1]) * channels;
    let padded_image = (before[0] + height + after[0]) * padded_row;
    let images = input.chunks_exact(height * row);
    for (image, padded) in images.zip(output.chunks_exact_mut(padded_image)) {
        let rows = padded.chunks_exact_mut(padded_row).skip(before[0]);
        for (from, to) in image.chunks_exact(row).zip(rows) {
            let start = before[1] * channels;
            to.get_mut(start..start + row)?.copy_from_slice(from);
        }
    }
    Some(())
}
