//! Relu, and Clip, which is relu or relu6 where its bounds are theirs.

use ember_core::Activation;
use ember_graph::Op;

use super::unary::clamped;
use crate::OnnxError;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let op = match activation(l, node)? {
        Some(Activation::Relu) => Op::Relu,
        Some(Activation::Relu6) => Op::Relu6,
        _ => {
            let bounds = bounds(l, node)?;
            return clamped(l, node, bounds);
        }
    };
    let input = l.tensor(node, 0)?;
    let made = (node.output()?, input.shape.clone(), input.layout);
    l.push(node, made, op, &[input.id])?;
    Ok(())
}

/// The activation that a node applies; nothing of other operators and of a Clip between other numbers.
///
/// # Errors
/// When an attribute or a bound is not understood.
pub(crate) fn activation<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
) -> Result<Option<Activation>, OnnxError> {
    match node.op() {
        "Relu" => {
            node.only(&[])?;
            Ok(Some(Activation::Relu))
        }
        "Clip" => Ok(match bounds(l, node)? {
            [Some(0.0), Some(6.0)] => Some(Activation::Relu6),
            [Some(0.0), None] => Some(Activation::Relu),
            _ => None,
        }),
        _ => Ok(None),
    }
}

/// The bounds of a Clip. Exporters write the least and greatest f32 for none.
fn bounds<'m>(l: &Lowering<'m>, node: &OnnxNode<'m>) -> Result<[Option<f32>; 2], OnnxError> {
    node.only(&["min", "max"])?;
    let [min, max] = [bound(l, node, 1, "min")?, bound(l, node, 2, "max")?];
    Ok([
        min.filter(|min| *min > f32::MIN),
        max.filter(|max| *max < f32::MAX),
    ])
}

/// A bound: an attribute before version 11, an operand since.
fn bound<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
    index: usize,
    name: &str,
) -> Result<Option<f32>, OnnxError> {
    if let Some(bound) = node.float(name)? {
        return Ok(Some(bound));
    }
    let Some(bound) = l.constant(node, index, name)? else {
        return Ok(None);
    };
    match bound.reals().as_deref() {
        Some([bound]) => Ok(Some(*bound)),
        _ => Err(node.fail(format!("its {name} must be one real number"))),
    }
}
