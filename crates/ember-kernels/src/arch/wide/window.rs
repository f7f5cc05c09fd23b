//! Where the window of a convolution lies in memory.

use crate::conv_2d::Conv2d;
use crate::window::{Axis, Span};

/// The window of a convolution in one group: rows of neighbouring elements, in the image and in the filter.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// Rows, and elements of each.
    pub(super) rows: usize,
    pub(super) run: usize,
    /// Elements in all.
    pub(super) size: usize,
    /// Elements of a pixel, of a row of pixels and of an image.
    pub(super) pixel: usize,
    pub(super) image_row: usize,
    pub(super) image: usize,
    /// Elements from one row of the window to the next, in the image.
    pub(super) row_step: usize,
    /// Elements from a pixel of the window to the next.
    column_step: usize,
}

impl Window {
    #[inline(always)]
    pub(super) fn new(shape: &Conv2d) -> Self {
        let pixel = shape.input_channels as usize;
        let image_row = (shape.columns.input as usize).wrapping_mul(pixel);
        let rows = shape.rows.filter as usize;
        let run = (shape.columns.filter as usize).wrapping_mul(pixel);
        Self {
            rows,
            run,
            size: rows.wrapping_mul(run),
            pixel,
            image_row,
            image: (shape.rows.input as usize).wrapping_mul(image_row),
            row_step: image_row.wrapping_mul(shape.rows.dilation as usize),
            column_step: pixel.wrapping_mul(shape.columns.dilation as usize),
        }
    }

    /// Whether the elements of a row of the window are neighbours in the image, too.
    #[inline(always)]
    pub(super) fn is_joined(&self) -> bool {
        self.column_step == self.pixel
    }

    /// The windows that lie wholly in the image, for one row of outputs.
    #[inline(always)]
    pub(super) fn inner(&self, shape: &Conv2d, y: Span) -> Inner {
        let Axis {
            input,
            filter,
            output,
            stride,
            padding,
            ..
        } = shape.columns;
        let mut inner = Inner {
            begin: 0,
            end: 0,
            stride: (stride as usize).wrapping_mul(self.pixel),
            origin: (y.position as usize).wrapping_mul(self.image_row),
            padding: (padding as usize).wrapping_mul(self.pixel),
        };
        let reach = u64::from(input) + u64::from(padding);
        if self.is_joined() && y.taps == shape.rows.filter && reach >= u64::from(filter) {
            let last = (reach - u64::from(filter)).checked_div(u64::from(stride));
            let end = last.map_or(0, |last| last + 1).min(u64::from(output));
            inner.begin = padding.div_ceil(stride.max(1));
            inner.end = end as u32;
        }
        inner
    }

    /// Calls `f(where it begins in the image, where it begins in the filter, length)` for every run of elements of a window that
    /// lie together in both. Rows of the filter are `pitch` apart.
    #[inline(always)]
    pub(super) fn for_each_run(
        &self,
        (y, x): (Span, Span),
        pitch: usize,
        mut f: impl FnMut(usize, usize, usize),
    ) {
        let (runs, len) = if self.is_joined() {
            (1, (x.taps as usize).wrapping_mul(self.pixel))
        } else {
            (x.taps, self.pixel)
        };
        let mut row_from = (y.position as usize)
            .wrapping_mul(self.image_row)
            .wrapping_add((x.position as usize).wrapping_mul(self.pixel));
        let mut row_to = (y.tap as usize)
            .wrapping_mul(pitch)
            .wrapping_add((x.tap as usize).wrapping_mul(self.pixel));
        for _ in 0..y.taps {
            let (mut from, mut to) = (row_from, row_to);
            for _ in 0..runs {
                f(from, to, len);
                from = from.wrapping_add(self.column_step);
                to = to.wrapping_add(self.pixel);
            }
            row_from = row_from.wrapping_add(self.row_step);
            row_to = row_to.wrapping_add(pitch);
        }
    }

    /// Gathers a window in `patch`, whose rows are `pitch` apart. What is not in the image is left as it is.
    #[inline(always)]
    pub(super) fn gather<T: Copy>(
        &self,
        image: &[T],
        spans: (Span, Span),
        pitch: usize,
        patch: &mut [T],
    ) {
        self.for_each_run(spans, pitch, |from, to, len| {
            let values = image.get(from..from.wrapping_add(len)).unwrap_or(&[]);
            let places = patch.get_mut(to..to.wrapping_add(len)).unwrap_or(&mut []);
            for (place, value) in places.iter_mut().zip(values) {
                *place = *value;
            }
        });
    }
}

/// The outputs of a row whose windows lie wholly in the image.
#[derive(Clone, Copy)]
pub(super) struct Inner {
    begin: u32,
    end: u32,
    stride: usize,
    origin: usize,
    padding: usize,
}

impl Inner {
    /// Where the windows of `N` neighbouring outputs begin, if they are all such.
    #[inline(always)]
    pub(super) fn places<const N: usize>(&self, first: u32) -> Option<[usize; N]> {
        let end = first.checked_add(N as u32)?;
        if first < self.begin || end > self.end {
            return None;
        }
        let place = (first as usize)
            .wrapping_mul(self.stride)
            .wrapping_add(self.origin)
            .wrapping_sub(self.padding);
        let mut next = place;
        Some([(); N].map(|()| {
            let place = next;
            next = next.wrapping_add(self.stride);
            place
        }))
    }
}
