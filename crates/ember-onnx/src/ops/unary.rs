//! Functions of each element.

use ember_core::Activation;
use ember_graph::{Binary, Op, Unary, ValueId, Weightless};

use super::formula::Formula;
use crate::OnnxError;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Those that have one operator here, which takes no attribute there.
const DIRECT: &[(&str, Unary)] = &[
    ("Abs", Unary::Abs),
    ("Ceil", Unary::Ceil),
    ("Cos", Unary::Cos),
    ("Exp", Unary::Exp),
    ("Floor", Unary::Floor),
    ("HardSwish", Unary::HardSwish),
    ("Log", Unary::Log),
    ("Neg", Unary::Neg),
    ("Round", Unary::Round),
    ("Sigmoid", Unary::Logistic),
    ("Sin", Unary::Sin),
    ("Sqrt", Unary::Sqrt),
    ("Tanh", Unary::Tanh),
];

pub(super) fn direct<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let known = DIRECT.iter().find(|(name, _)| *name == node.op());
    let (_, function) = known.ok_or_else(|| node.fail("is no function of each element"))?;
    one(l, node, *function)
}

fn one<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>, function: Unary) -> Result<(), OnnxError> {
    let input = l.tensor(node, 0)?;
    let made = (node.output()?, input.shape.clone(), input.layout);
    let op = Op::Weightless(Weightless::Unary(function));
    let id = l.push(node, made, op, &[input.id])?;
    if matches!(
        function,
        Unary::Abs | Unary::Exp | Unary::Logistic | Unary::Sqrt
    ) {
        l.not_negative.insert(id);
    }
    Ok(())
}

/// The result by several operators: `formula` makes it of the operand.
fn several<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    formula: impl FnOnce(&mut Formula<'_, 'm>, ValueId) -> Result<ValueId, OnnxError>,
) -> Result<(), OnnxError> {
    let input = l.tensor(node, 0)?;
    let id = formula(&mut Formula::new(l, node)?, input.id)?;
    l.finished(node.output()?, id, (input.shape, input.layout));
    Ok(())
}

pub(super) fn leaky_relu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha"])?;
    let slope = node.float("alpha")?.unwrap_or(0.01);
    one(l, node, Unary::LeakyRelu { slope })
}

pub(super) fn elu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha"])?;
    match node.float("alpha")?.unwrap_or(1.0) {
        1.0 => one(l, node, Unary::Elu),
        alpha => several(l, node, |f, x| of_elu(f, x, [1.0, alpha, 1.0])),
    }
}

pub(super) fn selu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha", "gamma"])?;
    // ONNX's own numbers.
    let alpha = node.float("alpha")?.unwrap_or(1.673_263_2);
    let gamma = node.float("gamma")?.unwrap_or(1.050_701);
    several(l, node, |f, x| of_elu(f, x, [1.0, alpha * gamma, gamma]))
}

pub(super) fn celu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha"])?;
    let alpha = node.float("alpha")?.unwrap_or(1.0);
    several(l, node, |f, x| of_elu(f, x, [1.0 / alpha, alpha, 1.0]))
}

/// `above * max(x, 0) + below * (exp(inside * min(x, 0)) - 1)`.
fn of_elu(
    f: &mut Formula<'_, '_>,
    x: ValueId,
    [inside, below, above]: [f32; 3],
) -> Result<ValueId, OnnxError> {
    let zero = f.number(0.0, x)?;
    let negative = f.two(Binary::Minimum, x, zero)?;
    let negative = f.scaled(inside, negative)?;
    let negative = f.one(Unary::Elu, negative)?;
    let negative = f.scaled(below, negative)?;
    let positive = f.op(Op::Relu, &[x])?;
    let positive = f.scaled(above, positive)?;
    f.add(positive, negative, Activation::None)
}

pub(super) fn hard_sigmoid<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha", "beta"])?;
    let alpha = node.float("alpha")?.unwrap_or(0.2);
    let beta = node.float("beta")?.unwrap_or(0.5);
    // Relu6 is what clamps on integers.
    several(l, node, |f, x| {
        let slope = f.scaled(6.0 * alpha, x)?;
        let summand = f.number(6.0 * beta, x)?;
        let clamped = f.add(slope, summand, Activation::Relu6)?;
        f.scaled(1.0 / 6.0, clamped)
    })
}

pub(super) fn reciprocal<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    several(l, node, |f, x| {
        let one = f.number(1.0, x)?;
        f.two(Binary::Div, one, x)
    })
}

/// `ln(1 + exp(x))` as `max(x, 0) + ln(1 + exp(-|x|))`, which no exponential leaves the range of floats in.
fn of_softplus(f: &mut Formula<'_, '_>, x: ValueId) -> Result<ValueId, OnnxError> {
    let magnitude = f.one(Unary::Abs, x)?;
    let negative = f.one(Unary::Neg, magnitude)?;
    let power = f.one(Unary::Exp, negative)?;
    let sum = f.shifted(1.0, power)?;
    let rest = f.one(Unary::Log, sum)?;
    let positive = f.op(Op::Relu, &[x])?;
    f.add(positive, rest, Activation::None)
}

pub(super) fn softplus<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    several(l, node, of_softplus)
}

pub(super) fn mish<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    several(l, node, |f, x| {
        let soft = of_softplus(f, x)?;
        let factor = f.one(Unary::Tanh, soft)?;
        f.two(Binary::Mul, x, factor)
    })
}

pub(super) fn softsign<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    several(l, node, |f, x| {
        let magnitude = f.one(Unary::Abs, x)?;
        let divisor = f.shifted(1.0, magnitude)?;
        f.two(Binary::Div, x, divisor)
    })
}

pub(super) fn swish<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha"])?;
    let alpha = node.float("alpha")?.unwrap_or(1.0);
    several(l, node, |f, x| {
        let inside = if alpha == 1.0 { x } else { f.scaled(alpha, x)? };
        let gate = f.one(Unary::Logistic, inside)?;
        f.two(Binary::Mul, x, gate)
    })
}

pub(super) fn gelu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["approximate"])?;
    if node.string("approximate")?.unwrap_or("none") != "tanh" {
        return Err(node.fail(
            "needs the error function, which there is no operator for; supported is approximate \"tanh\"",
        ));
    }
    several(l, node, |f, x| {
        let square = f.one(Unary::Square, x)?;
        let factor = f.scaled(0.044_715, square)?;
        let factor = f.shifted(1.0, factor)?;
        let inside = f.two(Binary::Mul, x, factor)?;
        let inside = f.scaled((2.0 / std::f32::consts::PI).sqrt(), inside)?;
        let tanh = f.one(Unary::Tanh, inside)?;
        let gate = f.shifted(1.0, tanh)?;
        let gate = f.scaled(0.5, gate)?;
        f.two(Binary::Mul, x, gate)
    })
}

/// A clamp between any bounds, where it is no relu.
pub(super) fn clamped<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    bounds: [Option<f32>; 2],
) -> Result<(), OnnxError> {
    several(l, node, |f, x| {
        let mut clamped = x;
        for (bound, function) in bounds.into_iter().zip([Binary::Maximum, Binary::Minimum]) {
            if let Some(bound) = bound {
                let bound = f.number(bound, x)?;
                clamped = f.two(function, clamped, bound)?;
            }
        }
        Ok(clamped)
    })
}
