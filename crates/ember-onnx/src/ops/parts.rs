//! Slice, Split, Concat, Gather and Expand of what the model computes.

use ember_core::Activation;
use ember_graph::{Op, Weightless};

use super::formula::Formula;
use super::shape::places;
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

/// The operand with a dimension here for each that it has in the file.
fn unrolled<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    index: usize,
) -> Result<Tensor, OnnxError> {
    let tensor = l.tensor(node, index)?;
    match tensor.layout {
        Layout::Row { .. } => l.in_file_order(node.output()?, &tensor),
        Layout::Plain | Layout::Lead | Layout::Image => Ok(tensor),
    }
}

/// The dimension here of a dimension there; the batch has no parts.
fn here(node: &OnnxNode<'_>, tensor: &Tensor, axis: usize) -> Result<usize, OnnxError> {
    let place = tensor.layout.axis(tensor.shape.len(), axis);
    place.ok_or_else(|| node.fail(format!("has no dimension {axis} of {:?}", tensor.shape)))
}

/// A list of integers: an attribute in old versions, an operand since.
fn list<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
    index: usize,
    name: &str,
) -> Result<Option<Vec<i64>>, OnnxError> {
    match l.constant(node, index, name)? {
        Some(given) => match given.integers() {
            Some(list) => Ok(Some(list.to_vec())),
            None => Err(node.fail(format!("its {name} must be integers"))),
        },
        None => Ok(node.ints(name)?.map(<[i64]>::to_vec)),
    }
}

/// A place counted from the start, at most `extent`.
fn place(given: i64, extent: usize) -> usize {
    let extent = extent as i64;
    let from_start = if given < 0 {
        given.saturating_add(extent)
    } else {
        given
    };
    from_start.clamp(0, extent) as usize
}

pub(super) fn slice<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axes", "ends", "starts"])?;
    if l.is_constant(node, 0)? {
        return super::shape::slice(l, node);
    }
    let starts = list(l, node, 1, "starts")?.unwrap_or_default();
    let ends = list(l, node, 2, "ends")?.unwrap_or_default();
    let input = unrolled(l, node, 0)?;
    let rank = input.shape.len();
    let axes = match list(l, node, 3, "axes")? {
        Some(axes) => places(node, &axes, rank)?,
        None => (0..starts.len()).collect(),
    };
    let steps = match l.constant(node, 4, "list of steps")? {
        Some(steps) => steps.integers().unwrap_or_default().to_vec(),
        None => vec![1; starts.len()],
    };
    let mut end = l.shape_here(input.id);
    let (mut begin, mut step) = (vec![0; end.len()], vec![1; end.len()]);
    let mut shape = input.shape.clone();
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3]
        || axes.iter().any(|axis| *axis >= rank)
    {
        return Err(node.fail("its starts, ends, axes and steps are not equally many"));
    }
    for (index, axis) in axes.into_iter().enumerate() {
        let extent = input.shape[axis];
        let at = here(node, &input, axis)?;
        let (first, last) = (place(starts[index], extent), place(ends[index], extent));
        step[at] = match usize::try_from(steps[index]) {
            Ok(step @ 1..) => step,
            _ => {
                return Err(node.fail(format!(
                    "goes in steps of {}; supported are steps forward",
                    steps[index]
                )));
            }
        };
        if first >= last {
            return Err(node.fail(format!(
                "takes nothing of dimension {axis} of {:?}",
                input.shape
            )));
        }
        (begin[at], end[at]) = (first, last);
        shape[axis] = (last - first).div_ceil(step[at]);
    }
    let id = if shape == input.shape {
        input.id
    } else {
        let op = Weightless::Slice { begin, end, step };
        Formula::new(l, node)?.weightless(op, &[input.id])?
    };
    l.finished(node.output()?, id, (shape, input.layout));
    Ok(())
}

pub(super) fn split<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis", "num_outputs", "split"])?;
    let sizes = list(l, node, 1, "split")?;
    let input = unrolled(l, node, 0)?;
    let axis = places(node, &[node.int("axis")?.unwrap_or(0)], input.shape.len())?[0];
    let at = here(node, &input, axis)?;
    let (extent, count) = (input.shape[axis], node.outputs().count());
    let sizes: Vec<usize> = match sizes {
        Some(sizes) => sizes
            .iter()
            .map(|size| usize::try_from(*size).unwrap_or(0))
            .collect(),
        // The last one is smaller where they cannot be equal.
        None => {
            let each = extent.div_ceil(count.max(1));
            (0..count)
                .map(|part| each.min(extent.saturating_sub(part * each)))
                .collect()
        }
    };
    if sizes.len() != count || sizes.contains(&0) || sizes.iter().sum::<usize>() != extent {
        return Err(node.fail(format!("cannot split {extent} into {sizes:?}")));
    }
    let mut first = 0;
    for (output, size) in node.outputs().zip(sizes) {
        let last = first + size;
        let id = Formula::new(l, node)?.part(input.id, at, first, last)?;
        first = last;
        let mut shape = input.shape.clone();
        shape[axis] = size;
        l.finished(output, id, (shape, input.layout));
    }
    Ok(())
}

pub(super) fn concat<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let count = node.inputs().count();
    let constants = (0..count).map(|index| l.is_constant(node, index));
    if constants
        .collect::<Result<Vec<bool>, _>>()?
        .iter()
        .all(|constant| *constant)
    {
        return super::shape::concat(l, node);
    }
    node.only(&["axis"])?;
    let mut shapes = Vec::new();
    let mut layouts = Vec::new();
    for index in 0..count {
        if l.is_constant(node, index)? {
            shapes.push(l.required(node, index, "operand")?.shape.clone());
        } else {
            let tensor = unrolled(l, node, index)?;
            layouts.push(tensor.layout);
            shapes.push(tensor.shape);
        }
    }
    let rank = shapes[0].len();
    let axis = places(node, &[node.int("axis")?.unwrap_or(0)], rank)?[0];
    let mut shape = shapes[0].clone();
    let fits = |other: &[usize]| {
        other.len() == rank && (0..rank).all(|at| at == axis || other[at] == shapes[0][at])
    };
    if !shapes.iter().all(|other| fits(other)) {
        return Err(node.fail(format!("cannot join {shapes:?} along dimension {axis}")));
    }
    shape[axis] = shapes.iter().map(|shape| shape[axis]).sum();
    let as_images = layouts.contains(&Layout::Image) && axis != 0;
    // Along the batch, they become a list without one.
    let layout = match (as_images, axis) {
        (true, _) => Layout::Image,
        (false, 0) => Layout::Lead,
        (false, _) => Layout::of_file(&shape),
    };
    let mut parts = Vec::new();
    for (index, own) in shapes.iter().enumerate() {
        let name = node.output()?;
        let wanted = layout.shape(own);
        parts.push(if l.is_constant(node, index)? {
            let constant = l.required(node, index, "operand")?;
            let ordered = match (layout, rank) {
                (Layout::Image, 4) => constant.permuted(&crate::layout::TO_NHWC),
                (Layout::Image, _) => constant.permuted(&[0, 2, 1]),
                _ => (*constant).clone(),
            };
            let ordered = ordered.reshaped(&wanted).unwrap_or(ordered);
            l.parameter(node, &format!("{name}.constant"), &ordered)?
        } else {
            let tensor = unrolled(l, node, index)?;
            let tensor = if as_images {
                l.as_image(name, &tensor)?
            } else {
                l.in_file_order(name, &tensor)?
            };
            l.reshaped(name, tensor.id, &wanted)?
        });
    }
    let at = layout.axis(rank, axis).unwrap_or(axis);
    let id = Formula::new(l, node)?.join(at, &parts)?;
    l.finished(node.output()?, id, (shape, layout));
    Ok(())
}

pub(super) fn gather<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    /// More places than this would make a graph of nothing but copies.
    const MOST: usize = 64;
    if l.is_constant(node, 0)? {
        return super::shape::gather(l, node);
    }
    node.only(&["axis"])?;
    let indices = l.required(node, 1, "list of places")?;
    let input = unrolled(l, node, 0)?;
    let axis = places(node, &[node.int("axis")?.unwrap_or(0)], input.shape.len())?[0];
    let at = here(node, &input, axis)?;
    let extent = input.shape[axis];
    let numbers = indices.integers().unwrap_or_default();
    let taken: Option<Vec<usize>> = numbers
        .iter()
        .map(|given| {
            let from_start = if *given < 0 {
                given + extent as i64
            } else {
                *given
            };
            usize::try_from(from_start)
                .ok()
                .filter(|place| *place < extent)
        })
        .collect();
    let taken = match taken {
        Some(taken) if (1..=MOST).contains(&taken.len()) && indices.shape.len() < 2 => taken,
        _ => {
            return Err(node.fail(format!(
                "takes {numbers:?} of {extent}; supported is a list of 1 to {MOST} places, or one"
            )));
        }
    };
    let output = node.output()?;
    let mut f = Formula::new(l, node)?;
    let mut parts = Vec::new();
    for part in taken.chunk_by(|one, next| one + 1 == *next) {
        parts.push(f.part(input.id, at, part[0], part[part.len() - 1] + 1)?);
    }
    let id = f.join(at, &parts)?;
    let mut shape = input.shape.clone();
    shape[axis] = taken.len();
    if indices.shape.is_empty() {
        let tensor = Tensor {
            id,
            shape: shape.clone(),
            layout: input.layout,
            integers: None,
        };
        let plain = l.in_file_order(output, &tensor)?;
        shape.remove(axis);
        let layout = Layout::of_file(&shape);
        let id = l.reshaped(output, plain.id, &layout.shape(&shape))?;
        l.finished(output, id, (shape, layout));
    } else {
        l.finished(output, id, (shape, input.layout));
    }
    Ok(())
}

pub(super) fn expand<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let wanted = l.required(node, 1, "shape")?;
    let wanted = wanted.integers().unwrap_or_default();
    let wanted: Vec<usize> = wanted
        .iter()
        .map(|extent| usize::try_from(*extent).unwrap_or(0))
        .collect();
    let input = l.tensor(node, 0)?;
    let plain = l.in_file_order(node.output()?, &input)?;
    let rank = wanted.len().max(input.shape.len());
    let filled = |shape: &[usize]| [&vec![1; rank - shape.len()][..], shape].concat();
    let (from, to) = (filled(&input.shape), filled(&wanted));
    let shape: Vec<usize> = from
        .iter()
        .zip(&to)
        .map(|(from, to)| *from.max(to))
        .collect();
    let elements = ember_graph::shape::elements(&shape);
    let (Some(elements), true) = (
        elements,
        from.iter()
            .zip(&shape)
            .all(|(from, to)| *from == 1 || from == to),
    ) else {
        return Err(node.fail(format!("cannot make {wanted:?} of {:?}", input.shape)));
    };
    let layout = Layout::of_file(&shape);
    let mut id = l.reshaped(node.output()?, plain.id, &layout.shape(&from))?;
    if from != shape {
        let mut f = Formula::new(l, node)?;
        let zeros = f.constant("zeros", layout.shape(&shape), vec![0.0; elements])?;
        let op = Op::Add {
            activation: Activation::None,
        };
        id = f.op(op, &[id, zeros])?;
    }
    l.finished(node.output()?, id, (shape, layout));
    Ok(())
}
