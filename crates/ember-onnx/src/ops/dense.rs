//! Gemm and MatMul: dense layers where the weights are constant, products of matrices where they are not.

use std::rc::Rc;

use ember_graph::{Op, Weightless, Window};

use super::conv::with_added;
use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::layout::Layout;
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

pub(super) fn gemm<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&["alpha", "beta", "transA", "transB"])?;
    if node.flag("transA", false)? {
        return Err(node.fail("transA is 1, and must be 0: the first dimension is the batch"));
    }
    let weights = matrix(l, node)?;
    // [O, I], which is how the graph has them.
    let weights = if node.flag("transB", false)? {
        weights
    } else {
        weights.permuted(&[1, 0])
    };
    let weights = scaled(node, weights, "alpha")?;
    let bias = match l.constant(node, 2, "bias")? {
        None => None,
        Some(bias) => Some(scaled(
            node,
            spread(node, &bias, weights.shape[0])?,
            "beta",
        )?),
    };
    dense(l, node, weights, bias)
}

pub(super) fn mat_mul<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let is_matrix = l.is_constant(node, 1)?
        && l.required(node, 1, "second matrix")?.shape.len() == 2
        && !l.is_constant(node, 0)?;
    if !is_matrix {
        return product(l, node);
    }
    let weights = matrix(l, node)?.permuted(&[1, 0]);
    dense(l, node, weights, None)
}

/// The second operand, a constant matrix.
fn matrix<'m>(l: &Lowering<'m>, node: &OnnxNode<'m>) -> Result<Constant, OnnxError> {
    let weights = l.required(node, 1, "second matrix")?;
    match weights.shape[..] {
        [rows, columns] if rows > 0 && columns > 0 => Ok((*weights).clone()),
        _ => Err(node.fail(format!(
            "its second matrix has the shape {:?}, and must have two dimensions",
            weights.shape
        ))),
    }
}

/// The constant times the attribute `factor`, 1 where it is not given.
fn scaled(node: &OnnxNode<'_>, constant: Constant, factor: &str) -> Result<Constant, OnnxError> {
    match (node.float(factor)?, &constant.numbers) {
        (None | Some(1.0), _) => Ok(constant),
        (Some(by), Numbers::Real(numbers)) => Ok(Constant {
            numbers: Numbers::Real(numbers.iter().map(|number| number * by).collect()),
            ..constant
        }),
        (Some(by), _) => Err(node.fail(format!(
            "{factor} is {by}, and must be 1 beside quantized weights"
        ))),
    }
}

/// A bias for each of `units`, of one for each or one for all.
fn spread(node: &OnnxNode<'_>, bias: &Constant, units: usize) -> Result<Constant, OnnxError> {
    let shape = vec![units];
    match bias.shape[..] {
        [extent] if extent == units => Ok(bias.clone()),
        [1, extent] if extent == units => {
            let flat = bias.reshaped(&shape);
            flat.ok_or_else(|| node.fail("its bias is quantized along its first dimension"))
        }
        [] | [1] | [1, 1] => match &bias.numbers {
            Numbers::Real(number) => Ok(Constant {
                numbers: Numbers::Real(vec![number[0]; units]),
                shape,
            }),
            _ => {
                Err(node.fail("its quantized bias is one for all units, and must be one for each"))
            }
        },
        _ => Err(node.fail(format!(
            "its bias has the shape {:?}, and it has {units} units",
            bias.shape
        ))),
    }
}

fn dense<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    weights: Constant,
    bias: Option<Constant>,
) -> Result<(), OnnxError> {
    let input = l.tensor(node, 0)?;
    let [units, features] = weights.shape[..] else {
        return Err(node.fail("its weights have not two dimensions"));
    };
    if input.shape != [1, features] {
        if input.shape.last() != Some(&features) || input.shape.len() < 2 {
            return Err(node.fail(format!(
                "takes rows of {features}, and {:?} has the shape {:?}",
                node.input(0).unwrap_or_default(),
                input.shape
            )));
        }
        return rows(l, node, &input, &weights, bias);
    }
    let weights = match input.layout {
        Layout::Plain | Layout::Lead | Layout::Image => weights,
        // The row is in the order of NHWC here: so must be the columns.
        Layout::Row { image } => {
            let [channels, height, width] = image;
            let torn = || {
                node.fail(
                    "its weights are quantized along their inputs, and must be along their units",
                )
            };
            let as_image = weights.reshaped(&[units, channels, height, width]);
            let as_image = as_image.ok_or_else(torn)?.permuted(&[0, 2, 3, 1]);
            as_image.reshaped(&[units, features]).ok_or_else(torn)?
        }
    };
    let output = node.output()?;
    let (bias, output) = with_added(l, output, bias.map(Rc::new), (units, true));
    let (activation, output) = l.absorbed_activation(output);
    let bias = bias.unwrap_or_else(|| {
        Rc::new(Constant {
            shape: vec![units],
            numbers: Numbers::Real(vec![0.0; units]),
        })
    });
    let weights = l.parameter(node, &format!("{output}.weights"), &weights)?;
    let bias = l.parameter(node, &format!("{output}.bias"), &bias)?;
    let op = Op::FullyConnected { activation };
    let made = (output, vec![1, units], Layout::Plain);
    l.push(node, made, op, &[input.id, weights, bias])?;
    Ok(())
}

/// A dense layer on each of several rows: a convolution of one tap.
fn rows<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    input: &Tensor,
    weights: &Constant,
    bias: Option<Constant>,
) -> Result<(), OnnxError> {
    let [units, features] = weights.shape[..] else {
        return Err(node.fail("its weights have not two dimensions"));
    };
    let output = node.output()?;
    let (bias, output) = with_added(l, output, bias.map(Rc::new), (units, true));
    let (activation, output) = l.absorbed_activation(output);
    let plain = l.in_file_order(output, input)?;
    let mut shape = plain.shape.clone();
    let count = shape.iter().product::<usize>() / features;
    let image = l.reshaped(output, plain.id, &[1, 1, count, features])?;
    let torn = || node.fail("its weights are quantized in a way that a convolution is not");
    let filter = weights
        .reshaped(&[units, 1, 1, features])
        .ok_or_else(torn)?;
    let filter = l.parameter(node, &format!("{output}.filter"), &filter)?;
    let bias = match bias {
        Some(bias) => bias,
        None => Rc::new(Constant {
            shape: vec![units],
            numbers: Numbers::Real(vec![0.0; units]),
        }),
    };
    let bias = l.parameter(node, &format!("{output}.bias"), &bias)?;
    let window = Window::valid(1);
    let op = Op::Conv2d { window, activation };
    let id = l.inner(node, &format!("{output}.rows"), op, &[image, filter, bias])?;
    if let Some(last) = shape.last_mut() {
        *last = units;
    }
    let id = l.reshaped(output, id, &plain.layout.shape(&shape))?;
    l.finished(output, id, (shape, plain.layout));
    Ok(())
}

/// The product of two matrices of which at least one is computed, or of lists of them.
fn product<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    let name = node.output()?;
    let mut shapes = Vec::new();
    for index in 0..2 {
        shapes.push(match l.is_constant(node, index)? {
            true => l.required(node, index, "matrix")?.shape.clone(),
            false => l.tensor(node, index)?.shape,
        });
    }
    let rank = shapes[0].len().max(shapes[1].len());
    if shapes.iter().any(|shape| shape.len() < 2) {
        return Err(node.fail(format!("multiplies {shapes:?}; supported are matrices")));
    }
    let full = shapes
        .iter()
        .map(|shape| [&vec![1; rank - shape.len()][..], shape].concat());
    let full: Vec<Vec<usize>> = full.collect();
    let batches = full[0].iter().zip(&full[1]).take(rank - 2);
    let mut shape: Vec<usize> = batches.map(|(left, right)| *left.max(right)).collect();
    shape.extend([full[0][rank - 2], full[1][rank - 1]]);
    // A batch in front, which matrices alone do not have.
    let layout = match rank {
        2 => Layout::Lead,
        _ => Layout::of_file(&shape),
    };
    let mut ids = Vec::new();
    for (index, full) in full.iter().enumerate() {
        let here = layout.shape(full);
        ids.push(if l.is_constant(node, index)? {
            let constant = l.required(node, index, "matrix")?.reshaped(&here);
            let constant =
                constant.ok_or_else(|| node.fail("tears a quantized dimension apart"))?;
            l.parameter(node, &format!("{name}.constant"), &constant)?
        } else {
            let tensor = l.tensor(node, index)?;
            let plain = l.in_file_order(name, &tensor)?;
            l.reshaped(name, plain.id, &here)?
        });
    }
    let op = Op::Weightless(Weightless::BatchMatmul { turned: false });
    let id = l.inner(node, name, op, &ids)?;
    let layout_of_result = Layout::of_file(&shape);
    let id = l.reshaped(name, id, &layout_of_result.shape(&shape))?;
    l.finished(name, id, (shape, layout_of_result));
    Ok(())
}
