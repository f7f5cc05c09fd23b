//! Relu, and Clip where it is relu or relu6.

use ember_core::Activation;
use ember_graph::Op;

use crate::OnnxError;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let op = match activation(l, node)? {
        Some(Activation::Relu) => Op::Relu,
        Some(Activation::Relu6) => Op::Relu6,
        _ => return Err(node.fail("supported are Clip from 0 to 6, and from 0 up")),
    };
    let input = l.tensor(node, 0)?;
    let made = (node.output()?, input.shape.clone(), input.layout);
    l.push(node, made, op, &[input.id])?;
    Ok(())
}

/// The activation that a node applies; nothing of other operators.
///
/// # Errors
/// When it is a Clip between other numbers.
pub(crate) fn activation<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
) -> Result<Option<Activation>, OnnxError> {
    match node.op() {
        "Relu" => {
            node.only(&[])?;
            Ok(Some(Activation::Relu))
        }
        "Clip" => {
            node.only(&["min", "max"])?;
            let [min, max] = [bound(l, node, 1, "min")?, bound(l, node, 2, "max")?];
            match (min, max) {
                (Some(0.0), Some(6.0)) => Ok(Some(Activation::Relu6)),
                // Exporters write the greatest f32 for no bound.
                (Some(0.0), None | Some(f32::MAX | f32::INFINITY)) => Ok(Some(Activation::Relu)),
                _ => {
                    let shown = |bound: Option<f32>| match bound {
                        Some(bound) => bound.to_string(),
                        None => "no bound".to_owned(),
                    };
                    Err(node.fail(format!(
                        "clips between {} and {}; supported are 0 and 6, and 0 and no bound",
                        shown(min),
                        shown(max)
                    )))
                }
            }
        }
        _ => Ok(None),
    }
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
