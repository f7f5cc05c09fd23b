//! Operators without weights. The shapes of the operands have the batch as it is; the verifier has seen that they fit.

use std::cmp::Ordering;
use std::marker::PhantomData;

use ember_kernels::batch_matmul::{self, BATCH_AXES, BatchMatmul, Side};
use ember_kernels::binary::{self, Binary as Function2};
use ember_kernels::broadcast::Broadcast;
use ember_kernels::maximum_minimum::{Maximum, Minimum};
use ember_kernels::reduce::{self, MAX_AXES, Reduce, ReduceAxis};
use ember_kernels::resize::{self, Resize};
use ember_kernels::softmax::Softmax;
use ember_kernels::unary::{self, Unary as Function};
use ember_kernels::{KernelError, leaky_relu, log_softmax, mul, prelu, squared_difference, sub};

use super::clamp;
use crate::{Binary, Reduction, Resizing, Unary, Weightless};

type Done = Option<Result<(), KernelError>>;

/// Runs the kernel; `None` when an extent leaves the kernels' 31 bits, or there are more dimensions than they have.
pub(super) fn run(
    op: &Weightless,
    dims: &[Vec<u32>],
    operands: &[&[f32]],
    output: &mut [f32],
) -> Done {
    let input = operands[0];
    match op {
        Weightless::Unary(function) => Some(of_one(*function, input, output)),
        Weightless::Binary(function) => of_two(*function, dims, [input, operands[1]], output),
        Weightless::LogSoftmax => {
            let (depth, outer) = dims[0].split_last()?;
            let shape = Softmax {
                outer: product(outer)?,
                depth: *depth,
            };
            Some(log_softmax::float32(&shape, input, output))
        }
        Weightless::BatchMatmul { turned } => {
            let shape = product_of(&dims[0], &dims[1], *turned)?;
            Some(batch_matmul::float32(&shape, input, operands[1], output))
        }
        Weightless::Reduce { function, axes } => reduced(*function, &dims[0], axes, input, output),
        Weightless::Resize {
            method,
            size,
            align_corners,
            half_pixel_centers,
        } => {
            let [batches, height, width, depth] = dims[0][..].try_into().ok()?;
            let shape = Resize {
                batches,
                input: [height, width],
                output: [u32::try_from(size[0]).ok()?, u32::try_from(size[1]).ok()?],
                depth,
                align_corners: u32::from(*align_corners),
                half_pixel_centers: u32::from(*half_pixel_centers),
            };
            Some(match method {
                Resizing::Bilinear => resize::bilinear_float32(&shape, input, output),
                Resizing::Nearest => nearest(&shape, input, output),
            })
        }
        Weightless::Transpose { order } => {
            let strides = strides(&dims[0]);
            let axes = order.iter().map(|from| (dims[0][*from], strides[*from]));
            moved(&axes.collect::<Vec<_>>(), 0, input, output)
        }
        Weightless::Slice { begin, step, end } => {
            let strides = strides(&dims[0]);
            let places = (dims[0].iter().zip(&strides)).zip(begin.iter().zip(end).zip(step));
            let mut first = 0;
            let mut axes = Vec::new();
            for (axis, ((extent, stride), ((begin, end), step))) in places.enumerate() {
                if axis == 0 {
                    axes.push((*extent, *stride));
                    continue;
                }
                first += begin * stride;
                let count = u32::try_from((end - begin).div_ceil(*step)).ok()?;
                axes.push((count, stride * step));
            }
            moved(&axes, first, input, output)
        }
        Weightless::Concatenation { axis } => joined(*axis, dims, operands, output),
    }
}

fn product(dims: &[u32]) -> Option<u32> {
    dims.iter()
        .try_fold(1_u32, |all, dim| all.checked_mul(*dim))
}

fn of_one(function: Unary, input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    fn each<F: Function<Input = f32, Output = f32>>(
        function: F,
        input: &[f32],
        output: &mut [f32],
    ) -> Result<(), KernelError> {
        unary::run(&function, input, output)
    }
    match function {
        Unary::Abs => each(unary::Abs, input, output),
        Unary::Ceil => each(unary::Ceil, input, output),
        Unary::Cos => each(unary::Cos, input, output),
        Unary::Elu => each(unary::Elu, input, output),
        Unary::Exp => each(unary::Exp, input, output),
        Unary::Floor => each(unary::Floor, input, output),
        Unary::HardSwish => each(unary::HardSwish, input, output),
        Unary::LeakyRelu { slope } => each(leaky_relu::Float32(slope), input, output),
        Unary::Log => each(unary::Log, input, output),
        Unary::Logistic => each(unary::Logistic, input, output),
        Unary::Neg => each(unary::Neg, input, output),
        Unary::Round => each(unary::Round, input, output),
        Unary::Rsqrt => each(unary::Rsqrt, input, output),
        Unary::Sin => each(unary::Sin, input, output),
        Unary::Sqrt => each(unary::Sqrt, input, output),
        Unary::Square => each(unary::Square, input, output),
        Unary::Tanh => each(unary::Tanh, input, output),
    }
}

fn of_two(
    function: Binary,
    dims: &[Vec<u32>],
    [left, right]: [&[f32]; 2],
    output: &mut [f32],
) -> Done {
    fn each<F: Function2<Input1 = f32, Input2 = f32, Output = f32>>(
        function: F,
        dims: &[Vec<u32>],
        [left, right]: [&[f32]; 2],
        output: &mut [f32],
    ) -> Done {
        let [one, two] = [&dims[0], &dims[1]].map(|dims| dims.iter().rev().copied());
        let shape = Broadcast::new(one, two)?;
        Some(binary::run(&shape, &function, left, right, output))
    }
    let all = clamp(ember_core::Activation::None)?;
    let operands = [left, right];
    match function {
        Binary::Div => each(ember_kernels::div::Float32(all), dims, operands, output),
        Binary::Maximum => each(Maximum(PhantomData), dims, operands, output),
        Binary::Minimum => each(Minimum(PhantomData), dims, operands, output),
        Binary::Mul => each(mul::Times(all), dims, operands, output),
        Binary::Prelu => each(prelu::Float32, dims, operands, output),
        Binary::SquaredDifference => each(
            squared_difference::Plain(PhantomData),
            dims,
            operands,
            output,
        ),
        Binary::Sub => each(sub::Minus(all), dims, operands, output),
    }
}

/// The steps between neighbours along each dimension.
fn strides(dims: &[u32]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for dimension in (1..dims.len()).rev() {
        strides[dimension - 1] = strides[dimension] * dims[dimension] as usize;
    }
    strides
}

fn product_of(left: &[u32], right: &[u32], turned: bool) -> Option<BatchMatmul> {
    let rank = left.len();
    let steps = |dims: &[u32]| -> Option<Vec<u32>> {
        let strides = strides(dims).into_iter();
        strides.map(|stride| u32::try_from(stride).ok()).collect()
    };
    let [steps1, steps2] = [steps(left)?, steps(right)?];
    let (inner, column) = if turned {
        (rank - 1, rank - 2)
    } else {
        (rank - 2, rank - 1)
    };
    let side = |step: u32, depth_step: u32| Side {
        batch_steps: [0; BATCH_AXES],
        step,
        depth_step,
    };
    let mut shape = BatchMatmul {
        batches: [1; BATCH_AXES],
        rows: left[rank - 2],
        columns: right[column],
        depth: left[rank - 1],
        sides: [
            side(steps1[rank - 2], steps1[rank - 1]),
            side(steps2[column], steps2[inner]),
        ],
    };
    let unused = BATCH_AXES.checked_sub(rank - 2)?;
    for axis in 0..rank - 2 {
        shape.batches[unused + axis] = left[axis].max(right[axis]);
        let step = |dims: &[u32], steps: &[u32]| if dims[axis] == 1 { 0 } else { steps[axis] };
        shape.sides[0].batch_steps[unused + axis] = step(left, &steps1);
        shape.sides[1].batch_steps[unused + axis] = step(right, &steps2);
    }
    Some(shape)
}

fn reduced(
    function: Reduction,
    dims: &[u32],
    axes: &[usize],
    input: &[f32],
    output: &mut [f32],
) -> Done {
    let mut shape = Reduce {
        kept: [ReduceAxis::ONE; MAX_AXES],
        reduced: [ReduceAxis::ONE; MAX_AXES],
    };
    let mut addends = 1_u32;
    let unused = MAX_AXES.checked_sub(dims.len())?;
    for (axis, (count, step)) in dims.iter().zip(strides(dims)).enumerate() {
        let place = ReduceAxis {
            count: *count,
            step: u32::try_from(step).ok()?,
        };
        if axes.contains(&axis) {
            shape.reduced[unused + axis] = place;
            addends = addends.checked_mul(*count)?;
        } else {
            shape.kept[unused + axis] = place;
        }
    }
    Some(match function {
        Reduction::Max => reduce::extreme(&shape, Ordering::Greater, input, output),
        Reduction::Min => reduce::extreme(&shape, Ordering::Less, input, output),
        Reduction::Mean => reduce::float32(&shape, addends as f32, input, output),
        Reduction::Sum => reduce::float32(&shape, 1.0, input, output),
    })
}

/// The kernel moves bytes.
fn nearest(shape: &Resize, input: &[f32], output: &mut [f32]) -> Result<(), KernelError> {
    let bytes: Vec<u8> = input
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let mut resized = vec![0; 4 * output.len()];
    resize::nearest(shape, 4, &bytes, &mut resized)?;
    for (number, bytes) in output.iter_mut().zip(resized.as_chunks().0) {
        *number = f32::from_le_bytes(*bytes);
    }
    Ok(())
}

/// Fills the output with what lies at `first` and, along each axis, so many steps further.
fn moved(axes: &[(u32, usize)], first: usize, input: &[f32], output: &mut [f32]) -> Done {
    let mut index = vec![0; axes.len()];
    let mut at = first;
    for out in output {
        *out = *input.get(at)?;
        for ((count, step), index) in axes.iter().zip(&mut index).rev() {
            *index += 1;
            at += step;
            if *index < *count {
                break;
            }
            at -= step * *count as usize;
            *index = 0;
        }
    }
    Some(Ok(()))
}

/// Fills the output with the rows of the operands in turn. A constant has one batch, which is repeated.
fn joined(axis: usize, dims: &[Vec<u32>], operands: &[&[f32]], output: &mut [f32]) -> Done {
    let batches = dims.iter().map(|dims| dims[0]).max()? as usize;
    let rows = product(&dims[0][1..axis])? as usize;
    let mut places = output.iter_mut();
    for batch in 0..batches {
        for row in 0..rows {
            for (dims, operand) in dims.iter().zip(operands) {
                let length = product(&dims[axis..])? as usize;
                let first = (batch % dims[0] as usize * rows + row) * length;
                for number in operand.get(first..first + length)? {
                    *places.next()? = *number;
                }
            }
        }
    }
    Some(Ok(()))
}
