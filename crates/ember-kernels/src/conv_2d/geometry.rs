//! Where the windows of a convolution lie in memory, and the generic way through one of them.

use super::Conv2d;
use crate::arithmetic::{Arithmetic, dense};
use crate::rows;
use crate::window::Span;

/// Windows of at most this many elements are gathered once and then meet every filter.
pub(crate) const PATCH: usize = 32;

/// Distances in the tensors of a convolution, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Geometry<'s> {
    shape: &'s Conv2d,
    /// Of an image, of one of its rows and of one of its pixels.
    pub(crate) image: usize,
    image_row: usize,
    pub(crate) pixel: usize,
    /// Of a filter and of one of its rows.
    pub(crate) filter: usize,
    filter_row: usize,
    /// Whether neighbouring taps are neighbours in memory too.
    joined: bool,
    /// The output channel that the first filter is for, and the filters of each group.
    pub(super) first: usize,
    pub(super) filters_per_group: usize,
}

impl<'s> Geometry<'s> {
    /// With one group of every filter.
    #[inline(always)]
    pub(crate) const fn new(shape: &'s Conv2d) -> Self {
        let depth = shape.filter_channels as usize;
        let pixel = shape.input_channels as usize;
        let image_row = shape.columns.input as usize * pixel;
        let filter_row = shape.columns.filter as usize * depth;
        Self {
            shape,
            image: shape.rows.input as usize * image_row,
            image_row,
            pixel,
            filter: shape.rows.filter as usize * filter_row,
            filter_row,
            joined: shape.columns.dilation == 1 && depth == pixel,
            first: 0,
            filters_per_group: shape.output_channels as usize,
        }
    }

    /// The window over these positions, from a channel of the first one's pixel on.
    #[inline(always)]
    pub(crate) fn window(&self, y: Span, x: Span, channel: usize) -> Window {
        let shape = self.shape;
        let depth = shape.filter_channels as usize;
        let taps = x.taps as usize;
        Window {
            size: self.filter,
            rows: y.taps as usize,
            columns: if self.joined { 1 } else { taps },
            len: if self.joined { taps * depth } else { depth },
            from: y.position as usize * self.image_row + x.position as usize * self.pixel + channel,
            row_from: self.image_row.wrapping_mul(shape.rows.dilation as usize),
            column_from: self.pixel.wrapping_mul(shape.columns.dilation as usize),
            to: y.tap as usize * self.filter_row + x.tap as usize * depth,
            row_to: self.filter_row,
            column_to: if self.joined { 0 } else { depth },
        }
    }

    /// The outputs of the pixel at `(y, x)`: each goes to its place in `out` by `store`.
    #[inline(always)]
    pub(super) fn pixel<A: Arithmetic>(
        &self,
        arithmetic: &A,
        image: &[A::Value],
        filter: &[A::Weight],
        (y, x): (u32, u32),
        out: &mut [A::Output],
        store: impl Fn(&mut A::Output, A::Output) + Copy,
    ) {
        let shape = self.shape;
        let (y, x) = (shape.rows.span(y), shape.columns.span(x));
        // Filled before it is read.
        let mut patch = [A::Value::default(); PATCH];
        let mut channel = 0;
        let mut depth = 0;
        for out in rows::of_mut(out, self.filters_per_group) {
            let filters = filter.get(channel * self.filter..).unwrap_or(&[]);
            let first = self.first + channel;
            let window = self.window(y, x, depth);
            let none = A::Sum::default();
            if let Some(patch) = patch.get_mut(..self.filter) {
                window.gather(image, arithmetic.zero(), patch);
                dense(arithmetic, patch, filters, none, first, out, store);
            } else if let Some(x) = window.whole(image) {
                dense(arithmetic, x, filters, none, first, out, store);
            } else {
                window.convolve(arithmetic, image, filters, first, out, store);
            }
            channel += self.filters_per_group;
            depth += shape.filter_channels as usize;
        }
    }
}

/// Runs of elements, one below the other.
#[cfg(any(dsp, mve))]
pub(crate) struct Column {
    /// Where the first begins in the image and in the filter.
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) rows: usize,
    /// Elements of each.
    pub(crate) len: usize,
    /// From one to the next.
    pub(crate) row_from: usize,
    pub(crate) row_to: usize,
}

#[cfg(any(dsp, mve))]
impl Column {
    /// Elements from the first run to the end of the last one, where it is so far from one to the next.
    #[inline(always)]
    pub(crate) const fn reach(&self, row: usize) -> usize {
        let below = self.rows.wrapping_sub(1);
        below.wrapping_mul(row).wrapping_add(self.len)
    }
}

/// One window, as runs of elements that lie together both in what it looks at and in the filter.
pub(crate) struct Window {
    /// Elements of a filter.
    size: usize,
    /// Rows of runs, and runs of each row.
    rows: usize,
    columns: usize,
    /// Elements of a run.
    len: usize,
    /// Where the first run begins, and from there to the next row's and the next one's in the row.
    from: usize,
    row_from: usize,
    column_from: usize,
    /// The same in the filter.
    to: usize,
    row_to: usize,
    column_to: usize,
}

impl Window {
    /// Calls `f(where it begins, where it begins in the filter, length)` for every run.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (mut row_from, mut row_to) = (self.from, self.to);
        for _ in 0..self.rows {
            let (mut from, mut to) = (row_from, row_to);
            for _ in 0..self.columns {
                f(from, to, self.len);
                from = from.wrapping_add(self.column_from);
                to = to.wrapping_add(self.column_to);
            }
            row_from = row_from.wrapping_add(self.row_from);
            row_to = row_to.wrapping_add(self.row_to);
        }
    }

    /// Calls `f` for every column of runs, which are that of its first row and those below it.
    #[inline(always)]
    #[cfg(any(dsp, mve))]
    pub(crate) fn for_each_column(&self, mut f: impl FnMut(Column)) {
        let (mut from, mut to) = (self.from, self.to);
        for _ in 0..self.columns {
            f(Column {
                from,
                to,
                rows: self.rows,
                len: self.len,
                row_from: self.row_from,
                row_to: self.row_to,
            });
            from = from.wrapping_add(self.column_from);
            to = to.wrapping_add(self.column_to);
        }
    }

    /// Moves it by so many elements of the image.
    #[inline(always)]
    #[cfg(any(dsp, mve))]
    pub(crate) const fn advance(&mut self, by: usize) {
        self.from = self.from.wrapping_add(by);
    }

    /// All of it, where that is one run.
    #[inline(always)]
    pub(crate) fn whole<'i, T>(&self, image: &'i [T]) -> Option<&'i [T]> {
        if self.len != self.size || self.rows != 1 {
            return None;
        }
        image.get(self.from..self.from.wrapping_add(self.len))
    }

    /// Whether some of it lies outside of the image.
    #[inline(always)]
    pub(crate) const fn is_partial(&self) -> bool {
        self.rows * self.columns * self.len < self.size
    }

    /// Whether every run begins and ends at a multiple of four in the filter.
    #[inline(always)]
    #[cfg_attr(
        not(dsp),
        expect(dead_code, reason = "processors without DSP have no use for it")
    )]
    pub(crate) const fn is_in_fours(&self) -> bool {
        (self.size | self.len | self.to | self.row_to | self.column_to).is_multiple_of(4)
    }

    /// Copies all of it, and `zero` for what lies outside of the image, in the filter's order.
    #[inline(always)]
    pub(crate) fn gather<T: Copy>(&self, image: &[T], zero: T, patch: &mut [T]) {
        if self.is_partial() {
            rows::fill(patch, zero);
        }
        self.for_each(|from, to, len| {
            let x = image.get(from..from + len).unwrap_or(&[]);
            let patch = patch.get_mut(to..to + len).unwrap_or(&mut []);
            for (patch, x) in patch.iter_mut().zip(x) {
                *patch = *x;
            }
        });
    }

    /// One output per filter, as [`dense`].
    #[inline(never)]
    fn convolve<A: Arithmetic>(
        &self,
        arithmetic: &A,
        image: &[A::Value],
        filters: &[A::Weight],
        first: usize,
        out: &mut [A::Output],
        store: impl Fn(&mut A::Output, A::Output),
    ) {
        let filters = rows::of(filters, self.size);
        for ((out, filter), channel) in out.iter_mut().zip(filters).zip(first..) {
            let mut sum = arithmetic.start(channel);
            self.for_each(|from, to, len| {
                let x = image.get(from..from + len).unwrap_or(&[]);
                let w = filter.get(to..to + len).unwrap_or(&[]);
                sum = arithmetic.dot(sum, x, w);
            });
            store(out, arithmetic.finish(channel, sum));
        }
    }
}
