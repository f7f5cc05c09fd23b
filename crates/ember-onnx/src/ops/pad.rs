//! Pad: zeros around an image.

use ember_graph::Op;

use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["mode", "pads", "value"])?;
    let mode = node.string("mode")?.unwrap_or("constant");
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let value = match l.constant(node, 2, "value")? {
        None => node.float("value")?.unwrap_or(0.0),
        Some(value) => match value.reals().as_deref() {
            Some([value]) => *value,
            _ => return Err(node.fail("its value must be one real number")),
        },
    };
    if mode != "constant" || value != 0.0 {
        return Err(node.fail(format!(
            "pads by {mode} with {value}; supported is constant with 0"
        )));
    }
    // An attribute before version 11, an operand since.
    let given = match l.constant(node, 1, "list of pads")? {
        None => node.ints("pads")?.map(<[i64]>::to_vec),
        Some(pads) => pads.integers().map(<[i64]>::to_vec),
    };
    let axes = match l.constant(node, 3, "list of axes")? {
        None => vec![0, 1, 2, 3],
        Some(axes) => axes.integers().unwrap_or_default().to_vec(),
    };
    let pads = given.unwrap_or_default();
    let (mut before, mut after) = ([0; 4], [0; 4]);
    let wrong = || {
        node.fail(format!(
            "pads the dimensions {axes:?} by {pads:?}; supported are height and width, by 0 or more"
        ))
    };
    if pads.len() != 2 * axes.len() {
        return Err(wrong());
    }
    for (index, axis) in axes.iter().enumerate() {
        let axis = if *axis < 0 { axis + 4 } else { *axis };
        let place = usize::try_from(axis).ok().filter(|axis| *axis < 4);
        let extent = |pad: i64| usize::try_from(pad).ok().filter(|pad| *pad <= 1 << 20);
        let (Some(place), Some(first), Some(last)) =
            (place, extent(pads[index]), extent(pads[axes.len() + index]))
        else {
            return Err(wrong());
        };
        (before[place], after[place]) = (first, last);
    }
    if before[..2] != [0, 0] || after[..2] != [0, 0] {
        return Err(wrong());
    }
    let op = Op::Pad {
        before: [before[2], before[3]],
        after: [after[2], after[3]],
    };
    let shape = vec![
        1,
        channels,
        before[2] + height + after[2],
        before[3] + width + after[3],
    ];
    l.push(
        node,
        (node.output()?, shape, Layout::Image),
        op,
        &[input.id],
    )?;
    Ok(())
}
