//! Operators that move elements.

use ember_core::BuiltinOp;
use ember_tflite::{
    ConcatenationOptions, DepthToSpaceOptions, MirrorPadMode, MirrorPadOptions, Options,
    PackOptions, ReshapeOptions, SpaceToDepthOptions, SplitOptions, SplitVOptions, TensorId,
    UnpackOptions,
};

use super::{Builder, Family};

pub(super) const ALL: &[Family] = &[
    transpose,
    pad,
    pad,
    concatenation,
    split,
    unpack,
    pack,
    broadcast_to,
    blocks,
    space_to_batch_nd,
    batch_to_space_nd,
    dimensions,
];

pub(super) fn ints(sizes: &[usize]) -> Vec<i32> {
    sizes.iter().map(|size| *size as i32).collect()
}

impl Builder {
    pub(super) fn axis_of(&mut self, shape: &[usize]) -> Option<usize> {
        (!shape.is_empty()).then(|| self.random.below(shape.len()))
    }

    /// The axis, from the end where it comes so.
    pub(super) fn signed(&mut self, axis: usize, rank: usize) -> i32 {
        let from_end = self.random.below(3) == 0;
        axis as i32 - if from_end { rank as i32 } else { 0 }
    }
}

pub(super) fn reshape(b: &mut Builder, from: TensorId) -> Option<()> {
    let mut shape = b.get(from).shape;
    match b.random.below(4) {
        0 => shape = vec![1, shape.iter().product()],
        1 => shape.reverse(),
        2 => shape = vec![1, shape.iter().product(), 1, 1],
        _ if shape.len() >= 2 => {
            let last = shape.pop()?;
            *shape.last_mut()? *= last;
        }
        _ => return None,
    }
    let output = b.like(from, &shape);
    let sizes = b.list(&ints(&shape));
    b.operator(
        BuiltinOp::Reshape,
        &[from, sizes],
        &[output],
        ReshapeOptions::default(),
    )
}

fn transpose(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let mut order: Vec<usize> = (0..shape.len()).collect();
    for at in 1..order.len() {
        let other = b.random.below(at + 1);
        order.swap(at, other);
    }
    let turned: Vec<usize> = order.iter().map(|at| shape[*at]).collect();
    let order = b.list(&ints(&order));
    let output = b.like(from, &turned);
    b.operator(
        BuiltinOp::Transpose,
        &[from, order],
        &[output],
        Options::None,
    )
}

fn pad(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let op = b
        .random
        .pick(&[BuiltinOp::Pad, BuiltinOp::Padv2, BuiltinOp::MirrorPad]);
    let mirror = op == BuiltinOp::MirrorPad;
    let mode = b
        .random
        .pick(&[MirrorPadMode::Reflect, MirrorPadMode::Symmetric]);
    let mut paddings = Vec::new();
    let mut sizes = Vec::new();
    for size in shape {
        let most = match mode {
            _ if !mirror => 2,
            MirrorPadMode::Reflect => size - 1,
            MirrorPadMode::Symmetric => size,
        };
        let around = [
            b.random.below(most.min(2) + 1),
            b.random.below(most.min(2) + 1),
        ];
        sizes.push(size + around[0] + around[1]);
        paddings.extend(ints(&around));
    }
    let paddings = b.int32(&paddings, &[sizes.len(), 2]);
    let output = b.like(from, &sizes);
    let mut inputs = vec![from, paddings];
    if op == BuiltinOp::Padv2 {
        inputs.push(b.constant_like(from, &[]));
    }
    let options = if mirror {
        MirrorPadOptions { mode }.into()
    } else {
        Options::None
    };
    b.operator(op, &inputs, &[output], options)
}

fn concatenation(b: &mut Builder, from: TensorId) -> Option<()> {
    let mut shape = b.get(from).shape;
    let axis = b.axis_of(&shape)?;
    let mut inputs = vec![from];
    let mut total = shape[axis];
    for _ in 0..b.random.below(3) {
        if b.flag() {
            inputs.push(from);
            total += shape[axis];
            continue;
        }
        let mut own = shape.clone();
        own[axis] = 1 + b.random.below(3);
        total += own[axis];
        inputs.push(b.constant_like(from, &own));
    }
    let rank = shape.len();
    shape[axis] = total;
    let output = b.like(from, &shape);
    let options = ConcatenationOptions {
        axis: b.signed(axis, rank),
        ..ConcatenationOptions::default()
    };
    b.operator(BuiltinOp::Concatenation, &inputs, &[output], options)
}

/// SPLIT into equal parts or SPLIT_V.
fn split(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let axis = b.axis_of(&shape)?;
    let size = shape[axis];
    let even = b.flag();
    let mut sizes = Vec::new();
    if even {
        let divisors: Vec<usize> = (1..=size)
            .filter(|count| size.is_multiple_of(*count))
            .collect();
        let count = b.random.pick(&divisors);
        sizes.resize(count, size / count);
    } else {
        while sizes.iter().sum::<usize>() < size {
            let rest = size - sizes.iter().sum::<usize>();
            sizes.push(1 + b.random.below(rest));
        }
    }
    let mut outputs = Vec::new();
    for size in &sizes {
        let mut own = shape.clone();
        own[axis] = *size;
        outputs.push(b.like(from, &own));
    }
    let number = b.signed(axis, shape.len());
    let axis = b.int32(&[number], &[]);
    let num_splits = sizes.len() as i32;
    if even {
        return b.operator(
            BuiltinOp::Split,
            &[axis, from],
            &outputs,
            SplitOptions { num_splits },
        );
    }
    let mut given = ints(&sizes);
    if b.flag() {
        *given.first_mut()? = -1;
    }
    let given = b.list(&given);
    b.operator(
        BuiltinOp::SplitV,
        &[from, given, axis],
        &outputs,
        SplitVOptions { num_splits },
    )
}

fn unpack(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let axis = b.axis_of(&shape)?;
    let mut own = shape.clone();
    let num = own.remove(axis);
    let outputs: Vec<TensorId> = (0..num).map(|_| b.like(from, &own)).collect();
    let axis = b.signed(axis, shape.len());
    b.operator(
        BuiltinOp::Unpack,
        &[from],
        &outputs,
        UnpackOptions {
            num: num as i32,
            axis,
        },
    )
}

fn pack(b: &mut Builder, from: TensorId) -> Option<()> {
    let mut shape = b.get(from).shape;
    let axis = b.random.below(shape.len() + 1);
    let count = 1 + b.random.below(3);
    let mut inputs = vec![from];
    for _ in 1..count {
        inputs.push(if b.flag() {
            from
        } else {
            b.constant_like(from, &shape)
        });
    }
    shape.insert(axis, count);
    let output = b.like(from, &shape);
    let options = PackOptions {
        values_count: count as i32,
        axis: b.signed(axis, shape.len()),
    };
    b.operator(BuiltinOp::Pack, &inputs, &[output], options)
}

fn broadcast_to(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let mut sizes: Vec<usize> = shape
        .iter()
        .map(|size| {
            if *size == 1 {
                1 + b.random.below(4)
            } else {
                *size
            }
        })
        .collect();
    if b.flag() {
        sizes.insert(0, 1 + b.random.below(3));
    }
    let list = b.list(&ints(&sizes));
    let output = b.like(from, &sizes);
    b.operator(
        BuiltinOp::BroadcastTo,
        &[from, list],
        &[output],
        Options::None,
    )
}

/// DEPTH_TO_SPACE or SPACE_TO_DEPTH.
fn blocks(b: &mut Builder, from: TensorId) -> Option<()> {
    let [batches, height, width, depth]: [usize; 4] = b.get(from).shape.try_into().ok()?;
    let block = b.random.pick(&[1, 2, 3]);
    let block_size = block as i32;
    if depth % (block * block) == 0 {
        let output = b.like(
            from,
            &[
                batches,
                height * block,
                width * block,
                depth / (block * block),
            ],
        );
        return b.operator(
            BuiltinOp::DepthToSpace,
            &[from],
            &[output],
            DepthToSpaceOptions { block_size },
        );
    }
    if height % block != 0 || width % block != 0 {
        return None;
    }
    let output = b.like(
        from,
        &[
            batches,
            height / block,
            width / block,
            depth * block * block,
        ],
    );
    b.operator(
        BuiltinOp::SpaceToDepth,
        &[from],
        &[output],
        SpaceToDepthOptions { block_size },
    )
}

fn space_to_batch_nd(b: &mut Builder, from: TensorId) -> Option<()> {
    let [batches, height, width, depth]: [usize; 4] = b.get(from).shape.try_into().ok()?;
    let block = [1 + b.random.below(3), 1 + b.random.below(3)];
    let mut around = Vec::new();
    let mut sides = Vec::new();
    for (size, block) in [height, width].into_iter().zip(block) {
        let before = b.random.below(3);
        let behind = (size + before).next_multiple_of(block) - size - before;
        around.extend([before as i32, behind as i32]);
        sides.push((size + before + behind) / block);
    }
    let list = b.list(&ints(&block));
    let around = b.int32(&around, &[2, 2]);
    let output = b.like(
        from,
        &[batches * block[0] * block[1], sides[0], sides[1], depth],
    );
    b.operator(
        BuiltinOp::SpaceToBatchNd,
        &[from, list, around],
        &[output],
        Options::None,
    )
}

fn batch_to_space_nd(b: &mut Builder, from: TensorId) -> Option<()> {
    let [batches, height, width, depth]: [usize; 4] = b.get(from).shape.try_into().ok()?;
    let block = [1 + b.random.below(3), 1 + b.random.below(2)];
    if batches % (block[0] * block[1]) != 0 {
        return None;
    }
    let mut cut = Vec::new();
    let mut sides = Vec::new();
    for (size, block) in [height, width].into_iter().zip(block) {
        let whole = size * block;
        let before = b.random.below(whole.min(2));
        cut.extend([before as i32, 0]);
        sides.push(whole - before);
    }
    let list = b.list(&ints(&block));
    let cut = b.int32(&cut, &[2, 2]);
    let output = b.like(
        from,
        &[batches / (block[0] * block[1]), sides[0], sides[1], depth],
    );
    b.operator(
        BuiltinOp::BatchToSpaceNd,
        &[from, list, cut],
        &[output],
        Options::None,
    )
}

/// EXPAND_DIMS or SQUEEZE.
fn dimensions(b: &mut Builder, from: TensorId) -> Option<()> {
    let mut shape = b.get(from).shape;
    if b.flag() && shape.contains(&1) {
        shape.retain(|size| *size != 1);
        let output = b.like(from, &shape);
        return b.operator(BuiltinOp::Squeeze, &[from], &[output], Options::None);
    }
    let axis = b.random.below(shape.len() + 1);
    shape.insert(axis, 1);
    let number = b.signed(axis, shape.len());
    let axis = b.int32(&[number], &[]);
    let output = b.like(from, &shape);
    b.operator(
        BuiltinOp::ExpandDims,
        &[from, axis],
        &[output],
        Options::None,
    )
}
