//! ReduceMean over the height and width of an image, which is how exporters write a global average.

use ember_graph::Op;

use super::pool::whole_image;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axes", "keepdims", "noop_with_empty_axes"])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    // An attribute before version 18, an operand since.
    let given = match l.constant(node, 1, "list of axes")? {
        None => node.ints("axes")?.map(<[i64]>::to_vec),
        Some(axes) => axes.integers().map(<[i64]>::to_vec),
    };
    let mut axes: Vec<i64> = given.unwrap_or_default();
    for axis in &mut axes {
        *axis = if *axis < 0 {
            axis.saturating_add(4)
        } else {
            *axis
        };
    }
    axes.sort_unstable();
    if axes != [2, 3] {
        return Err(node.fail(format!(
            "goes over the dimensions {axes:?}; supported are height and width, 2 and 3"
        )));
    }
    let output = node.output()?;
    let op = whole_image([height, width]);
    if node.flag("keepdims", true)? {
        let made = (output, vec![1, channels, 1, 1], Layout::Image);
        l.push(node, made, op, &[input.id])?;
    } else {
        let mean = l.inner(node, &format!("{output}.mean"), op, &[input.id])?;
        let shape = vec![1, channels];
        let reshape = Op::Reshape {
            shape: shape.clone(),
        };
        l.push(node, (output, shape, Layout::Plain), reshape, &[mean])?;
    }
    Ok(())
}
