//! Where buffers lie: each has its bytes for as long as it is in use, and shares them with others that are not in use then.
//!
//! As in the interpreter's planner ([`ember_micro::plan`]) the largest comes first, at the lowest place that is free for its
//! whole life. Here scratch is a buffer like any other, and what was joined with another operator has none.

use std::ops::Range;

/// Every buffer begins at a multiple of this, in bytes.
pub(super) const ALIGNMENT: usize = 16;

/// A buffer that is to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    /// Bytes.
    pub(super) len: usize,
    /// The first operator that uses it.
    pub(super) first: usize,
    /// The last one.
    pub(super) last: usize,
}

impl Buffer {
    const fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The place of each buffer, and the bytes of all together.
pub(super) fn place(buffers: &[Buffer]) -> (Vec<Range<usize>>, usize) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    // The sort is stable: of equal ones the first comes first.
    order.sort_by_key(|index| std::cmp::Reverse(buffers[*index].len));
    let mut places = vec![0..0; buffers.len()];
    let mut placed: Vec<usize> = Vec::new();
    for index in order {
        let buffer = &buffers[index];
        if buffer.len == 0 {
            continue;
        }
        let neighbours = || {
            let others = placed.iter().filter(|other| buffers[**other].meets(buffer));
            others.map(|other| &places[*other])
        };
        let mut start = 0;
        while let Some(other) =
            neighbours().find(|other| start < other.end && other.start < start + buffer.len)
        {
            start = other.end.next_multiple_of(ALIGNMENT);
        }
        places[index] = start..start + buffer.len;
        placed.push(index);
    }
    let end = places.iter().map(|place| place.end).max().unwrap_or(0);
    (places, end.next_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use super::{Buffer, place};
    use proptest::prelude::*;

    fn buffer() -> impl Strategy<Value = Buffer> {
        (0..300usize, 0..8usize, 0..8usize).prop_map(|(len, first, more)| Buffer {
            len,
            first,
            last: first + more,
        })
    }

    proptest! {
        #[test]
        fn buffers_in_use_at_the_same_time_are_apart(buffers in proptest::collection::vec(buffer(), 0..12)) {
            let (places, bytes) = place(&buffers);
            for (index, (one, place)) in buffers.iter().zip(&places).enumerate() {
                prop_assert_eq!(place.len(), one.len);
                prop_assert_eq!(place.start % 16, 0);
                prop_assert!(place.end <= bytes);
                for (other, other_place) in buffers.iter().zip(&places).skip(index + 1) {
                    let apart = place.end <= other_place.start || other_place.end <= place.start;
                    prop_assert!(apart || !one.meets(other) || one.len == 0 || other.len == 0);
                }
            }
        }
    }
}
