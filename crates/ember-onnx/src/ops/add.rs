//! Add of two values, or of a value and a constant.

use ember_graph::Op;

use super::binary::{Function, of_two};
use crate::OnnxError;
use crate::constant::{Constant, Integers, Numbers};
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let constants = [l.is_constant(node, 0)?, l.is_constant(node, 1)?];
    let (left, right) = match constants {
        [false, false] => {
            let (left, right) = (l.tensor(node, 0)?, l.tensor(node, 1)?);
            if left.shape != right.shape || left.layout != right.layout {
                return of_two(l, node, Function::Add);
            }
            (left, right.id)
        }
        [true, true] => return of_two(l, node, Function::Add),
        [constant, _] => {
            let (value, index) = if constant { (1, 0) } else { (0, 1) };
            let value = l.tensor(node, value)?;
            let added = l.required(node, index, "constant")?;
            if positions(&added.shape, &value.shape).is_none() {
                return of_two(l, node, Function::Add);
            }
            let spread = spread(node, &added, &value)?;
            let name = format!("{}.constant", node.output()?);
            let id = l.parameter(node, &name, &spread)?;
            (value, id)
        }
    };
    let (activation, output) = l.absorbed_activation(node.output()?);
    let made = (output, left.shape.clone(), left.layout);
    l.push(node, made, Op::Add { activation }, &[left.id, right])?;
    Ok(())
}

/// A constant, broadcast to the shape of `value` and in its order.
fn spread(node: &OnnxNode<'_>, added: &Constant, value: &Tensor) -> Result<Constant, OnnxError> {
    let places = positions(&added.shape, &value.shape).ok_or_else(|| {
        node.fail(format!(
            "cannot broadcast the constant {:?} to {:?}",
            added.shape, value.shape
        ))
    })?;
    let places = value.layout.ordered(&value.shape, &places);
    let numbers = match &added.numbers {
        Numbers::Real(numbers) => Numbers::Real(places.iter().map(|p| numbers[*p]).collect()),
        Numbers::Dequantized(quantized) if quantized.scales.len() == 1 => {
            Numbers::Dequantized(Integers {
                integers: places.iter().map(|p| quantized.integers[*p]).collect(),
                ..quantized.clone()
            })
        }
        Numbers::Dequantized(_) => {
            return Err(node.fail("its constant has several scales, and must have one"));
        }
        Numbers::Integer(..) => return Err(node.fail("its constant is integers")),
    };
    Ok(Constant {
        shape: value.layout.shape(&value.shape),
        numbers,
    })
}

/// Where each number of a tensor of the shape `to` comes from in one of the shape `from`, which is broadcast to it.
pub(super) fn positions(from: &[usize], to: &[usize]) -> Option<Vec<usize>> {
    let missing = to.len().checked_sub(from.len())?;
    let mut positions = vec![0];
    for (dimension, extent) in to.iter().enumerate() {
        let own = match dimension.checked_sub(missing) {
            None => 1,
            Some(dimension) => from[dimension],
        };
        if own != 1 && own != *extent {
            return None;
        }
        let steps = positions.iter().flat_map(|at| {
            (0..*extent).map(move |index| at * own + if own == 1 { 0 } else { index })
        });
        positions = steps.collect();
    }
    Some(positions)
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn constants_are_broadcast_as_numpy_does() {
        assert_eq!(positions(&[], &[1, 3]).unwrap(), [0, 0, 0]);
        assert_eq!(positions(&[3], &[1, 3]).unwrap(), [0, 1, 2]);
        assert_eq!(positions(&[2, 1], &[1, 2, 2]).unwrap(), [0, 0, 1, 1]);
        assert_eq!(positions(&[2], &[1, 3]), None);
        assert_eq!(positions(&[1, 1, 3], &[1, 3]), None);
    }
}
