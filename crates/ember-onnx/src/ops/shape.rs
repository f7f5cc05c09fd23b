//! Shape, and what exporters compute with shapes: Gather, Concat, Squeeze, Unsqueeze and Cast. All shapes are known here, so
//! all of it is done at the import. Squeeze and Unsqueeze are reshapes of what the model computes, too.

use std::rc::Rc;

use super::reshape::to_shape;
use crate::OnnxError;
use crate::constant::{Constant, Integer, Numbers};
use crate::lower::Lowering;
use crate::node::OnnxNode;
use crate::tensor::{FLOAT, INT32, INT64, type_name};

fn integers(shape: Vec<usize>, numbers: Vec<i64>) -> Constant {
    Constant {
        shape,
        numbers: Numbers::Integer(Integer::Int64, numbers),
    }
}

/// The shape of the first operand, which is a constant or is not.
fn shape_of<'m>(l: &Lowering<'m>, node: &OnnxNode<'m>) -> Result<Vec<usize>, OnnxError> {
    if l.is_constant(node, 0)? {
        Ok(l.required(node, 0, "operand")?.shape.clone())
    } else {
        Ok(l.any_tensor(node, 0)?.shape)
    }
}

pub(super) fn shape<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["end", "start"])?;
    let shape = shape_of(l, node)?;
    let rank = shape.len() as i64;
    // Counted from the end where negative, and kept inside.
    let place = |given: i64| {
        let from_start = if given < 0 {
            given.saturating_add(rank)
        } else {
            given
        };
        from_start.clamp(0, rank) as usize
    };
    let start = place(node.int("start")?.unwrap_or(0));
    let end = place(node.int("end")?.unwrap_or(rank));
    let part = shape.get(start..end).unwrap_or_default();
    let numbers: Vec<i64> = part.iter().map(|extent| *extent as i64).collect();
    l.define_constant(node.output()?, integers(vec![numbers.len()], numbers));
    Ok(())
}

pub(super) fn gather<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis"])?;
    let from = l.required(node, 0, "list")?;
    let places = l.required(node, 1, "list of places")?;
    let axis = node.int("axis")?.unwrap_or(0);
    let (Some(numbers), Some(given), 1, 0 | -1) =
        (from.integers(), places.integers(), from.shape.len(), axis)
    else {
        return Err(node.fail("supported is to take numbers out of a list of integers"));
    };
    let taken = given.iter().map(|place| {
        let count = numbers.len() as i64;
        let from_start = if *place < 0 {
            place.saturating_add(count)
        } else {
            *place
        };
        let number = usize::try_from(from_start)
            .ok()
            .and_then(|place| numbers.get(place));
        number
            .copied()
            .ok_or_else(|| node.fail(format!("takes number {place} of a list of {count}")))
    });
    let taken = taken.collect::<Result<Vec<i64>, _>>()?;
    l.define_constant(node.output()?, integers(places.shape.clone(), taken));
    Ok(())
}

pub(super) fn concat<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis"])?;
    let mut all = Vec::new();
    for index in 0..node.inputs().count() {
        let list = l.required(node, index, "list")?;
        match (list.integers(), list.shape.len()) {
            (Some(numbers), 1) => all.extend_from_slice(numbers),
            _ => return Err(node.fail("supported is to join lists of integers")),
        }
    }
    l.define_constant(node.output()?, integers(vec![all.len()], all));
    Ok(())
}

/// Part of a list of integers.
pub(super) fn slice<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let from = l.required(node, 0, "list")?;
    let one = |index: usize, name: &str| -> Result<Option<i64>, OnnxError> {
        let given = match l.constant(node, index, name)? {
            Some(given) => given.integers().map(<[i64]>::to_vec),
            None => node.ints(name)?.map(<[i64]>::to_vec),
        };
        Ok(given.and_then(|given| given.first().copied()))
    };
    let (start, end) = (
        one(1, "starts")?.unwrap_or(0),
        one(2, "ends")?.unwrap_or(i64::MAX),
    );
    let step = match l.constant(node, 4, "steps")? {
        Some(steps) => steps.integers().and_then(|steps| steps.first().copied()),
        None => Some(1),
    };
    let (Some(numbers), 1, Some(1)) = (from.integers(), from.shape.len(), step) else {
        return Err(node.fail("of constants, supported is a part of a list of integers"));
    };
    let count = numbers.len() as i64;
    let place = |given: i64| {
        let from_start = if given < 0 {
            given.saturating_add(count)
        } else {
            given
        };
        from_start.clamp(0, count) as usize
    };
    let part = numbers.get(place(start)..place(end)).unwrap_or_default();
    l.define_constant(node.output()?, integers(vec![part.len()], part.to_vec()));
    Ok(())
}

pub(super) fn cast<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["saturate", "to"])?;
    let to = node.int("to")?.unwrap_or(0);
    let to = i32::try_from(to).unwrap_or(0);
    let output = node.output()?;
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        let numbers = match (&constant.numbers, to) {
            (Numbers::Real(_), FLOAT) => constant.numbers.clone(),
            (Numbers::Integer(_, numbers), INT64) => {
                Numbers::Integer(Integer::Int64, numbers.clone())
            }
            (Numbers::Integer(Integer::Int32, numbers), INT32) => {
                Numbers::Integer(Integer::Int32, numbers.clone())
            }
            (Numbers::Integer(_, numbers), FLOAT) => {
                Numbers::Real(numbers.iter().map(|number| *number as f32).collect())
            }
            _ => return Err(node.fail(format!("cannot make {} of a constant", type_name(to)))),
        };
        let shape = constant.shape.clone();
        l.define_constant(output, Constant { shape, numbers });
        return Ok(());
    }
    let tensor = l.tensor(node, 0)?;
    if to != FLOAT {
        return Err(node.fail(format!(
            "makes {} of what the model computes; supported is FLOAT",
            type_name(to)
        )));
    }
    l.define(output, tensor);
    Ok(())
}

pub(super) fn squeeze<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axes"])?;
    let from = shape_of(l, node)?;
    let axes = match axes(l, node)? {
        Some(axes) => places(node, &axes, from.len())?,
        None => (0..from.len()).filter(|axis| from[*axis] == 1).collect(),
    };
    if axes.iter().any(|axis| from[*axis] != 1) {
        return Err(node.fail(format!(
            "leaves out the dimensions {axes:?} of {from:?}, which are not all 1"
        )));
    }
    let kept = from
        .iter()
        .enumerate()
        .filter(|(axis, _)| !axes.contains(axis));
    let to = kept.map(|(_, extent)| *extent).collect();
    reshaped(l, node, to)
}

pub(super) fn unsqueeze<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axes"])?;
    let from = shape_of(l, node)?;
    let given = axes(l, node)?.ok_or_else(|| node.fail("has no axes"))?;
    let rank = from.len() + given.len();
    let axes = places(node, &given, rank)?;
    let mut rest = from.iter().copied();
    let extents = (0..rank).map(|axis| {
        if axes.contains(&axis) {
            Some(1)
        } else {
            rest.next()
        }
    });
    match extents.collect::<Option<Vec<usize>>>() {
        Some(to) if rest.next().is_none() => reshaped(l, node, to),
        _ => Err(node.fail(format!("its axes {given:?} name one dimension twice"))),
    }
}

/// The axes: an attribute before version 13, an operand since.
pub(super) fn axes<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
) -> Result<Option<Vec<i64>>, OnnxError> {
    match l.constant(node, 1, "list of axes")? {
        None => Ok(node.ints("axes")?.map(<[i64]>::to_vec)),
        Some(axes) => Ok(axes.integers().map(<[i64]>::to_vec)),
    }
}

/// Axes counted from the start.
pub(super) fn places(
    node: &OnnxNode<'_>,
    axes: &[i64],
    rank: usize,
) -> Result<Vec<usize>, OnnxError> {
    let place = |axis: &i64| {
        let from_start = if *axis < 0 {
            axis.saturating_add(rank as i64)
        } else {
            *axis
        };
        usize::try_from(from_start)
            .ok()
            .filter(|place| *place < rank)
    };
    let places: Option<Vec<usize>> = axes.iter().map(place).collect();
    places.ok_or_else(|| node.fail(format!("its axes are {axes:?} of {rank} dimensions")))
}

fn reshaped<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    to: Vec<usize>,
) -> Result<(), OnnxError> {
    if !l.is_constant(node, 0)? {
        let input = l.any_tensor(node, 0)?;
        return to_shape(l, node, input, to);
    }
    let constant: Rc<Constant> = l.required(node, 0, "operand")?;
    let reshaped = constant.reshaped(&to);
    let reshaped = reshaped.ok_or_else(|| node.fail("tears a quantized dimension apart"))?;
    l.define_constant(node.output()?, reshaped);
    Ok(())
}
