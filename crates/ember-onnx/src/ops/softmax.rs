//! Softmax and LogSoftmax. The dimension that is normalized is the last one here, or is brought there.

use ember_graph::{Op, Weightless};

use super::formula::Formula;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// Since this version of ONNX's operators, the axis alone is normalized; before, everything from it on.
const ONE_AXIS: i64 = 13;

pub(super) fn softmax<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Op::Softmax { beta: 1.0 })
}

pub(super) fn log_softmax<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Op::Weightless(Weightless::LogSoftmax))
}

fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>, op: Op) -> Result<(), OnnxError> {
    node.only(&["axis"])?;
    let input = l.tensor(node, 0)?;
    let output = node.output()?;
    let rank = input.shape.len();
    let default = if node.opset < ONE_AXIS { 1 } else { -1 };
    let given = node.int("axis")?.unwrap_or(default);
    let axis = super::shape::places(node, &[given], rank)?[0];
    let all_from_on =
        node.opset < ONE_AXIS && input.shape[axis + 1..].iter().any(|other| *other != 1);
    // A row is normalized in whatever order it is.
    let last_here = match input.layout {
        Layout::Image => axis == 1,
        Layout::Row { .. } => axis == 1,
        Layout::Plain | Layout::Lead => axis + 1 == rank,
    };
    if last_here && !all_from_on && l.shape_here(input.id).len() > 1 {
        let made = (output, input.shape.clone(), input.layout);
        l.push(node, made, op, &[input.id])?;
        return Ok(());
    }
    let plain = l.in_file_order(output, &input)?;
    let shape = plain.shape.clone();
    let layout = Layout::of_file(&shape);
    let (outer, inner) = shape.split_at(axis);
    let (extent, inner) = match all_from_on {
        true => (inner.iter().product(), 1),
        false => (inner[0], inner[1..].iter().product::<usize>()),
    };
    let outer = outer.iter().product();
    let mut f = Formula::new(l, node)?;
    let id = f.reshape(plain.id, &[1, outer, extent, inner])?;
    let id = f.l.transposed(output, id, &[0, 1, 3, 2])?;
    let id = f.op(op, &[id])?;
    let id = f.l.transposed(output, id, &[0, 1, 3, 2])?;
    let id = f.reshape(id, &layout.shape(&shape))?;
    l.finished(output, id, (shape, layout));
    Ok(())
}
