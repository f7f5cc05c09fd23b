//! The operators that move and reduce elements, against their definitions.

use core::cmp::Ordering;
use ember_kernels::arg_max::{self, About, Order};
use ember_kernels::gather::{self, Gather};
use ember_kernels::mirror_pad::{self, MirrorAxis};
use ember_kernels::reduce::{self, MAX_AXES, Reduce, ReduceAxis};
use ember_kernels::strided::{self, Strided, StridedAxis};
use proptest::prelude::*;

/// The steps of a row-major shape.
fn steps(sizes: &[u32]) -> Vec<u32> {
    let behind = |at: usize| sizes[at + 1..].iter().product();
    (0..sizes.len()).map(behind).collect()
}

/// Every position of a shape, in order.
fn positions(sizes: &[u32]) -> Vec<Vec<u32>> {
    sizes.iter().fold(vec![Vec::new()], |all, size| {
        let longer =
            |position: Vec<u32>| (0..*size).map(move |at| [position.clone(), vec![at]].concat());
        all.into_iter().flat_map(longer).collect()
    })
}

fn flat(position: &[u32], sizes: &[u32]) -> usize {
    let steps = steps(sizes);
    position
        .iter()
        .zip(&steps)
        .map(|(at, step)| at * step)
        .sum::<u32>() as usize
}

fn sizes() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(1..4u32, 1..=4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn a_move_along_permuted_axes_is_a_transposition(sizes in sizes(), keys: [u64; 4], element in 1..4u32) {
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|at| keys[*at]);
        let turned: Vec<u32> = order.iter().map(|at| sizes[*at]).collect();
        let (from, to) = (steps(&sizes), steps(&turned));
        let mut axes = [StridedAxis::ONE; strided::MAX_AXES];
        let skipped = axes.len() - order.len();
        for (axis, (place, at)) in axes[skipped..].iter_mut().zip(order.iter().enumerate()) {
            *axis = StridedAxis::new(sizes[*at], from[*at], to[place]);
        }
        let total = sizes.iter().product::<u32>() * element;
        let input: Vec<u8> = (0..total).map(|at| at as u8).collect();
        let mut found = vec![0; input.len()];
        let shape = Strided { axes, input_start: 0, output_start: 0, element };
        strided::copy(&shape, &input, &mut found).unwrap();
        for position in positions(&sizes) {
            let there: Vec<u32> = order.iter().map(|at| position[*at]).collect();
            let (from, to) = (flat(&position, &sizes), flat(&there, &turned));
            let element = element as usize;
            prop_assert_eq!(&found[to * element..][..element], &input[from * element..][..element]);
        }
        if let Some(last) = shape.axes.last() {
            let beyond = Strided { input_start: total + 1, ..shape };
            prop_assert!(last.count == 0 || strided::copy(&beyond, &input, &mut found).is_err());
        }
    }

    #[test]
    fn reductions_fold_what_they_say(sizes in sizes(), gone: [bool; 4], values in proptest::collection::vec(-99..99i16, 81)) {
        let step = steps(&sizes);
        let mut shape = Reduce { kept: [ReduceAxis::ONE; MAX_AXES], reduced: [ReduceAxis::ONE; MAX_AXES] };
        let mut kept = Vec::new();
        for (at, (count, step)) in sizes.iter().zip(&step).enumerate() {
            let axis = ReduceAxis { count: *count, step: *step };
            if gone[at] {
                shape.reduced[at] = axis;
            } else {
                shape.kept[at] = axis;
                kept.push(at);
            }
        }
        let total = sizes.iter().product::<u32>() as usize;
        let outputs: Vec<u32> = kept.iter().map(|at| sizes[*at]).collect();
        let mut groups = vec![Vec::new(); outputs.iter().product::<u32>() as usize];
        for position in positions(&sizes) {
            let there: Vec<u32> = kept.iter().map(|at| position[*at]).collect();
            groups[flat(&there, &outputs)].push(values[flat(&position, &sizes)]);
        }
        let input = &values[..total];
        let mut found = vec![0; groups.len()];
        reduce::extreme(&shape, Ordering::Greater, input, &mut found).unwrap();
        let greatest: Vec<i16> = groups.iter().map(|group| *group.iter().max().unwrap()).collect();
        prop_assert_eq!(&found, &greatest);
        reduce::extreme(&shape, Ordering::Less, input, &mut found).unwrap();
        let least: Vec<i16> = groups.iter().map(|group| *group.iter().min().unwrap()).collect();
        prop_assert_eq!(&found, &least);
        let floats: Vec<f32> = input.iter().map(|x| f32::from(*x)).collect();
        let mut sums = vec![0.0; groups.len()];
        reduce::float32(&shape, 2.0, &floats, &mut sums).unwrap();
        let halves: Vec<f32> = groups.iter().map(|group| group.iter().map(|x| f32::from(*x)).sum::<f32>() / 2.0).collect();
        prop_assert_eq!(sums, halves);
    }

    #[test]
    fn along_an_axis(outer in 1..4u32, axis in 1..6u32, inner in 1..4u32, values in proptest::collection::vec(-3..3i8, 45), exclusive: bool, reverse: bool) {
        let shape = About { outer, axis, inner };
        let input = &values[..(outer * axis * inner) as usize];
        let line = |i: u32, j: u32| -> Vec<i8> { (0..axis).map(|k| input[((i * axis + k) * inner + j) as usize]).collect() };
        let mut found = vec![0; (outer * inner) as usize];
        arg_max::position(&shape, Ordering::Greater, input, &mut found).unwrap();
        let floats: Vec<f32> = input.iter().map(|x| f32::from(*x)).collect();
        let mut sums = vec![0.0; input.len()];
        let order = Order { exclusive: exclusive.into(), reverse: reverse.into() };
        arg_max::sums_float32(&shape, order, &floats, &mut sums).unwrap();
        for i in 0..outer {
            for j in 0..inner {
                let line = line(i, j);
                let greatest = *line.iter().max().unwrap();
                let first = line.iter().position(|x| *x == greatest).unwrap();
                prop_assert_eq!(found[(i * inner + j) as usize], first as i32);
                for k in 0..axis as usize {
                    let part = match (reverse, exclusive) {
                        (false, false) => &line[..=k],
                        (false, true) => &line[..k],
                        (true, false) => &line[k..],
                        (true, true) => &line[k + 1..],
                    };
                    let expected: f32 = part.iter().map(|x| f32::from(*x)).sum();
                    prop_assert_eq!(sums[((i * axis + k as u32) * inner + j) as usize], expected);
                }
            }
        }
    }

    #[test]
    fn gathering(batches in 1..3u32, outer in 1..3u32, axis in 1..5u32, inner in 1..4u32, indices in proptest::collection::vec(-1..6i32, 6), count in 1..=3u32) {
        let shape = Gather { batches, outer, axis, inner, count };
        let input: Vec<u8> = (0..batches * outer * axis * inner).map(|at| at as u8).collect();
        let indices = &indices[..(batches * count) as usize];
        let mut found = vec![0; (batches * outer * count * inner) as usize];
        let outcome = gather::gather(&shape, &input, indices, &mut found);
        let inside = |index: &i32| (0..axis.cast_signed()).contains(index);
        prop_assert_eq!(outcome.is_ok(), indices.iter().all(inside));
        if outcome.is_ok() {
            for at in positions(&[batches, outer, count, inner]) {
                let index = indices[(at[0] * count + at[2]) as usize].unsigned_abs();
                let expected = input[(((at[0] * outer + at[1]) * axis + index) * inner + at[3]) as usize];
                prop_assert_eq!(found[flat(&at, &[batches, outer, count, inner])], expected);
            }
        }
    }

    #[test]
    fn a_mirror_shows_what_is_before_it(size in 2..7u32, before in 0..6u32, behind in 0..6u32, edge in 0..2u32) {
        let (before, behind) = (before.min(size - edge), behind.min(size - edge));
        let output = before + size + behind;
        let mut axes = [MirrorAxis::ONE; mirror_pad::MAX_AXES];
        axes[4] = MirrorAxis { size, before, output };
        let input: Vec<u8> = (0..size as u8).collect();
        let mut found = vec![99; output as usize];
        mirror_pad::bytes(&axes, edge, 1, &input, &mut found).unwrap();
        let (low, high) = (edge as usize, (size - edge) as usize);
        let left = input[low..low + before as usize].iter().rev();
        let right = input[high - behind as usize..high].iter().rev();
        let expected: Vec<u8> = left.chain(&input).chain(right).copied().collect();
        prop_assert_eq!(found, expected);
    }
}
