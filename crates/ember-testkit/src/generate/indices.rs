//! Operators that pick elements by positions, and those on shapes.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{
    GatherOptions, Options, ResizeBilinearOptions, ResizeNearestNeighborOptions, ShapeOptions,
    StridedSliceOptions, TensorId,
};

use super::moves::ints;
use super::{Builder, Family};

pub(super) const ALL: &[Family] = &[
    strided_slice,
    slice,
    strided_slice,
    gather,
    gather_nd,
    embedding_lookup,
    reverse,
    dynamic_update_slice,
    resize,
    shape,
    fill,
    broadcast_args,
];

fn slice(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let begins: Vec<usize> = shape.iter().map(|size| b.random.below(*size)).collect();
    let sizes: Vec<usize> = shape
        .iter()
        .zip(&begins)
        .map(|(size, begin)| 1 + b.random.below(size - begin))
        .collect();
    let rests = shape.iter().zip(&begins).zip(&sizes);
    let given: Vec<i32> = rests
        .map(|((size, begin), own)| {
            if begin + own == *size {
                -1
            } else {
                *own as i32
            }
        })
        .collect();
    let (begins, given) = (b.list(&ints(&begins)), b.list(&given));
    let output = b.like(from, &sizes);
    b.operator(
        BuiltinOp::Slice,
        &[from, begins, given],
        &[output],
        Options::None,
    )
}

fn strided_slice(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let mut options = StridedSliceOptions::default();
    let (mut begins, mut ends, mut strides, mut sizes) = (vec![], vec![], vec![], vec![]);
    for (size, bit) in shape.iter().zip(0..) {
        let size = *size as i32;
        let begin = b.random.below(size as usize) as i32;
        if b.random.below(6) == 0 {
            options.shrink_axis_mask |= 1 << bit;
            begins.push(if b.flag() { begin } else { begin - size });
            ends.push(begin + 1);
            strides.push(1);
            continue;
        }
        let stride = 1 + b.random.below(3) as i32;
        let (begin, end, stride, count) = if b.random.below(3) == 0 {
            (begin, -size - 1, -stride, begin / stride + 1)
        } else {
            (
                begin,
                size + b.random.below(2) as i32 * 7,
                stride,
                (size - begin + stride - 1) / stride,
            )
        };
        let masked = b.random.below(4) == 0;
        options.end_mask |= i32::from(masked) << bit;
        begins.push(begin);
        ends.push(if masked { 1000 } else { end });
        strides.push(stride);
        sizes.push(count as usize);
    }
    let lists = [begins, ends, strides].map(|list| b.list(&list));
    let output = b.like(from, &sizes);
    let [begins, ends, strides] = lists;
    b.operator(
        BuiltinOp::StridedSlice,
        &[from, begins, ends, strides],
        &[output],
        options,
    )
}

fn gather(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let axis = b.axis_of(&shape)?;
    let batch_dims = if b.random.below(3) == 0 {
        b.random.below(axis + 1)
    } else {
        0
    };
    let mut counts = shape[..batch_dims].to_vec();
    let further = b.random.below(2);
    counts.extend(b.shape(further));
    let elements: usize = counts.iter().product();
    let indices: Vec<i32> = (0..elements)
        .map(|_| b.random.below(shape[axis]) as i32)
        .collect();
    let indices = b.int32(&indices, &counts);
    let sizes = [&shape[..axis], &counts[batch_dims..], &shape[axis + 1..]].concat();
    let output = b.like(from, &sizes);
    let options = GatherOptions {
        axis: b.signed(axis, shape.len()),
        batch_dims: batch_dims as i32,
    };
    b.operator(BuiltinOp::Gather, &[from, indices], &[output], options)
}

fn gather_nd(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let dimensions = 1 + b.axis_of(&shape)?;
    let count = 1 + b.random.below(4);
    let mut indices = Vec::new();
    for _ in 0..count {
        indices.extend(
            shape[..dimensions]
                .iter()
                .map(|size| b.random.below(*size) as i32),
        );
    }
    let indices = b.int32(&indices, &[count, dimensions]);
    let output = b.like(from, &[&[count], &shape[dimensions..]].concat());
    b.operator(
        BuiltinOp::GatherNd,
        &[from, indices],
        &[output],
        Options::None,
    )
}

fn embedding_lookup(b: &mut Builder, from: TensorId) -> Option<()> {
    let mut shape = b.get(from).shape;
    let count = 1 + b.random.below(4);
    let rows = *shape.first()?;
    let indices: Vec<i32> = (0..count).map(|_| b.random.below(rows) as i32).collect();
    let indices = b.list(&indices);
    shape[0] = count;
    let output = b.like(from, &shape);
    b.operator(
        BuiltinOp::EmbeddingLookup,
        &[indices, from],
        &[output],
        Options::None,
    )
}

fn reverse(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let axes: Vec<i32> = (0..shape.len() as i32).filter(|_| b.flag()).collect();
    let axes = b.list(&axes);
    let output = b.like(from, &shape);
    b.operator(
        BuiltinOp::ReverseV2,
        &[from, axes],
        &[output],
        Options::None,
    )
}

fn dynamic_update_slice(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let sizes: Vec<usize> = shape.iter().map(|size| 1 + b.random.below(*size)).collect();
    let update = b.constant_like(from, &sizes);
    let starts: Vec<i32> = shape
        .iter()
        .map(|size| b.random.below(size + 2) as i32 - 1)
        .collect();
    let starts = b.list(&starts);
    let output = b.like(from, &shape);
    b.operator(
        BuiltinOp::DynamicUpdateSlice,
        &[from, update, starts],
        &[output],
        Options::None,
    )
}

fn resize(b: &mut Builder, from: TensorId) -> Option<()> {
    let [batches, _, _, depth]: [usize; 4] = b.get(from).shape.try_into().ok()?;
    let sides = b.shape(2);
    let size = b.list(&ints(&sides));
    let output = b.like(from, &[batches, sides[0], sides[1], depth]);
    let (align_corners, half_pixel_centers) = (b.flag(), b.flag());
    if b.flag() {
        let options = ResizeBilinearOptions {
            align_corners,
            half_pixel_centers,
        };
        return b.operator(BuiltinOp::ResizeBilinear, &[from, size], &[output], options);
    }
    let options = ResizeNearestNeighborOptions {
        align_corners,
        half_pixel_centers,
    };
    b.operator(
        BuiltinOp::ResizeNearestNeighbor,
        &[from, size],
        &[output],
        options,
    )
}

fn shape(b: &mut Builder, from: TensorId) -> Option<()> {
    let rank = b.get(from).shape.len();
    let output = b.tensor(Dtype::Int32, &[rank]);
    b.operator(
        BuiltinOp::Shape,
        &[from],
        &[output],
        ShapeOptions {
            out_type: Dtype::Int32,
        },
    )
}

fn fill(b: &mut Builder, from: TensorId) -> Option<()> {
    let sizes = b.shape(2);
    let list = b.list(&ints(&sizes));
    let value = b.constant_like(from, &[]);
    let output = b.like(from, &sizes);
    b.operator(BuiltinOp::Fill, &[list, value], &[output], Options::None)
}

fn broadcast_args(b: &mut Builder, _from: TensorId) -> Option<()> {
    let sizes = b.shape(3);
    let whole = b.list(&ints(&sizes));
    let from = b.random.below(3);
    let part: Vec<i32> = sizes[from..]
        .iter()
        .map(|size| if b.flag() { 1 } else { *size as i32 })
        .collect();
    let part = b.list(&part);
    let output = b.tensor(Dtype::Int32, &[3]);
    b.operator(
        BuiltinOp::BroadcastArgs,
        &[whole, part],
        &[output],
        Options::None,
    )
}
