//! How the numbers of a value lie here, compared with the file: images are NCHW there and NHWC here.

/// How a value's numbers lie compared with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The same shape and order; the first dimension is the batch.
    Plain,
    /// The same order, with a batch of 1 in front that the file does not have.
    Lead,
    /// An image: `[1,C,H,W]` in the file, `[1,H,W,C]` here; or a signal: `[1,C,W]` in the file, `[1,1,W,C]` here.
    Image,
    /// An image that was made a row: `[1,C*H*W]` in the file, `[1,H*W*C]` here.
    Row {
        /// Channels, height and width of the image.
        image: [usize; 3],
    },
}

impl Layout {
    /// Of a row that was an image of these channels, height and width.
    pub(crate) const fn of_row(image: [usize; 3]) -> Self {
        let [channels, height, width] = image;
        // With one channel or one pixel, both orders are one.
        if channels == 1 || height * width == 1 {
            Self::Plain
        } else {
            Self::Row { image }
        }
    }

    /// Of numbers in the order of the file, where they have this shape.
    pub(crate) fn of_file(shape: &[usize]) -> Self {
        if shape.first() == Some(&1) {
            Self::Plain
        } else {
            Self::Lead
        }
    }

    /// The dimension here of dimension `axis` there, of `rank`; nothing of a row, whose dimension is not one.
    pub(crate) fn axis(self, rank: usize, axis: usize) -> Option<usize> {
        match self {
            Self::Plain => Some(axis),
            Self::Lead => Some(axis + 1),
            Self::Image if rank == 3 => [0, 3, 2].get(axis).copied(),
            Self::Image => [0, 3, 1, 2].get(axis).copied(),
            Self::Row { .. } => None,
        }
    }

    /// The shape here of what has the shape `file` there.
    pub(crate) fn shape(self, file: &[usize]) -> Vec<usize> {
        match (self, file) {
            (Self::Image, [batch, channels, height, width]) => {
                vec![*batch, *height, *width, *channels]
            }
            (Self::Image, [batch, channels, width]) => vec![*batch, 1, *width, *channels],
            (Self::Lead, _) => [&[1], file].concat(),
            _ => file.to_vec(),
        }
    }

    /// Numbers in the order of the file, of a tensor that has the shape `file` there, in the order here.
    pub(crate) fn ordered<T: Copy>(self, file: &[usize], numbers: &[T]) -> Vec<T> {
        let positions = match self {
            Self::Plain | Self::Lead => return numbers.to_vec(),
            Self::Image if file.len() == 3 => positions(file, &[0, 2, 1]),
            Self::Image => positions(file, &TO_NHWC),
            Self::Row { image } => positions(&image, &[1, 2, 0]),
        };
        positions
            .iter()
            .map(|position| numbers[*position])
            .collect()
    }
}

/// The order of dimensions that makes NHWC of NCHW, and `[O,KH,KW,I]` of `[O,I,KH,KW]`.
pub(crate) const TO_NHWC: [usize; 4] = [0, 2, 3, 1];

/// The order of dimensions that makes NCHW of NHWC.
pub(crate) const TO_NCHW: [usize; 4] = [0, 3, 1, 2];

/// Where each number of a tensor of this shape comes from when its dimensions are put into another order: dimension `i`
/// of the result is dimension `order[i]`.
pub(crate) fn positions(shape: &[usize], order: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension] * shape[dimension];
    }
    let mut positions = vec![0];
    for from in order {
        let steps = positions.iter().flat_map(|position| {
            let stride = strides[*from];
            (0..shape[*from]).map(move |index| position + index * stride)
        });
        positions = steps.collect();
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::{Layout, TO_NCHW, TO_NHWC, positions};

    #[test]
    fn there_and_back_is_where_it_was() {
        let there = positions(&[1, 3, 2, 4], &TO_NHWC);
        let back = positions(&[1, 2, 4, 3], &TO_NCHW);
        let both: Vec<usize> = back.iter().map(|position| there[*position]).collect();
        assert_eq!(both, (0..24).collect::<Vec<_>>());
    }

    #[test]
    fn an_image_and_its_row_have_one_order() {
        let numbers: Vec<usize> = (0..12).collect();
        let image = Layout::Image.ordered(&[1, 3, 2, 2], &numbers);
        assert_eq!(image[..4], [0, 4, 8, 1]);
        let row = Layout::of_row([3, 2, 2]).ordered(&[1, 12], &numbers);
        assert_eq!(row, image);
        assert_eq!(Layout::of_row([1, 2, 2]), Layout::Plain);
        assert_eq!(Layout::of_row([5, 1, 1]), Layout::Plain);
    }
}
