//! Transpose. Where it only changes the layout of an image or moves dimensions of 1, nothing moves here.

use crate::OnnxError;
use crate::layout::{Layout, TO_NCHW, TO_NHWC};
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["perm"])?;
    let output = node.output()?;
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        let order = order(node, constant.shape.len())?;
        l.define_constant(output, constant.permuted(&order));
        return Ok(());
    }
    let input = l.any_tensor(node, 0)?;
    let order = order(node, input.shape.len())?;
    let shape: Vec<usize> = order.iter().map(|from| input.shape[*from]).collect();
    let layout = if order.is_sorted() {
        input.layout
    } else if input.layout == Layout::Image && order == TO_NHWC {
        Layout::Plain
    } else if input.layout == Layout::Plain && order == TO_NCHW {
        Layout::Image
    } else {
        return moved(l, node, &input, &order, shape);
    };
    let tensor = Tensor {
        shape,
        layout,
        ..input
    };
    l.define(output, tensor);
    Ok(())
}

/// The result in the order of the file, with its numbers moved where the order of those that are not 1 changes.
fn moved<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    input: &Tensor,
    order: &[usize],
    shape: Vec<usize>,
) -> Result<(), OnnxError> {
    let output = node.output()?;
    let plain = l.in_file_order(output, input)?;
    let layout = Layout::of_file(&shape);
    let more = order.iter().filter(|from| input.shape[**from] != 1);
    let id = if more.is_sorted() {
        plain.id
    } else {
        // A batch in front stays there, whatever the file does with its own first dimension.
        match (plain.layout, order[0]) {
            (Layout::Plain, 0) => l.transposed(output, plain.id, order)?,
            _ => {
                let lead = l.reshaped(output, plain.id, &Layout::Lead.shape(&plain.shape))?;
                let behind: Vec<usize> = order.iter().map(|from| from + 1).collect();
                l.transposed(output, lead, &[&[0], &behind[..]].concat())?
            }
        }
    };
    let id = l.reshaped(output, id, &layout.shape(&shape))?;
    l.define(
        output,
        Tensor {
            id,
            shape,
            layout,
            integers: input.integers,
        },
    );
    Ok(())
}

/// The order of the dimensions; without one they are turned around.
fn order(node: &OnnxNode<'_>, rank: usize) -> Result<Vec<usize>, OnnxError> {
    let Some(given) = node.ints("perm")? else {
        return Ok((0..rank).rev().collect());
    };
    let order: Vec<usize> = given
        .iter()
        .filter_map(|from| usize::try_from(*from).ok())
        .collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if given.len() == rank && sorted.into_iter().eq(0..rank) {
        Ok(order)
    } else {
        Err(node.fail(format!("perm is {given:?} for {rank} dimensions")))
    }
}
