//! TFLite_Detection_PostProcess, the custom operator behind a single-shot detector: decodes its boxes and keeps the best ones
//! of those that overlap (non-maximum suppression). `micro/kernels/detection_postprocess.cc`, which is on float32, and
//! `kernels/detection_postprocess.cc` of TensorFlow Lite, which dequantizes uint8.

use ember_core::float;

use crate::error::{KernelError, Operand, check, check_shape};
use crate::rows;

ember_core::plain! {
    /// Shapes and options. Encodings `[1, boxes, encoding]`, scores `[1, boxes, columns]`, anchors `[boxes, 4]`; outputs
    /// boxes `[1, slots, 4]`, classes and scores `[1, slots]` and a count.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub struct DetectionPostProcess {
        /// Candidates.
        pub boxes: u32,
        /// Elements of an encoding, of which the first four count: center y and x, height and width.
        pub encoding: u32,
        /// Scores of a candidate: one more than the classes where the first is for the background.
        pub columns: u32,
        /// Classes, without the background.
        pub classes: u32,
        /// Detections that the outputs have room for.
        pub slots: u32,
        /// Detections, at most; of the fast way boxes.
        pub max_detections: u32,
        /// Classes that a box is given with, by the fast way.
        pub classes_per_box: u32,
        /// Detections of a class, by the regular way, at most.
        pub detections_per_class: u32,
        /// Whether each class is suppressed for itself, as 0 or 1.
        pub regular: u32,
        /// Below it nothing counts.
        pub score_threshold: f32,
        /// Two boxes whose intersection is more than this part of their union are one.
        pub overlap_threshold: f32,
        /// What encodings are divided by: center y and x, height and width.
        pub scales: [f32; 4],
    }
}

/// Elements of an input.
#[derive(Clone, Copy, Debug)]
pub enum Values<'v> {
    /// As they are.
    Float32(&'v [f32]),
    /// `(x - zero_point) * scale`.
    Uint8 {
        /// The integers.
        values: &'v [u8],
        /// What one step is.
        scale: f32,
        /// The integer for zero.
        zero_point: i32,
    },
}

impl Values<'_> {
    fn len(&self) -> usize {
        match self {
            Values::Float32(values) => values.len(),
            Values::Uint8 { values, .. } => values.len(),
        }
    }

    fn get(&self, index: usize) -> f32 {
        match *self {
            Values::Float32(values) => values.get(index).copied().unwrap_or_default(),
            Values::Uint8 {
                values,
                scale,
                zero_point,
            } => {
                let value = values.get(index).copied().unwrap_or_default();
                (f32::from(value) - zero_point as f32) * scale
            }
        }
    }
}

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'i> {
    /// `[1, boxes, encoding]`.
    pub encodings: Values<'i>,
    /// `[1, boxes, columns]`.
    pub scores: Values<'i>,
    /// `[boxes, 4]`.
    pub anchors: Values<'i>,
}

/// What is written: where there are fewer detections than slots, the rest is zero.
#[derive(Debug)]
pub struct Outputs<'o> {
    /// Top, left, bottom and right.
    pub boxes: &'o mut [f32],
    /// From 0, the background left out.
    pub classes: &'o mut [f32],
    /// Descending.
    pub scores: &'o mut [f32],
    /// How many there are; by the fast way boxes, each with as many classes as asked for.
    pub count: &'o mut [f32],
}

/// What is worked in.
#[derive(Debug)]
pub struct Scratch<'s> {
    /// `[boxes, 4]`.
    pub corners: &'s mut [f32],
    /// `[boxes]`.
    pub scores: &'s mut [f32],
    /// `[boxes]`.
    pub order: &'s mut [u32],
}

/// Of a place in the order: this box is out.
const OUT: u32 = u32::MAX;

/// Finds the detections.
///
/// # Errors
/// A slice's length is not that of its shape; [`KernelError::Undefined`] for a box without an area, which the reference refuses
/// too.
pub fn run(
    shape: &DetectionPostProcess,
    inputs: &Inputs<'_>,
    scratch: Scratch<'_>,
    outputs: Outputs<'_>,
) -> Result<(), KernelError> {
    let DetectionPostProcess {
        boxes,
        encoding,
        columns,
        classes,
        slots,
        ..
    } = *shape;
    let lengths = [
        (Operand::Input, inputs.encodings.len(), [boxes, encoding]),
        (Operand::Input2, inputs.scores.len(), [boxes, columns]),
        (Operand::Filter, inputs.anchors.len(), [boxes, 4]),
        (Operand::Scratch, scratch.corners.len(), [boxes, 4]),
        (Operand::Scratch, scratch.scores.len(), [boxes, 1]),
        (Operand::Scratch, scratch.order.len(), [boxes, 1]),
        (Operand::Output, outputs.boxes.len(), [slots, 4]),
        (Operand::Output, outputs.classes.len(), [slots, 1]),
        (Operand::Output, outputs.scores.len(), [slots, 1]),
    ];
    for (operand, len, sizes) in lengths {
        check_shape(operand, &sizes, len)?;
    }
    check(Operand::Output, 1, outputs.count.len())?;
    if encoding < 4 || classes > columns {
        return Err(KernelError::Parameters);
    }
    let Scratch {
        corners,
        scores,
        order,
    } = scratch;
    decode(shape, inputs, corners)?;
    for part in [&mut *outputs.boxes, outputs.classes, outputs.scores] {
        part.fill(0.0);
    }
    let mut found = Found {
        boxes: outputs.boxes,
        classes: outputs.classes,
        scores: outputs.scores,
        count: 0,
    };
    let mut boxes_found = 0u32;
    let background = columns.wrapping_sub(classes);
    let score = |of: usize, class: u32| {
        let column = background.wrapping_add(class) as usize;
        let row = of.wrapping_mul(columns as usize);
        inputs.scores.get(row.wrapping_add(column))
    };
    if shape.regular != 0 {
        for class in 0..classes {
            for (of, place) in scores.iter_mut().enumerate() {
                *place = score(of, class);
            }
            let limit = shape.detections_per_class;
            suppress(shape, corners, scores, order, limit, |of| {
                found.insert(shape.max_detections, corners, of, class, score(of, class));
            });
        }
    } else {
        for (of, place) in scores.iter_mut().enumerate() {
            let all = (0..classes).map(|class| score(of, class));
            *place = all.fold(
                f32::MIN,
                |most, score| if score > most { score } else { most },
            );
        }
        suppress(shape, corners, scores, order, shape.max_detections, |of| {
            boxes_found = boxes_found.wrapping_add(1);
            let mut last = None;
            for _ in 0..shape.classes_per_box {
                let Some((class, score)) = next_best(last, classes, |class| score(of, class))
                else {
                    return;
                };
                found.push(corners, of, class, score);
                last = Some((class, score));
            }
        });
    }
    let count = if shape.regular != 0 {
        found.count
    } else {
        boxes_found
    };
    if let Some(place) = outputs.count.first_mut() {
        *place = count as f32;
    }
    Ok(())
}

/// Boxes as top, left, bottom and right.
fn decode(
    shape: &DetectionPostProcess,
    inputs: &Inputs<'_>,
    corners: &mut [f32],
) -> Result<(), KernelError> {
    for (of, corner) in rows::of_mut(corners, 4).enumerate() {
        let encoded = |at: usize| {
            let start = of.wrapping_mul(shape.encoding as usize);
            inputs.encodings.get(start.wrapping_add(at))
        };
        let anchor = |at: usize| inputs.anchors.get(of.wrapping_mul(4).wrapping_add(at));
        let [y_scale, x_scale, h_scale, w_scale] = shape.scales;
        let y = encoded(0) / y_scale * anchor(2) + anchor(0);
        let x = encoded(1) / x_scale * anchor(3) + anchor(1);
        let half_height = 0.5 * float::exp(encoded(2) / h_scale) * anchor(2);
        let half_width = 0.5 * float::exp(encoded(3) / w_scale) * anchor(3);
        let (top, left) = (y - half_height, x - half_width);
        let (bottom, right) = (y + half_height, x + half_width);
        if top >= bottom || left >= right {
            return Err(KernelError::Undefined);
        }
        for (to, from) in corner.iter_mut().zip([top, left, bottom, right]) {
            *to = from;
        }
    }
    Ok(())
}

/// Goes through the boxes whose scores reach the threshold, the best first, and gives each that no better one overlaps too
/// much, at most `limit`. Of equal scores the first box is the better one.
fn suppress(
    shape: &DetectionPostProcess,
    corners: &[f32],
    scores: &[f32],
    order: &mut [u32],
    limit: u32,
    mut select: impl FnMut(usize),
) {
    let mut kept = 0usize;
    for (of, score) in (0..).zip(scores) {
        if *score >= shape.score_threshold
            && let Some(place) = order.get_mut(kept)
        {
            *place = of;
            kept = kept.wrapping_add(1);
        }
    }
    let mut order = order.get_mut(..kept).unwrap_or_default();
    sort(order, scores);
    let corner = |of: u32| {
        let start = (of as usize).wrapping_mul(4);
        corners.get(start..)?.first_chunk::<4>()
    };
    let mut selected = 0;
    while selected < limit
        && let Some((best, rest)) = core::mem::take(&mut order).split_first_mut()
    {
        let best = *best;
        order = rest;
        if best == OUT {
            continue;
        }
        select(best as usize);
        selected = selected.wrapping_add(1);
        for other in &mut *order {
            if let (Some(a), Some(b)) = (corner(best), corner(*other))
                && overlap(a, b) > shape.overlap_threshold
            {
                *other = OUT;
            }
        }
    }
}

/// Sorts by descending score, equal ones by number: a heap sort, because that of `core` has panics.
fn sort(order: &mut [u32], scores: &[f32]) {
    let score = |of: u32| scores.get(of as usize).copied().unwrap_or_default();
    // Whether `a` belongs behind `b`.
    let behind = |a: u32, b: u32| (score(a), b) < (score(b), a);
    let sink = |heap: &mut [u32], from: usize| {
        let mut at = from;
        loop {
            let left = at.wrapping_mul(2).wrapping_add(1);
            let right = left.wrapping_add(1);
            let Some(&first) = heap.get(left) else {
                return;
            };
            let (child, value) = match heap.get(right) {
                Some(&second) if behind(second, first) => (right, second),
                _ => (left, first),
            };
            match heap.get(at) {
                Some(&parent) if behind(value, parent) => {}
                _ => return,
            }
            if child < heap.len() && at < heap.len() {
                heap.swap(at, child);
            }
            at = child;
        }
    };
    for from in (0..order.len() / 2).rev() {
        sink(order, from);
    }
    // The worst is first: to the end with it.
    let mut heap = order;
    while heap.len() > 1 {
        let last = heap.len().wrapping_sub(1);
        heap.swap(0, last);
        let Some((_, rest)) = heap.split_last_mut() else {
            return;
        };
        sink(rest, 0);
        heap = rest;
    }
}

/// The intersection of two boxes by their union.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let area = |corners: &[f32; 4]| {
        let [top, left, bottom, right] = corners;
        (bottom - top) * (right - left)
    };
    let (area_a, area_b) = (area(a), area(b));
    if area_a <= 0.0 || area_b <= 0.0 {
        return 0.0;
    }
    let lesser = |a: f32, b: f32| if b < a { b } else { a };
    let greater = |a: f32, b: f32| if a < b { b } else { a };
    let height = lesser(a[2], b[2]) - greater(a[0], b[0]);
    let width = lesser(a[3], b[3]) - greater(a[1], b[1]);
    let intersection = greater(height, 0.0) * greater(width, 0.0);
    intersection / (area_a + area_b - intersection)
}

/// The best class behind `last`, by descending score; of equal ones the first is the better one.
fn next_best(
    last: Option<(u32, f32)>,
    classes: u32,
    score: impl Fn(u32) -> f32,
) -> Option<(u32, f32)> {
    let mut best: Option<(u32, f32)> = None;
    for class in 0..classes {
        let score = score(class);
        let is_behind =
            last.is_none_or(|(last, least)| score < least || (score == least && class > last));
        if is_behind && best.is_none_or(|(_, most)| score > most) {
            best = Some((class, score));
        }
    }
    best
}

/// The detections so far, in the outputs.
struct Found<'o> {
    boxes: &'o mut [f32],
    classes: &'o mut [f32],
    scores: &'o mut [f32],
    count: u32,
}

impl Found<'_> {
    /// Puts a detection behind the others.
    fn push(&mut self, corners: &[f32], of: usize, class: u32, score: f32) {
        self.put(self.count as usize, corners, of, class, score);
        self.count = self.count.wrapping_add(1);
    }

    /// Puts a detection behind those that are not worse, and drops what is beyond `limit` then.
    fn insert(&mut self, limit: u32, corners: &[f32], of: usize, class: u32, score: f32) {
        let sorted = self.scores.get(..self.count as usize).unwrap_or_default();
        let at = sorted.iter().take_while(|other| **other >= score).count();
        if at >= limit as usize {
            return;
        }
        if self.count < limit {
            self.count = self.count.wrapping_add(1);
        }
        let end = self.count as usize;
        for (values, width) in [
            (&mut *self.boxes, 4),
            (&mut *self.classes, 1),
            (&mut *self.scores, 1),
        ] {
            let span = at.wrapping_mul(width)..end.wrapping_mul(width);
            if let Some(values) = values.get_mut(span) {
                values.rotate_right(width.min(values.len()));
            }
        }
        self.put(at, corners, of, class, score);
    }

    fn put(&mut self, at: usize, corners: &[f32], of: usize, class: u32, score: f32) {
        let corner = corners.get(of.wrapping_mul(4)..);
        let place = self.boxes.get_mut(at.wrapping_mul(4)..);
        for (to, from) in place
            .into_iter()
            .flatten()
            .zip(corner.into_iter().flatten())
            .take(4)
        {
            *to = *from;
        }
        if let (Some(a), Some(b)) = (self.classes.get_mut(at), self.scores.get_mut(at)) {
            *a = class as f32;
            *b = score;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{next_best, overlap, sort};
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn sorting_is_stable_and_descending(scores in proptest::collection::vec(0..6u8, 0..60)) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let mut expected: Vec<u32> = (0..scores.len() as u32).collect();
            expected.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
            let mut found: Vec<u32> = (0..scores.len() as u32).rev().collect();
            sort(&mut found, &scores);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn classes_come_by_their_scores() {
        let scores = [0.1, 0.7, 0.7, 0.3];
        let (mut last, mut order) = (None, Vec::new());
        while let Some(next) = next_best(last, 4, |class| scores[class as usize]) {
            order.push(next.0);
            last = Some(next);
        }
        assert_eq!(order, [1, 2, 3, 0]);
    }

    #[test]
    fn overlaps_are_parts_of_the_union() {
        let unit = [0.0, 0.0, 1.0, 1.0];
        assert_eq!(overlap(&unit, &unit), 1.0);
        assert_eq!(overlap(&unit, &[0.0, 0.5, 1.0, 1.5]), 1.0 / 3.0);
        assert_eq!(overlap(&unit, &[2.0, 2.0, 3.0, 3.0]), 0.0);
    }
}
