//! LayerNormalization and InstanceNormalization: mean and variance are of what is normalized.

use std::rc::Rc;

use ember_core::Activation;
use ember_graph::{Binary, Reduction, Unary, ValueId};

use super::formula::Formula;
use super::shape::places;
use crate::OnnxError;
use crate::constant::Constant;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn layer<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis", "epsilon", "stash_type"])?;
    if node.outputs().skip(1).any(|output| !output.is_empty()) {
        return Err(node.fail("supported is one result; the others are of training"));
    }
    let input = l.tensor(node, 0)?;
    let input = l.in_file_order(node.output()?, &input)?;
    let rank = input.shape.len();
    let first = places(node, &[node.int("axis")?.unwrap_or(-1)], rank)?[0];
    let here = l.shape_here(input.id);
    let axes: Vec<usize> = (first..rank)
        .filter_map(|axis| input.layout.axis(rank, axis))
        .filter(|axis| *axis > 0)
        .collect();
    let mut shape = vec![1; here.len()];
    for axis in &axes {
        shape[*axis] = here[*axis];
    }
    let factors = [given(l, node, 1, "scale")?, given(l, node, 2, "bias")?];
    let id = normalized(l, node, input.id, &axes, factors, &shape)?;
    l.finished(node.output()?, id, (input.shape, input.layout));
    Ok(())
}

pub(super) fn instance<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["epsilon"])?;
    let (input, [channels, _, _]) = l.image(node, 0)?;
    let factors = [given(l, node, 1, "scale")?, given(l, node, 2, "bias")?];
    let id = normalized(l, node, input.id, &[1, 2], factors, &[1, 1, 1, channels])?;
    l.finished(node.output()?, id, (input.shape, Layout::Image));
    Ok(())
}

fn given<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
    index: usize,
    what: &str,
) -> Result<Option<Rc<Constant>>, OnnxError> {
    l.constant(node, index, what)
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias` with mean and variance over `axes`.
fn normalized<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    x: ValueId,
    axes: &[usize],
    [scale, bias]: [Option<Rc<Constant>>; 2],
    shape: &[usize],
) -> Result<ValueId, OnnxError> {
    let epsilon = node.float("epsilon")?.unwrap_or(1e-5);
    let mut f = Formula::new(l, node)?;
    let parameter = |f: &mut Formula<'_, 'm>, given: Option<Rc<Constant>>, what: &str| {
        let Some(given) = given else {
            return Ok(None);
        };
        match given.reals() {
            Some(numbers) if numbers.len() == shape.iter().product::<usize>() => {
                Ok(Some(f.constant(what, shape.to_vec(), numbers)?))
            }
            _ => Err(f.node.fail(format!(
                "its {what} {:?} is not of the shape that is normalized",
                given.shape
            ))),
        }
    };
    let scale = parameter(&mut f, scale, "scale")?;
    let bias = parameter(&mut f, bias, "bias")?;
    let mean = f.reduce(Reduction::Mean, axes, x)?;
    let centered = f.two(Binary::Sub, x, mean)?;
    let squares = f.one(Unary::Square, centered)?;
    let variance = f.reduce(Reduction::Mean, axes, squares)?;
    let variance = f.shifted(epsilon, variance)?;
    let factor = f.one(Unary::Rsqrt, variance)?;
    let mut id = f.two(Binary::Mul, centered, factor)?;
    if let Some(scale) = scale {
        id = f.two(Binary::Mul, id, scale)?;
    }
    if let Some(bias) = bias {
        id = f.add(id, bias, Activation::None)?;
    }
    Ok(id)
}
