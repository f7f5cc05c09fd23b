//! Pad: zeros around an image; along other dimensions, with other numbers and with copies of the borders as concatenations.

use ember_graph::{Op, ValueId};

use super::formula::Formula;
use super::shape::places;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

/// More than this along one side would make a graph of nothing but copies.
const MOST_COPIES: usize = 16;

/// What stands outside of a tensor.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Number(f32),
    Edge,
    Reflect,
}

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["mode", "pads", "value"])?;
    let value = match l.constant(node, 2, "value")? {
        None => node.float("value")?.unwrap_or(0.0),
        Some(value) => match value.reals().as_deref() {
            Some([value]) => *value,
            _ => return Err(node.fail("its value must be one real number")),
        },
    };
    let mode = match node.string("mode")?.unwrap_or("constant") {
        "constant" => Mode::Number(value),
        "edge" => Mode::Edge,
        "reflect" => Mode::Reflect,
        other => {
            return Err(node.fail(format!(
                "pads by {other}; supported are constant, edge and reflect"
            )));
        }
    };
    let output = node.output()?;
    let mut input = l.tensor(node, 0)?;
    if let Layout::Row { .. } = input.layout {
        input = l.in_file_order(output, &input)?;
    }
    let rank = input.shape.len();
    // An attribute before version 11, an operand since.
    let given = match l.constant(node, 1, "list of pads")? {
        None => node.ints("pads")?.map(<[i64]>::to_vec),
        Some(pads) => pads.integers().map(<[i64]>::to_vec),
    };
    let axes = match l.constant(node, 3, "list of axes")? {
        None => (0..rank).collect(),
        Some(axes) => places(node, axes.integers().unwrap_or_default(), rank)?,
    };
    let pads = given.unwrap_or_default();
    let wrong = || {
        node.fail(format!(
            "pads the dimensions {axes:?} of {:?} by {pads:?}; supported is 0 or more of each, and nothing for a batch",
            input.shape
        ))
    };
    if pads.len() != 2 * axes.len() {
        return Err(wrong());
    }
    // Along the dimensions here.
    let mut around = vec![[0_usize; 2]; l.shape_here(input.id).len()];
    let mut shape = input.shape.clone();
    for (index, axis) in axes.iter().enumerate() {
        let extent = |pad: i64| usize::try_from(pad).ok().filter(|pad| *pad <= 1 << 20);
        let (Some(first), Some(last)) = (extent(pads[index]), extent(pads[axes.len() + index]))
        else {
            return Err(wrong());
        };
        let at = input.layout.axis(rank, *axis).ok_or_else(wrong)?;
        around[at] = [first, last];
        shape[*axis] += first + last;
    }
    if around[0] != [0, 0] {
        return Err(wrong());
    }
    let made = (output, shape.clone(), input.layout);
    if let ([[0, 0], rows, columns, [0, 0]], Mode::Number(0.0), Layout::Image) =
        (&around[..], mode, input.layout)
    {
        let op = Op::Pad {
            before: [rows[0], columns[0]],
            after: [rows[1], columns[1]],
        };
        l.push(node, made, op, &[input.id])?;
        return Ok(());
    }
    let mut id = input.id;
    for (axis, [before, after]) in around.into_iter().enumerate() {
        if before + after > 0 {
            id = padded(&mut Formula::new(l, node)?, id, axis, [before, after], mode)?;
        }
    }
    l.finished(output, id, (shape, input.layout));
    Ok(())
}

fn padded(
    f: &mut Formula<'_, '_>,
    x: ValueId,
    axis: usize,
    [before, after]: [usize; 2],
    mode: Mode,
) -> Result<ValueId, OnnxError> {
    let shape = f.l.shape_here(x);
    let extent = shape[axis];
    let copied = |distance: usize, from_end: bool| {
        let inwards = if mode == Mode::Edge { 0 } else { distance };
        let place = if from_end {
            (extent - 1).checked_sub(inwards)
        } else {
            Some(inwards)
        };
        place.filter(|place| *place < extent)
    };
    let mut parts = Vec::new();
    let side = |f: &mut Formula<'_, '_>, count: usize, from_end: bool| {
        let mut own = Vec::new();
        if let Mode::Number(number) = mode {
            if count > 0 {
                let mut shape = shape.clone();
                shape[axis] = count;
                let elements = ember_graph::shape::elements(&shape);
                let elements = elements.ok_or_else(|| f.node.fail("pads too much"))?;
                own.push(f.constant("outside", shape, vec![number; elements])?);
            }
            return Ok(own);
        }
        if count > MOST_COPIES {
            return Err(f.node.fail(format!(
                "copies {count} positions; supported are {MOST_COPIES}"
            )));
        }
        for distance in 1..=count {
            let place = copied(distance, from_end);
            let place = place.ok_or_else(|| f.node.fail("reflects more than there is"))?;
            own.push(f.part(x, axis, place, place + 1)?);
        }
        if !from_end {
            own.reverse();
        }
        Ok(own)
    };
    parts.extend(side(f, before, false)?);
    parts.push(x);
    parts.extend(side(f, after, true)?);
    f.join(axis, &parts)
}
