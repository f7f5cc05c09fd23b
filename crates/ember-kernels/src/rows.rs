//! Rows of equal length, one after the other.
//!
//! `chunks_exact` of the standard library divides when it starts and panics for a length of 0; in the inner loops of
//! a kernel the one costs time (on a core without a divider a call) and the other a panic path.

/// The whole rows of `len` elements; none where `len` is 0.
#[inline(always)]
pub(crate) fn of<T>(elements: &[T], len: usize) -> Rows<'_, T> {
    Rows {
        rest: elements,
        len,
    }
}

/// [`of`] for writing.
#[inline(always)]
pub(crate) fn of_mut<T>(elements: &mut [T], len: usize) -> RowsMut<'_, T> {
    RowsMut {
        rest: elements,
        len,
    }
}

/// `slice::fill`, once for every kernel.
#[inline(never)]
pub(crate) fn fill<T: Copy>(elements: &mut [T], value: T) {
    elements.fill(value);
}

pub(crate) struct Rows<'a, T> {
    rest: &'a [T],
    len: usize,
}

impl<'a, T> Iterator for Rows<'a, T> {
    type Item = &'a [T];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [T]> {
        let (row, rest) = self.rest.split_at_checked(self.len)?;
        self.rest = rest;
        (self.len > 0).then_some(row)
    }
}

pub(crate) struct RowsMut<'a, T> {
    rest: &'a mut [T],
    len: usize,
}

impl<'a, T> Iterator for RowsMut<'a, T> {
    type Item = &'a mut [T];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a mut [T]> {
        let (row, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(self.len)?;
        self.rest = rest;
        (self.len > 0).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::{of, of_mut};

    #[test]
    fn only_whole_rows() {
        let mut numbers = [1, 2, 3, 4, 5];
        assert!(of(&numbers, 2).eq([[1, 2], [3, 4]]));
        assert!(of_mut(&mut numbers, 3).eq([[1, 2, 3]]));
        assert_eq!(of(&numbers, 0).next(), None);
        assert_eq!(of_mut(&mut numbers, 0).next(), None);
        assert_eq!(of(&numbers, 6).next(), None);
    }
}
