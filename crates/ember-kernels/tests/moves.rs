//! RESHAPE, SHAPE, STRIDED_SLICE and PACK against their definitions.

use ember_kernels::pack::{self, Pack};
use ember_kernels::strided_slice::{self, MAX_AXES, SliceAxis};
use ember_kernels::{KernelError, Operand, reshape, shape};
use proptest::prelude::*;

/// One axis of a slice as a user writes it.
#[derive(Clone, Debug)]
struct Written {
    size: u32,
    begin: Option<i32>,
    end: Option<i32>,
    stride: i32,
    shrink: bool,
}

impl Written {
    /// The positions, as Python's slices give them.
    fn positions(&self) -> Vec<u32> {
        let size = i64::from(self.size);
        let wrap = |index: i32| i64::from(index) + if index < 0 { size } else { 0 };
        if self.shrink {
            let begin = self
                .begin
                .map_or(if self.stride > 0 { 0 } else { size - 1 }, wrap);
            return vec![u32::try_from(begin).unwrap()];
        }
        let (low, high) = if self.stride > 0 {
            (0, size)
        } else {
            (-1, size - 1)
        };
        let (first, last) = if self.stride > 0 {
            (low, high)
        } else {
            (high, low)
        };
        let mut at = self
            .begin
            .map_or(first, |begin| wrap(begin).clamp(low, high));
        let stop = self.end.map_or(last, |end| wrap(end).clamp(low, high));
        let mut positions = Vec::new();
        while if self.stride > 0 {
            at < stop
        } else {
            at > stop
        } {
            positions.push(u32::try_from(at).unwrap());
            at += i64::from(self.stride);
        }
        positions
    }
}

fn axis() -> impl Strategy<Value = Written> {
    let bound = || proptest::option::of(-8..8i32);
    let stride = prop_oneof![-3..=-1i32, 1..=3i32];
    (1..6u32, bound(), bound(), stride, any::<bool>()).prop_map(
        |(size, begin, end, stride, shrink)| {
            let size_i = size.cast_signed();
            let inside = begin.is_none_or(|begin| (-size_i..size_i).contains(&begin));
            Written {
                size,
                begin,
                end,
                stride,
                shrink: shrink && inside,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn slices_are_pythons(axes in proptest::collection::vec(axis(), MAX_AXES), element in 1..5u32) {
        let resolved: Vec<SliceAxis> = axes.iter()
            .map(|axis| SliceAxis::new(axis.size, axis.begin, axis.end, axis.stride, axis.shrink).unwrap())
            .collect();
        let positions: Vec<Vec<u32>> = axes.iter().map(Written::positions).collect();
        for (axis, positions) in resolved.iter().zip(&positions) {
            prop_assert_eq!(axis.count as usize, positions.len(), "{:?} {:?}", axis, positions);
        }
        let len = axes.iter().map(|axis| axis.size).product::<u32>() * element;
        let input: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
        let mut expected = Vec::new();
        for a in &positions[0] {
            for b in &positions[1] {
                for c in &positions[2] {
                    for d in &positions[3] {
                        let at = ((a * axes[1].size + b) * axes[2].size + c) * axes[3].size + d;
                        let at = (at * element) as usize;
                        expected.extend_from_slice(&input[at..at + element as usize]);
                    }
                }
            }
        }
        let mut found = vec![0; expected.len()];
        strided_slice::bytes(&resolved.try_into().unwrap(), element, &input, &mut found).unwrap();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn packing_interleaves(outer in 1..4u32, values in 1..5u32, inner in 1..6u32) {
        let shape = Pack { outer, values, inner };
        let mut found = vec![0; (outer * values * inner) as usize];
        for index in 0..values {
            let input: Vec<u8> = (0..outer * inner).map(|at| (index * 50 + at) as u8).collect();
            pack::bytes(&shape, index, &input, &mut found).unwrap();
        }
        for (at, found) in (0..).zip(&found) {
            let (row, index, byte) = (at / (values * inner), at / inner % values, at % inner);
            prop_assert_eq!(u32::from(*found), index * 50 + row * inner + byte);
        }
    }
}

#[test]
fn slices_that_make_no_sense_are_refused() {
    assert_eq!(SliceAxis::new(4, Some(0), None, 0, false), None, "stride 0");
    assert_eq!(
        SliceAxis::new(4, Some(4), None, 1, true),
        None,
        "shrunk position outside"
    );
    assert_eq!(
        SliceAxis::new(u32::MAX, None, None, 1, false),
        None,
        "size beyond i32"
    );
    let extreme = SliceAxis::new(4, Some(i32::MIN), Some(i32::MAX), i32::MIN, false).unwrap();
    assert_eq!(extreme.count, 0);
}

#[test]
fn plain_copies() {
    let mut output = [0; 3];
    reshape::bytes(&[1, 2, 3], &mut output).unwrap();
    assert_eq!(output, [1, 2, 3]);
    let error = reshape::bytes(&[1, 2], &mut output).unwrap_err();
    assert_eq!(
        error,
        KernelError::Length {
            operand: Operand::Input,
            expected: 3,
            actual: 2
        }
    );
    assert!(
        error
            .to_string()
            .contains("input has 2 elements where the shape asks for 3"),
        "{error}"
    );
    let mut sizes = [0; 2];
    shape::int32(&[5, 7], &mut sizes).unwrap();
    assert_eq!(sizes, [5, 7]);
    assert!(shape::int32(&[5], &mut sizes).is_err());
}
