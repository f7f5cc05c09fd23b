//! Transpose of constants, and where it only changes the layout of an image: nothing moves here then.

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
        return Err(node.fail(format!(
            "orders the dimensions of {:?} as {order:?}; supported is to make NHWC of NCHW ([0, 2, 3, 1]) and back ([0, 3, 1, 2])",
            input.shape
        )));
    };
    let tensor = Tensor {
        shape,
        layout,
        ..input
    };
    l.define(output, tensor);
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
