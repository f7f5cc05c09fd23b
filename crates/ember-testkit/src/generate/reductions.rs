//! Operators along axes.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::write::{QuantizationSpec, TensorSpec};
use ember_tflite::{
    CumsumOptions, L2NormOptions, Options, ReducerOptions, SoftmaxOptions, TensorId,
};

use super::{Builder, Family};

pub(super) const ALL: &[Family] = &[reduce, reduce, arg, cumsum, l2_normalization];

pub(super) fn softmax(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let mut output = TensorSpec::new("", tensor.dtype, tensor.shape);
    output.quantization = match tensor.dtype {
        Dtype::Int8 => Some(QuantizationSpec::per_tensor(1.0 / 256.0, -128)),
        Dtype::Int16 => Some(QuantizationSpec::per_tensor(1.0 / 32768.0, 0)),
        _ => None,
    };
    let output = b.spec.push_tensor(output);
    let beta = b.random.pick(&[1.0, 1.0, 0.3]);
    b.operator(
        BuiltinOp::Softmax,
        &[from],
        &[output],
        SoftmaxOptions { beta },
    )
}

fn reduce(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let ops = match tensor.dtype {
        Dtype::Bool => &[BuiltinOp::ReduceAll][..],
        _ => &[
            BuiltinOp::Mean,
            BuiltinOp::Sum,
            BuiltinOp::ReduceMax,
            BuiltinOp::ReduceMin,
        ],
    };
    let op = b.random.pick(ops);
    let keep_dims = b.flag();
    let rank = tensor.shape.len();
    let reduced: Vec<bool> = (0..rank).map(|_| b.flag()).collect();
    let mut axes: Vec<i32> = (0..rank as i32)
        .filter(|at| reduced[*at as usize])
        .collect();
    // From the end, or twice.
    if let Some(axis) = axes.first_mut().filter(|_| b.random.below(3) == 0) {
        *axis -= rank as i32;
    }
    if b.random.below(5) == 0 {
        axes.extend(axes.first().copied());
    }
    let sizes = tensor.shape.iter().zip(&reduced);
    let sizes = sizes.filter(|(_, gone)| keep_dims || !**gone);
    let shape: Vec<usize> = sizes
        .map(|(size, gone)| if *gone { 1 } else { *size })
        .collect();
    let axes = b.list(&axes);
    let output = match op {
        BuiltinOp::Mean | BuiltinOp::Sum if b.flag() => b.tensor(tensor.dtype, &shape),
        _ => b.like(from, &shape),
    };
    b.operator(op, &[from, axes], &[output], ReducerOptions { keep_dims })
}

fn arg(b: &mut Builder, from: TensorId) -> Option<()> {
    let op = b.random.pick(&[BuiltinOp::ArgMax, BuiltinOp::ArgMin]);
    let mut shape = b.get(from).shape;
    let axis = b.random.below(shape.len());
    shape.get(axis)?;
    shape.remove(axis);
    let axis = b.int32(&[axis as i32], &[]);
    let output = b.tensor(Dtype::Int32, &shape);
    b.operator(op, &[from, axis], &[output], Options::None)
}

fn cumsum(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let axis = b.random.below(tensor.shape.len()) as i32;
    let axis = b.int32(&[axis], &[]);
    let output = b.tensor(tensor.dtype, &tensor.shape);
    let options = CumsumOptions {
        exclusive: b.flag(),
        reverse: b.flag(),
    };
    b.operator(BuiltinOp::Cumsum, &[from, axis], &[output], options)
}

fn l2_normalization(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let mut output = TensorSpec::new("", tensor.dtype, tensor.shape);
    if tensor.dtype == Dtype::Int8 {
        output.quantization = Some(QuantizationSpec::per_tensor(1.0 / 128.0, 0));
    }
    let output = b.spec.push_tensor(output);
    b.operator(
        BuiltinOp::L2Normalization,
        &[from],
        &[output],
        L2NormOptions::default(),
    )
}
