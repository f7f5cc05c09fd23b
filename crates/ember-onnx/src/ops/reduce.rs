//! ReduceMean, ReduceSum, ReduceMax and ReduceMin. The mean over height and width of an image is how exporters write a global
//! average.

use ember_graph::{Reduction, Weightless};

use super::formula::Formula;
use super::pool::whole_image;
use super::shape::{axes, places};
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn mean<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Reduction::Mean)
}

pub(super) fn sum<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Reduction::Sum)
}

pub(super) fn max<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Reduction::Max)
}

pub(super) fn min<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    lower(l, node, Reduction::Min)
}

fn lower<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    function: Reduction,
) -> Result<(), OnnxError> {
    node.only(&["axes", "keepdims", "noop_with_empty_axes"])?;
    let mut input = l.tensor(node, 0)?;
    let rank = input.shape.len();
    // An attribute before version 18 (13 of a sum), an operand since.
    let given = axes(l, node)?.filter(|axes| !axes.is_empty());
    let mut gone = match given {
        Some(axes) => places(node, &axes, rank)?,
        None if node.flag("noop_with_empty_axes", false)? => {
            l.define(node.output()?, input);
            return Ok(());
        }
        None => (0..rank).collect(),
    };
    gone.sort_unstable();
    gone.dedup();
    let output = node.output()?;
    let mut shape = input.shape.clone();
    for axis in &gone {
        shape[*axis] = 1;
    }
    let whole = match (function, input.layout, &input.shape[..]) {
        (Reduction::Mean, Layout::Image, [_, _, height, width]) if gone == [2, 3] => {
            Some([*height, *width])
        }
        _ => None,
    };
    // What is left in a row, and what has no dimension of its own here, is in the order of the file.
    let in_order = |shape: &[usize]| shape.iter().filter(|extent| **extent != 1).count() < 2;
    if matches!(input.layout, Layout::Row { .. }) {
        input = l.in_file_order(output, &input)?;
    }
    let mut f = Formula::new(l, node)?;
    let mut id = match whole {
        Some(image) => f.op(whole_image(image), &[input.id])?,
        None => {
            let here = gone
                .iter()
                .filter_map(|axis| input.layout.axis(rank, *axis));
            // The batch is 1 and stays.
            let mut here: Vec<usize> = here.filter(|axis| *axis > 0).collect();
            here.sort_unstable();
            match here.is_empty() {
                true => input.id,
                false => f.weightless(
                    Weightless::Reduce {
                        function,
                        axes: here,
                    },
                    &[input.id],
                )?,
            }
        }
    };
    let mut layout = input.layout;
    if !node.flag("keepdims", true)? {
        if !in_order(&shape) && layout == Layout::Image {
            let reduced = crate::lower::Tensor {
                id,
                shape: shape.clone(),
                layout,
                integers: None,
            };
            id = l.in_file_order(output, &reduced)?.id;
        }
        shape = shape
            .into_iter()
            .enumerate()
            .filter(|(axis, _)| !gone.contains(axis))
            .map(|(_, extent)| extent)
            .collect();
        layout = Layout::of_file(&shape);
        id = l.reshaped(output, id, &layout.shape(&shape))?;
    }
    l.finished(output, id, (shape, layout));
    Ok(())
}
