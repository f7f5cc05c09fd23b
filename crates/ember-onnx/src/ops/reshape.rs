//! Reshape and Flatten; Identity and Dropout, which change nothing.
//!
//! What an image becomes is a row in the order of NHWC; the layer that reads the row has its columns in that order. For other
//! shapes an image is brought into the order of the file, where that is not the same.

use ember_graph::Op;

use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

pub(super) fn reshape<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["allowzero"])?;
    let shape = l.required(node, 1, "shape")?;
    let Some(wanted) = shape.integers() else {
        return Err(node.fail("its shape must be integers"));
    };
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        let to = resolved(node, &constant.shape, wanted)?;
        let reshaped = constant.reshaped(&to);
        let reshaped = reshaped.ok_or_else(|| node.fail("tears a quantized dimension apart"))?;
        l.define_constant(node.output()?, reshaped);
        return Ok(());
    }
    let input = l.any_tensor(node, 0)?;
    let to = resolved(node, &input.shape, wanted)?;
    to_shape(l, node, input, to)
}

pub(super) fn flatten<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis"])?;
    let input = l.any_tensor(node, 0)?;
    let rank = input.shape.len();
    let axis = node.int("axis")?.unwrap_or(1);
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    let axis = usize::try_from(from_start)
        .ok()
        .filter(|axis| *axis <= rank);
    let Some(axis) = axis else {
        return Err(node.fail(format!("axis is {from_start} for {rank} dimensions")));
    };
    let (rows, columns) = input.shape.split_at(axis);
    let to = vec![rows.iter().product(), columns.iter().product()];
    to_shape(l, node, input, to)
}

pub(super) fn identity<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    same(l, node)
}

pub(super) fn dropout<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["ratio", "seed"])?;
    let training = l.constant(node, 2, "training_mode")?;
    let drops = training.is_some_and(|training| training.integers() != Some(&[0]));
    if drops || node.outputs().skip(1).any(|mask| !mask.is_empty()) {
        return Err(node.fail("supported is one that is done with training and gives no mask"));
    }
    same(l, node)
}

/// The result is the first operand.
fn same<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let output = node.output()?;
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        l.define_constant(output, (*constant).clone());
    } else {
        let tensor = l.any_tensor(node, 0)?;
        l.define(output, tensor);
    }
    Ok(())
}

/// The extents that `wanted` stands for: 0 is the operand's, -1 what is left over.
fn resolved(node: &OnnxNode<'_>, from: &[usize], wanted: &[i64]) -> Result<Vec<usize>, OnnxError> {
    let wrong = || node.fail(format!("cannot reshape {from:?} to {wanted:?}"));
    let copies = !node.flag("allowzero", false)?;
    let mut to = Vec::with_capacity(wanted.len());
    let mut open = None;
    for (index, extent) in wanted.iter().enumerate() {
        let extent = match extent {
            0 if copies => *from.get(index).ok_or_else(wrong)?,
            -1 if open.is_none() => {
                open = Some(index);
                1
            }
            given => usize::try_from(*given).map_err(|_| wrong())?,
        };
        to.push(extent);
    }
    let elements = ember_graph::shape::elements;
    let (Some(before), Some(after)) = (elements(from), elements(&to)) else {
        return Err(wrong());
    };
    if let Some(open) = open {
        to[open] = before / after;
    }
    if elements(&to) != Some(before) {
        return Err(wrong());
    }
    Ok(to)
}

/// `input` with the shape `to` in the file, which has as many elements.
pub(super) fn to_shape<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    input: Tensor,
    to: Vec<usize>,
) -> Result<(), OnnxError> {
    let output = node.output()?;
    if to == input.shape {
        l.define(output, input);
        return Ok(());
    }
    let layout = match (input.layout, &input.shape[..], &to[..]) {
        (Layout::Image, [_, channels, height, width], [1, _]) => {
            Some(Layout::of_row([*channels, *height, *width]))
        }
        (Layout::Image, [_, channels, width], [1, _]) => {
            Some(Layout::of_row([*channels, 1, *width]))
        }
        (Layout::Row { image }, _, [1, rest @ ..]) if rest == image => Some(Layout::Image),
        _ => in_order(&input, &to),
    };
    let (input, layout) = match layout {
        Some(layout) => (input, layout),
        None => (l.in_file_order(output, &input)?, Layout::of_file(&to)),
    };
    let here = layout.shape(&to);
    if here == l.shape_here(input.id) {
        let renamed = Tensor {
            shape: to,
            layout,
            ..input
        };
        l.define(output, renamed);
        return Ok(());
    }
    let integers = input.integers;
    let op = Op::Reshape { shape: here };
    let id = l.push(node, (output, to.clone(), layout), op, &[input.id])?;
    l.define(
        output,
        Tensor {
            id,
            shape: to,
            layout,
            integers,
        },
    );
    Ok(())
}

/// The layout of the result where the numbers lie in the order of the file before and after.
fn in_order(input: &Tensor, to: &[usize]) -> Option<Layout> {
    let in_order = |shape: &[usize]| match shape {
        [_, channels, height, width] => *channels == 1 || height * width == 1,
        _ => true,
    };
    let before = match input.layout {
        Layout::Plain | Layout::Lead => true,
        Layout::Image if input.shape.len() == 3 => input.shape[1..].contains(&1),
        Layout::Image => in_order(&input.shape),
        Layout::Row { .. } => false,
    };
    match (before, to.len()) {
        (true, 4) if in_order(to) && to[0] == 1 => Some(Layout::Image),
        (true, _) => Some(Layout::of_file(to)),
        (false, _) => None,
    }
}
