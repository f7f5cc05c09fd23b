//! Operators element by element: on one input, on two that are broadcast to each other, between types.

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::write::{QuantizationSpec, TensorSpec};
use ember_tflite::{
    AddOptions, DivOptions, LeakyReluOptions, MulOptions, Options, SubOptions, TensorId,
};

use super::{Builder, Family};

pub(super) const ALL: &[Family] = &[
    unary,
    unary,
    binary,
    binary,
    of_one_scale,
    compare,
    logical,
    select,
    cast,
    convert,
    add_n,
    prelu,
];

/// The output's scale and zero point on int8 and on int16, where an operator asks for certain ones.
type Exact = Option<[(f32, i32); 2]>;

/// Operators on one input.
const UNARY: &[(BuiltinOp, Exact)] = &[
    (BuiltinOp::Abs, None),
    (BuiltinOp::Sin, None),
    (BuiltinOp::Cos, None),
    (BuiltinOp::Log, None),
    (BuiltinOp::Sqrt, None),
    (BuiltinOp::Rsqrt, None),
    (BuiltinOp::Square, None),
    (BuiltinOp::Neg, None),
    (BuiltinOp::Exp, None),
    (BuiltinOp::Floor, None),
    (BuiltinOp::Ceil, None),
    (BuiltinOp::Round, None),
    (BuiltinOp::Elu, None),
    (BuiltinOp::HardSwish, None),
    (BuiltinOp::LeakyRelu, None),
    (BuiltinOp::Relu, None),
    (BuiltinOp::Relu6, None),
    (BuiltinOp::ZerosLike, None),
    (
        BuiltinOp::Logistic,
        Some([(1.0 / 256.0, -128), (1.0 / 32768.0, 0)]),
    ),
    (
        BuiltinOp::Tanh,
        Some([(1.0 / 128.0, 0), (1.0 / 32768.0, 0)]),
    ),
];

fn one_input(b: &mut Builder, from: TensorId, op: BuiltinOp, exact: Exact) -> Option<()> {
    let tensor = b.get(from);
    let output = b.tensor(tensor.dtype, &tensor.shape);
    let [int8, int16] = exact.unwrap_or_default();
    let quantization = &mut b.spec.tensors[output.0 as usize].quantization;
    match (tensor.dtype, exact) {
        (Dtype::Int8, Some(_)) => {
            *quantization = Some(QuantizationSpec::per_tensor(int8.0, int8.1))
        }
        (Dtype::Int16, Some(_)) => {
            *quantization = Some(QuantizationSpec::per_tensor(int16.0, int16.1))
        }
        _ if b.random.below(2) == 0 => *quantization = tensor.quantization,
        _ => {}
    }
    let alpha = b.random.pick(&[0.0, 0.1, 0.3, 1.5, -0.2]);
    let options = match op {
        BuiltinOp::LeakyRelu => LeakyReluOptions { alpha }.into(),
        _ => Options::None,
    };
    b.operator(op, &[from], &[output], options)
}

fn unary(b: &mut Builder, from: TensorId) -> Option<()> {
    let (op, exact) = b.random.pick(UNARY);
    one_input(b, from, op, exact)
}

pub(super) fn relu(b: &mut Builder, from: TensorId) -> Option<()> {
    let op = b.random.pick(&[BuiltinOp::Relu, BuiltinOp::Relu6]);
    one_input(b, from, op, None)
}

/// A shape that is broadcast to this one.
fn narrower(b: &mut Builder, shape: &[usize]) -> Vec<usize> {
    let skipped = if b.random.below(3) == 0 {
        b.random.below(shape.len() + 1)
    } else {
        0
    };
    let sizes = shape.iter().skip(skipped);
    sizes
        .map(|size| if b.random.below(3) == 0 { 1 } else { *size })
        .collect()
}

/// A second operand: another value of the same type and shape, or a constant; and whether it comes first.
fn operands(b: &mut Builder, from: TensorId, same_scale: bool) -> [TensorId; 2] {
    let tensor = b.get(from);
    let fits = |b: &Builder, id: &TensorId| {
        let other = b.get(*id);
        (other.dtype, &other.shape) == (tensor.dtype, &tensor.shape)
            && (!same_scale || other.quantization == tensor.quantization)
    };
    let others: Vec<TensorId> = b.values.iter().copied().filter(|id| fits(b, id)).collect();
    let other = if b.flag() {
        b.random.pick(&others)
    } else {
        let shape = narrower(b, &tensor.shape);
        let other = if same_scale {
            b.like(from, &shape)
        } else {
            b.tensor(tensor.dtype, &shape)
        };
        b.filled(other, 3.0)
    };
    if b.random.below(3) == 0 {
        [other, from]
    } else {
        [from, other]
    }
}

pub(super) fn add(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let inputs = operands(b, from, false);
    let output = b.tensor(tensor.dtype, &tensor.shape);
    let options = AddOptions {
        fused_activation_function: b.activation(),
        ..AddOptions::default()
    };
    b.operator(BuiltinOp::Add, &inputs, &[output], options)
}

fn binary(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let fused_activation_function = b.activation();
    let (op, options) = match b.random.below(6) {
        0 => (
            BuiltinOp::Sub,
            SubOptions {
                fused_activation_function,
                ..SubOptions::default()
            }
            .into(),
        ),
        1 => (
            BuiltinOp::Mul,
            MulOptions {
                fused_activation_function,
            }
            .into(),
        ),
        2 => (
            BuiltinOp::Div,
            DivOptions {
                fused_activation_function,
            }
            .into(),
        ),
        3 => (BuiltinOp::FloorDiv, Options::None),
        4 => (BuiltinOp::FloorMod, Options::None),
        _ => (BuiltinOp::SquaredDifference, Options::None),
    };
    let inputs = operands(b, from, false);
    let output = b.tensor(tensor.dtype, &tensor.shape);
    b.operator(op, &inputs, &[output], options)
}

fn of_one_scale(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let op = b.random.pick(&[BuiltinOp::Maximum, BuiltinOp::Minimum]);
    let inputs = operands(b, from, true);
    let output = b.like(from, &shape);
    b.operator(op, &inputs, &[output], Options::None)
}

fn prelu(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let dtype = if tensor.dtype == Dtype::Float32 {
        Dtype::Float32
    } else {
        Dtype::Int8
    };
    let shape = narrower(b, &tensor.shape);
    let alpha = b.tensor(dtype, &shape);
    let alpha = b.filled(alpha, 1.0);
    let output = b.tensor(tensor.dtype, &tensor.shape);
    b.operator(BuiltinOp::Prelu, &[from, alpha], &[output], Options::None)
}

fn add_n(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let mut inputs = vec![from];
    for _ in 0..=b.random.below(3) {
        let [one, other] = operands(b, from, true);
        inputs.push(if one == from { other } else { one });
    }
    let output = b.tensor(tensor.dtype, &tensor.shape);
    b.operator(BuiltinOp::AddN, &inputs, &[output], Options::None)
}

fn compare(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let op = b.random.pick(&[
        BuiltinOp::Equal,
        BuiltinOp::NotEqual,
        BuiltinOp::Greater,
        BuiltinOp::GreaterEqual,
        BuiltinOp::Less,
        BuiltinOp::LessEqual,
    ]);
    let inputs = operands(b, from, false);
    let output = b.tensor(Dtype::Bool, &shape);
    b.operator(op, &inputs, &[output], Options::None)
}

fn logical(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    if tensor.dtype != Dtype::Bool {
        return None;
    }
    let output = b.tensor(Dtype::Bool, &tensor.shape);
    if b.flag() {
        return b.operator(BuiltinOp::LogicalNot, &[from], &[output], Options::None);
    }
    let op = b
        .random
        .pick(&[BuiltinOp::LogicalAnd, BuiltinOp::LogicalOr]);
    let inputs = operands(b, from, false);
    b.operator(op, &inputs, &[output], Options::None)
}

fn select(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let others: Vec<TensorId> = b
        .values
        .iter()
        .copied()
        .filter(|id| b.get(*id).dtype == Dtype::Bool)
        .collect();
    let condition = if others.is_empty() || b.flag() {
        let shape = narrower(b, &shape);
        let condition = b.tensor(Dtype::Bool, &shape);
        b.filled(condition, 1.0)
    } else {
        b.random.pick(&others)
    };
    let [one, other] = operands(b, from, true);
    let output = b.like(from, &shape);
    b.operator(
        BuiltinOp::SelectV2,
        &[condition, one, other],
        &[output],
        Options::None,
    )
}

fn cast(b: &mut Builder, from: TensorId) -> Option<()> {
    let shape = b.get(from).shape;
    let to = b.random.pick(&[
        Dtype::Int8,
        Dtype::Int16,
        Dtype::Int32,
        Dtype::Uint32,
        Dtype::Float32,
    ]);
    let output = b.tensor(to, &shape);
    b.operator(BuiltinOp::Cast, &[from], &[output], Options::None)
}

/// QUANTIZE or DEQUANTIZE; float16 comes from a constant.
fn convert(b: &mut Builder, from: TensorId) -> Option<()> {
    let tensor = b.get(from);
    let to = b.random.pick(&[Dtype::Int8, Dtype::Int16, Dtype::Float32]);
    let op = if to == Dtype::Float32 {
        BuiltinOp::Dequantize
    } else {
        BuiltinOp::Quantize
    };
    let output = b.tensor(to, &tensor.shape);
    if tensor.dtype == Dtype::Float32 && to == Dtype::Float32 {
        let half = b
            .spec
            .push_tensor(TensorSpec::new("", Dtype::Float16, tensor.shape));
        let half = b.filled(half, 1.0);
        return b.operator(op, &[half], &[output], Options::None);
    }
    b.operator(op, &[from], &[output], Options::None)
}
