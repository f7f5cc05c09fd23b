//! Functions of two operands, elements broadcast as numpy does: Sub, Mul, Div, Pow, PRelu; of any number of them: Max, Min, Sum.

use std::rc::Rc;

use ember_core::Activation;
use ember_graph::{Binary, Op, Unary, ValueId, Weightless};

use super::add::positions;
use super::formula::Formula;
use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::layout::Layout;
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

/// What is done with two elements.
#[derive(Clone, Copy)]
pub(super) enum Function {
    Add,
    Of(Binary),
}

impl Function {
    const fn op(self) -> Op {
        match self {
            Self::Add => Op::Add {
                activation: Activation::None,
            },
            Self::Of(function) => Op::Weightless(Weightless::Binary(function)),
        }
    }

    fn of_reals(self, x: f32, y: f32) -> Option<f32> {
        match self {
            Self::Add => Some(x + y),
            Self::Of(Binary::Sub) => Some(x - y),
            Self::Of(Binary::Mul) => Some(x * y),
            Self::Of(Binary::Div) => Some(x / y),
            Self::Of(_) => None,
        }
    }

    /// Of shapes: division is towards 0.
    fn of_integers(self, x: i64, y: i64) -> Option<i64> {
        match self {
            Self::Add => x.checked_add(y),
            Self::Of(Binary::Sub) => x.checked_sub(y),
            Self::Of(Binary::Mul) => x.checked_mul(y),
            Self::Of(Binary::Div) => x.checked_div(y),
            Self::Of(_) => None,
        }
    }
}

pub(super) fn sub<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_two(l, node, Function::Of(Binary::Sub))
}

pub(super) fn mul<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_two(l, node, Function::Of(Binary::Mul))
}

pub(super) fn div<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_two(l, node, Function::Of(Binary::Div))
}

pub(super) fn max<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_many(l, node, Function::Of(Binary::Maximum))
}

pub(super) fn min<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_many(l, node, Function::Of(Binary::Minimum))
}

pub(super) fn sum<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_many(l, node, Function::Add)
}

pub(super) fn p_relu<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    of_two(l, node, Function::Of(Binary::Prelu))
}

pub(super) fn pow<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let exponent = l.required(node, 1, "exponent")?;
    let number = match (&exponent.numbers, exponent.reals().as_deref()) {
        (_, Some([number])) => *number,
        (Numbers::Integer(_, numbers), _) if numbers.len() == 1 => numbers[0] as f32,
        _ => return Err(node.fail("its exponent must be one number")),
    };
    let input = l.tensor(node, 0)?;
    let x = input.id;
    let mut f = Formula::new(l, node)?;
    let id = match number {
        1.0 => x,
        2.0 => f.one(Unary::Square, x)?,
        3.0 => {
            let square = f.one(Unary::Square, x)?;
            f.two(Binary::Mul, square, x)?
        }
        0.5 => f.one(Unary::Sqrt, x)?,
        -0.5 => f.one(Unary::Rsqrt, x)?,
        -1.0 => {
            let one = f.number(1.0, x)?;
            f.two(Binary::Div, one, x)?
        }
        other => {
            return Err(node.fail(format!(
                "its exponent is {other}; supported are -1, -0.5, 0.5, 1, 2 and 3"
            )));
        }
    };
    l.finished(node.output()?, id, (input.shape, input.layout));
    Ok(())
}

/// One operand, as it is or as constant.
enum Operand {
    Tensor(Tensor),
    Constant(Rc<Constant>),
}

impl Operand {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Tensor(tensor) => &tensor.shape,
            Self::Constant(constant) => &constant.shape,
        }
    }
}

fn operand<'m>(l: &Lowering<'m>, node: &OnnxNode<'m>, index: usize) -> Result<Operand, OnnxError> {
    Ok(if l.is_constant(node, index)? {
        Operand::Constant(l.required(node, index, "operand")?)
    } else {
        Operand::Tensor(l.tensor(node, index)?)
    })
}

pub(super) fn of_two<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    function: Function,
) -> Result<(), OnnxError> {
    node.only(&[])?;
    let operands = [operand(l, node, 0)?, operand(l, node, 1)?];
    if let [Operand::Constant(left), Operand::Constant(right)] = &operands {
        let folded = folded(node, function, left, right)?;
        l.define_constant(node.output()?, folded);
        return Ok(());
    }
    let (id, shape, layout) = combined(l, node, function, operands)?;
    l.finished(node.output()?, id, (shape, layout));
    Ok(())
}

fn of_many<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    function: Function,
) -> Result<(), OnnxError> {
    node.only(&[])?;
    let mut all = operand(l, node, 0)?;
    for index in 1..node.inputs().count() {
        let next = operand(l, node, index)?;
        let (id, shape, layout) = combined(l, node, function, [all, next])?;
        all = Operand::Tensor(Tensor {
            id,
            shape,
            layout,
            integers: None,
        });
    }
    match all {
        Operand::Tensor(made) => l.define(node.output()?, made),
        Operand::Constant(constant) => l.define_constant(node.output()?, (*constant).clone()),
    }
    Ok(())
}

/// The function of two operands of which one is computed: the value with its shape and layout in the file.
fn combined<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    function: Function,
    operands: [Operand; 2],
) -> Result<(ValueId, Vec<usize>, Layout), OnnxError> {
    let [left, right] = [operands[0].shape(), operands[1].shape()];
    let rank = left.len().max(right.len());
    let filled = |shape: &[usize]| [&vec![1; rank - shape.len()][..], shape].concat();
    let [full_left, full_right] = [filled(left), filled(right)];
    let extents = full_left.iter().zip(&full_right);
    let shape: Option<Vec<usize>> = extents
        .map(|pair| match pair {
            (left, right) if left == right => Some(*left),
            (1, other) | (other, 1) => Some(*other),
            _ => None,
        })
        .collect();
    let shape =
        shape.ok_or_else(|| node.fail(format!("cannot broadcast {left:?} to {right:?}")))?;
    // The layout of a computed operand that has all dimensions; a row's only where both are rows of one image.
    let layouts = operands.iter().filter_map(|operand| match operand {
        Operand::Tensor(tensor) if tensor.shape.len() == rank => Some(tensor.layout),
        _ => None,
    });
    let layouts: Vec<Layout> = layouts.collect();
    let wanted = match layouts[..] {
        [layout @ Layout::Row { .. }, other] if layout == other && left == right => layout,
        _ if layouts.contains(&Layout::Image) => Layout::Image,
        _ => Layout::of_file(&shape),
    };
    let mut ids = [None; 2];
    for ((id, operand), full) in ids.iter_mut().zip(operands).zip([full_left, full_right]) {
        *id = Some(brought(l, node, operand, &full, wanted)?);
    }
    let [Some(left), Some(right)] = ids else {
        return Err(node.fail("has not two operands"));
    };
    let name = node.output()?;
    let id = l.inner(node, name, function.op(), &[left, right])?;
    Ok((id, shape, wanted))
}

/// An operand with as many dimensions as the result and in its layout.
fn brought<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    operand: Operand,
    full: &[usize],
    wanted: Layout,
) -> Result<ValueId, OnnxError> {
    let name = node.output()?;
    match operand {
        Operand::Constant(constant) => {
            let constant = constant.reshaped(full);
            let constant =
                constant.ok_or_else(|| node.fail("tears a quantized dimension apart"))?;
            let ordered = match (wanted, full.len()) {
                (Layout::Image, 4) => constant.permuted(&crate::layout::TO_NHWC),
                (Layout::Image, _) => constant.permuted(&[0, 2, 1]),
                _ => constant,
            };
            let shape = wanted.shape(full);
            let ordered = ordered.reshaped(&shape).unwrap_or(ordered);
            l.parameter(node, &format!("{name}.constant"), &ordered)
        }
        Operand::Tensor(tensor) if tensor.layout == wanted && tensor.shape == full => Ok(tensor.id),
        Operand::Tensor(tensor) => {
            let plain = l.in_file_order(name, &tensor)?;
            if wanted == Layout::Image {
                let id = l.reshaped(name, plain.id, &Layout::of_file(full).shape(full))?;
                let layout = Layout::of_file(full);
                let tensor = Tensor {
                    id,
                    shape: full.to_vec(),
                    layout,
                    integers: None,
                };
                return Ok(l.as_image(name, &tensor)?.id);
            }
            l.reshaped(name, plain.id, &wanted.shape(full))
        }
    }
}

/// The function of two constants.
fn folded(
    node: &OnnxNode<'_>,
    function: Function,
    left: &Constant,
    right: &Constant,
) -> Result<Constant, OnnxError> {
    let rank = left.shape.len().max(right.shape.len());
    let extent = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        axis.checked_sub(missing).map_or(1, |axis| shape[axis])
    };
    let shape: Vec<usize> = (0..rank)
        .map(|axis| extent(&left.shape, axis).max(extent(&right.shape, axis)))
        .collect();
    let misfit = || {
        node.fail(format!(
            "cannot compute with the constants {:?} and {:?}: export the model with constants folded",
            left.shape, right.shape
        ))
    };
    let places = [
        positions(&left.shape, &shape).ok_or_else(misfit)?,
        positions(&right.shape, &shape).ok_or_else(misfit)?,
    ];
    let pairs = || places[0].iter().zip(&places[1]);
    let numbers = match (&left.numbers, &right.numbers) {
        (Numbers::Integer(kind, one), Numbers::Integer(_, two)) => {
            let all: Option<Vec<i64>> = pairs()
                .map(|(x, y)| function.of_integers(one[*x], two[*y]))
                .collect();
            Numbers::Integer(*kind, all.ok_or_else(misfit)?)
        }
        _ => {
            let (Some(one), Some(two)) = (left.reals(), right.reals()) else {
                return Err(misfit());
            };
            let all: Option<Vec<f32>> = pairs()
                .map(|(x, y)| function.of_reals(one[*x], two[*y]))
                .collect();
            Numbers::Real(all.ok_or_else(misfit)?)
        }
    };
    Ok(Constant { shape, numbers })
}
