//! Operators without weights as operators of a file.

use ember_core::{Activation, BuiltinOp, Dtype};
use ember_graph::{Binary, Reduction, Resizing, Unary, Weightless};
use ember_tflite::write::{ModelSpec, TensorSpec};
use ember_tflite::{
    BatchMatMulOptions, ConcatenationOptions, DivOptions, LeakyReluOptions, MulOptions, Options,
    ReducerOptions, ResizeBilinearOptions, ResizeNearestNeighborOptions, StridedSliceOptions,
    SubOptions, TensorId,
};

use super::Fields;
use crate::CodegenError;

/// The operator, its options, and the constants that it reads after its operands, which are added to `spec`.
pub(super) fn operator(
    spec: &mut ModelSpec,
    op: &Weightless,
    node: &str,
    dtype: Dtype,
) -> Result<(BuiltinOp, Options, Vec<TensorId>), CodegenError> {
    let mut constants = Vec::new();
    let mut constant = |name: &str, numbers: &[usize]| -> Result<(), CodegenError> {
        constants.push(integers(spec, node, name, numbers)?);
        Ok(())
    };
    let (op, options) = match op {
        Weightless::Unary(function) => of_one(*function),
        Weightless::Binary(function) => of_two(*function, dtype),
        Weightless::LogSoftmax => (BuiltinOp::LogSoftmax, Options::None),
        Weightless::BatchMatmul { turned } => {
            let options = BatchMatMulOptions {
                adj_y: *turned,
                ..BatchMatMulOptions::default()
            };
            (BuiltinOp::BatchMatmul, options.into())
        }
        Weightless::Reduce { function, axes } => {
            constant("axes", axes)?;
            let op = match function {
                Reduction::Max => BuiltinOp::ReduceMax,
                Reduction::Mean => BuiltinOp::Mean,
                Reduction::Min => BuiltinOp::ReduceMin,
                Reduction::Sum => BuiltinOp::Sum,
            };
            (op, ReducerOptions { keep_dims: true }.into())
        }
        Weightless::Resize {
            method,
            size,
            align_corners,
            half_pixel_centers,
        } => {
            constant("size", size)?;
            let (align_corners, half_pixel_centers) = (*align_corners, *half_pixel_centers);
            match method {
                Resizing::Nearest => {
                    let options = ResizeNearestNeighborOptions {
                        align_corners,
                        half_pixel_centers,
                    };
                    (BuiltinOp::ResizeNearestNeighbor, options.into())
                }
                Resizing::Bilinear => {
                    let options = ResizeBilinearOptions {
                        align_corners,
                        half_pixel_centers,
                    };
                    (BuiltinOp::ResizeBilinear, options.into())
                }
            }
        }
        Weightless::Transpose { order } => {
            constant("order", order)?;
            (BuiltinOp::Transpose, Options::None)
        }
        Weightless::Slice { begin, end, step } => {
            constant("begin", begin)?;
            constant("end", end)?;
            constant("step", step)?;
            let options = StridedSliceOptions::default();
            (BuiltinOp::StridedSlice, options.into())
        }
        Weightless::Concatenation { axis } => {
            let options = ConcatenationOptions {
                axis: Fields::of_node(node).number("axis", *axis)?,
                fused_activation_function: Activation::None,
            };
            (BuiltinOp::Concatenation, options.into())
        }
    };
    Ok((op, options, constants))
}

/// A list of integers as a tensor beside the node's.
pub(super) fn integers(
    spec: &mut ModelSpec,
    node: &str,
    name: &str,
    numbers: &[usize],
) -> Result<TensorId, CodegenError> {
    let mut bytes = Vec::with_capacity(4 * numbers.len());
    for number in numbers {
        let number = Fields::of_node(node).number("number", *number)?;
        bytes.extend(number.to_le_bytes());
    }
    let tensor = TensorSpec::new(format!("{node}.{name}"), Dtype::Int32, vec![numbers.len()]);
    Ok(spec.push_tensor(tensor.with_data(bytes)))
}

fn of_one(function: Unary) -> (BuiltinOp, Options) {
    let op = match function {
        Unary::Abs => BuiltinOp::Abs,
        Unary::Ceil => BuiltinOp::Ceil,
        Unary::Cos => BuiltinOp::Cos,
        Unary::Elu => BuiltinOp::Elu,
        Unary::Exp => BuiltinOp::Exp,
        Unary::Floor => BuiltinOp::Floor,
        Unary::HardSwish => BuiltinOp::HardSwish,
        Unary::LeakyRelu { slope } => {
            let options = LeakyReluOptions { alpha: slope };
            return (BuiltinOp::LeakyRelu, options.into());
        }
        Unary::Log => BuiltinOp::Log,
        Unary::Logistic => BuiltinOp::Logistic,
        Unary::Neg => BuiltinOp::Neg,
        Unary::Round => BuiltinOp::Round,
        Unary::Rsqrt => BuiltinOp::Rsqrt,
        Unary::Sin => BuiltinOp::Sin,
        Unary::Sqrt => BuiltinOp::Sqrt,
        Unary::Square => BuiltinOp::Square,
        Unary::Tanh => BuiltinOp::Tanh,
    };
    (op, Options::None)
}

fn of_two(function: Binary, dtype: Dtype) -> (BuiltinOp, Options) {
    let fused_activation_function = Activation::None;
    match function {
        Binary::Div => {
            let options = DivOptions {
                fused_activation_function,
            };
            (BuiltinOp::Div, options.into())
        }
        Binary::Mul => {
            let options = MulOptions {
                fused_activation_function,
            };
            (BuiltinOp::Mul, options.into())
        }
        Binary::Sub => {
            let options = SubOptions {
                fused_activation_function,
                // It says how int16 is scaled; elsewhere it stays at its default.
                pot_scale_int16: dtype != Dtype::Int16,
            };
            (BuiltinOp::Sub, options.into())
        }
        Binary::Maximum => (BuiltinOp::Maximum, Options::None),
        Binary::Minimum => (BuiltinOp::Minimum, Options::None),
        Binary::Prelu => (BuiltinOp::Prelu, Options::None),
        Binary::SquaredDifference => (BuiltinOp::SquaredDifference, Options::None),
    }
}
