//! QuantizeLinear and DequantizeLinear: what the file says of how numbers are quantized. They are no nodes of the graph;
//! their scales and zero points are noted beside it.

use crate::OnnxError;
use crate::constant::{Constant, Integer, Integers, Numbers};
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;
use crate::quantized::Parameters;
use crate::tensor::{INT8, UINT8, type_name};

/// What the second and third operand say.
struct Scales {
    scales: Vec<f32>,
    /// As many as there are scales; none given are zeros.
    zero_points: Vec<i64>,
    /// The type of the zero points, where they are given.
    kind: Option<Integer>,
}

pub(super) fn quantize<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "axis",
        "block_size",
        "output_dtype",
        "precision",
        "saturate",
    ])?;
    let scales = scales(l, node)?;
    let kind = match (scales.kind, node.int("output_dtype")?.unwrap_or(0)) {
        (Some(kind), _) => kind,
        (None, code) if code == i64::from(INT8) => Integer::Int8,
        (None, code) if code == i64::from(UINT8) || code == 0 => Integer::Uint8,
        (None, code) => {
            let name = type_name(i32::try_from(code).unwrap_or(0));
            return Err(node.fail(format!("makes {name}; supported are INT8 and UINT8")));
        }
    };
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        let rounded = rounded(node, &constant, &scales, kind)?;
        l.define_constant(node.output()?, rounded);
        return Ok(());
    }
    let input = l.tensor(node, 0)?;
    let parameters = parameters(node, &scales, kind)?;
    note(l, node, &input, parameters)?;
    let integers = Some(Some(parameters));
    l.define(node.output()?, Tensor { integers, ..input });
    Ok(())
}

pub(super) fn dequantize<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["axis", "block_size", "output_dtype"])?;
    let scales = scales(l, node)?;
    if l.is_constant(node, 0)? {
        let constant = l.required(node, 0, "operand")?;
        let real = dequantized(node, &constant, &scales)?;
        l.define_constant(node.output()?, real);
        return Ok(());
    }
    let input = l.any_tensor(node, 0)?;
    let parameters = match input.integers {
        None => {
            return Err(node.fail("its operand is no integers: a QuantizeLinear belongs before"));
        }
        Some(Some(before)) => {
            let parameters = parameters(node, &scales, before.kind)?;
            same(node, before, parameters)?;
            parameters
        }
        Some(None) => parameters(node, &scales, scales.kind.unwrap_or(Integer::Uint8))?,
    };
    note(l, node, &input, parameters)?;
    let real = Tensor {
        integers: None,
        ..input
    };
    l.define(node.output()?, real);
    Ok(())
}

fn scales<'m>(l: &Lowering<'m>, node: &OnnxNode<'m>) -> Result<Scales, OnnxError> {
    if node.int("block_size")?.unwrap_or(0) != 0 {
        return Err(
            node.fail("supported are one scale for all, and one for each channel: no blocks")
        );
    }
    let given = l.required(node, 1, "scale")?;
    let scales = match (given.reals(), given.shape.len()) {
        (Some(scales), 0 | 1) if !scales.is_empty() => scales,
        _ => return Err(node.fail("its scale must be a real number, or a list of them")),
    };
    let usable = |scale: &&f32| !(scale.is_finite() && **scale > 0.0);
    if let Some(scale) = scales.iter().find(usable) {
        return Err(node.fail(format!("the scale {scale} is not a positive finite number")));
    }
    let (zero_points, kind) = match l.constant(node, 2, "zero point")? {
        None => (vec![0; scales.len()], None),
        Some(given) => match &given.numbers {
            Numbers::Integer(kind, zero_points) if zero_points.len() == scales.len() => {
                (zero_points.clone(), Some(*kind))
            }
            _ => {
                return Err(
                    node.fail("its zero points must be integers, as many as there are scales")
                );
            }
        },
    };
    Ok(Scales {
        scales,
        zero_points,
        kind,
    })
}

/// The parameters of an activation in int8: of UINT8, all integers are 128 less, and stand for the same.
fn parameters(
    node: &OnnxNode<'_>,
    scales: &Scales,
    kind: Integer,
) -> Result<Parameters, OnnxError> {
    let ([scale], [zero_point]) = (&scales.scales[..], &scales.zero_points[..]) else {
        return Err(node.fail(format!(
            "has {} scales; supported is one where the model computes what is quantized",
            scales.scales.len()
        )));
    };
    let shift = match kind {
        Integer::Int8 => 0,
        Integer::Uint8 => 128,
        other => {
            return Err(node.fail(format!(
                "quantizes to {other:?}; supported are Int8 and Uint8"
            )));
        }
    };
    let zero_point = i8::try_from(zero_point.saturating_sub(shift))
        .map_err(|_| node.fail(format!("the zero point {zero_point} does not fit {kind:?}")))?;
    Ok(Parameters {
        scale: *scale,
        zero_point: i32::from(zero_point),
        kind,
    })
}

/// Notes the parameters of a value.
fn note(
    l: &mut Lowering<'_>,
    node: &OnnxNode<'_>,
    tensor: &Tensor,
    parameters: Parameters,
) -> Result<(), OnnxError> {
    let known = *l.kept.activations.entry(tensor.id).or_insert(parameters);
    same(node, known, parameters)
}

/// Refuses a second quantization of one value.
fn same(node: &OnnxNode<'_>, known: Parameters, given: Parameters) -> Result<(), OnnxError> {
    if known.scale.to_bits() == given.scale.to_bits() && known.zero_point == given.zero_point {
        return Ok(());
    }
    Err(node.fail(format!(
        "gives the scale {} and the zero point {} (as int8) to what has {} and {}: supported is one quantization for each value",
        given.scale, given.zero_point, known.scale, known.zero_point
    )))
}

/// Real constants as integers: halves to the even neighbour, then kept in the range of the type, as the operator is
/// defined.
fn rounded(
    node: &OnnxNode<'_>,
    constant: &Constant,
    scales: &Scales,
    kind: Integer,
) -> Result<Constant, OnnxError> {
    let (least, greatest) = match kind {
        Integer::Int8 => (-128.0, 127.0),
        Integer::Uint8 => (0.0, 255.0),
        other => {
            return Err(node.fail(format!(
                "quantizes a constant to {other:?}; supported are Int8 and Uint8"
            )));
        }
    };
    let Some(numbers) = constant.reals() else {
        return Err(node.fail("quantizes integers"));
    };
    let channel = channels(node, constant, scales)?;
    let integers = numbers.iter().enumerate().map(|(position, number)| {
        let channel = channel.of(position);
        let steps = f64::from(number / scales.scales[channel]).round_ties_even();
        (steps + scales.zero_points[channel] as f64).clamp(least, greatest) as i64
    });
    Ok(Constant {
        shape: constant.shape.clone(),
        numbers: Numbers::Integer(kind, integers.collect()),
    })
}

/// Stored integers as real numbers that know what they are made of.
fn dequantized(
    node: &OnnxNode<'_>,
    constant: &Constant,
    scales: &Scales,
) -> Result<Constant, OnnxError> {
    let Numbers::Integer(kind @ (Integer::Int8 | Integer::Uint8 | Integer::Int32), integers) =
        &constant.numbers
    else {
        return Err(node.fail("supported are constants in INT8, UINT8 and INT32"));
    };
    if scales.kind.is_some_and(|given| given != *kind) {
        return Err(node.fail("its operand and its zero point are of two types"));
    }
    let shift = if *kind == Integer::Uint8 { 128 } else { 0 };
    let channel = channels(node, constant, scales)?;
    let mut zero_points = scales.zero_points.iter();
    let zero_point = match scales.zero_points[..] {
        [one] => one,
        // Of several scales, one zero point for all that is the middle of the type.
        _ if zero_points.all(|each| *each == shift) => shift,
        _ => {
            return Err(node.fail(format!(
                "its zero points are {:?}; supported beside several scales is {shift}",
                scales.zero_points
            )));
        }
    };
    let integers = integers
        .iter()
        .map(|integer| integer.saturating_sub(zero_point));
    Ok(Constant {
        shape: constant.shape.clone(),
        numbers: Numbers::Dequantized(Integers {
            integers: integers.collect(),
            wide: *kind == Integer::Int32,
            zero_point: i32::try_from(zero_point.saturating_sub(shift))
                .map_err(|_| node.fail("its zero point is too large"))?,
            scales: scales.scales.clone(),
            axis: channel.axis,
        }),
    })
}

/// Which scale goes with which position.
struct Channels {
    axis: usize,
    count: usize,
    inner: usize,
}

impl Channels {
    const fn of(&self, position: usize) -> usize {
        position / self.inner % self.count
    }
}

fn channels(
    node: &OnnxNode<'_>,
    constant: &Constant,
    scales: &Scales,
) -> Result<Channels, OnnxError> {
    let rank = constant.shape.len() as i64;
    let given = node.int("axis")?.unwrap_or(1);
    let from_start = if given < 0 {
        given.saturating_add(rank)
    } else {
        given
    };
    let axis = usize::try_from(from_start).unwrap_or(usize::MAX);
    let count = scales.scales.len();
    if count == 1 {
        return Ok(Channels {
            axis: 0,
            count,
            inner: 1,
        });
    }
    match constant.shape.get(axis) {
        Some(extent) if *extent == count => Ok(Channels {
            axis,
            count,
            inner: constant.shape[axis + 1..].iter().product::<usize>().max(1),
        }),
        _ => Err(node.fail(format!(
            "has {count} scales along dimension {given} of {:?}",
            constant.shape
        ))),
    }
}
