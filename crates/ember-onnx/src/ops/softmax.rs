//! Softmax over features, or over the channels of an image: the last dimension here.

use ember_graph::Op;

use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Since this version of ONNX's operators, the axis alone is normalized; before, everything from it on.
const ONE_AXIS: i64 = 13;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis"])?;
    let input = l.tensor(node, 0)?;
    let rank = input.shape.len() as i64;
    let default = if node.opset < ONE_AXIS { 1 } else { -1 };
    let axis = node.int("axis")?.unwrap_or(default);
    let axis = if axis < 0 { axis + rank } else { axis };
    // The others that are normalized with it have one index.
    let alone = node.opset >= ONE_AXIS
        || usize::try_from(axis).is_ok_and(|axis| {
            let others = input.shape.iter().skip(axis + 1);
            others.product::<usize>() == 1
        });
    let last = match input.layout {
        Layout::Image => 1,
        Layout::Plain | Layout::Row { .. } => rank - 1,
    };
    if axis != last || !alone || rank < 2 {
        return Err(node.fail(format!(
            "goes along dimension {axis} of {:?}; supported are the features of a row and the channels of an image",
            input.shape
        )));
    }
    let made = (node.output()?, input.shape.clone(), input.layout);
    l.push(node, made, Op::Softmax { beta: 1.0 }, &[input.id])?;
    Ok(())
}
