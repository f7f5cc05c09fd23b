//! Conv over images: one group, or one for each channel, which is a depthwise convolution.

use std::rc::Rc;

use ember_core::Padding;
use ember_graph::Op;

use super::window::{Placement, Sliding};
use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::layout::{Layout, TO_NHWC};
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "auto_pad",
        "dilations",
        "group",
        "kernel_shape",
        "pads",
        "strides",
    ])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let weights = l.required(node, 1, "filter")?;
    let [filters, depth, rows, columns] = weights.shape[..] else {
        return Err(node.fail(format!(
            "its filter has the shape {:?}; supported are [O, I, KH, KW], over images",
            weights.shape
        )));
    };
    if weights.shape.contains(&0) {
        return Err(node.fail(format!("its filter {:?} is empty", weights.shape)));
    }
    let size = [rows, columns];
    if let Some(declared) = node.ints("kernel_shape")?
        && declared != size.map(|extent| extent as i64)
    {
        return Err(node.fail(format!(
            "kernel_shape is {declared:?}, and its filter has {size:?}"
        )));
    }
    let group = node.int("group")?.unwrap_or(1);
    let depthwise = match usize::try_from(group) {
        Ok(1) => false,
        Ok(group) if group == channels && depth == 1 && filters % channels == 0 => true,
        _ => {
            return Err(node.fail(format!(
                "has {group} groups over {channels} channels; supported are 1, and as many as there are channels"
            )));
        }
    };
    let sliding = Sliding::read(node, size, [height, width])?;
    let output = node.output()?;
    let bias = l.constant(node, 2, "bias")?;
    let (bias, output) = with_added(l, output, bias, (filters, false));
    let (activation, output) = l.absorbed_activation(output);
    let bias = match &bias {
        Some(bias) if bias.shape == [filters] => bias.clone(),
        Some(bias) => {
            return Err(node.fail(format!(
                "its bias has the shape {:?}, and it has {filters} filters",
                bias.shape
            )));
        }
        None => Rc::new(Constant {
            shape: vec![filters],
            numbers: Numbers::Real(vec![0.0; filters]),
        }),
    };

    let mut image = input.id;
    let padding = match sliding.placement([height, width]) {
        Placement::Within(padding) => padding,
        Placement::InFront => {
            let pad = Op::Pad {
                before: sliding.begin,
                after: sliding.end,
            };
            image = l.inner(node, &format!("{output}.pad"), pad, &[image])?;
            Padding::Valid
        }
    };
    let window = sliding.window(padding);
    // [O, I, KH, KW] becomes [O, KH, KW, I]; of one channel each, [1, KH, KW, O]: filters that share a channel are
    // neighbours in both.
    let (filter, op) = if depthwise {
        let op = Op::DepthwiseConv2d { window, activation };
        (weights.permuted(&[1, 2, 3, 0]), op)
    } else {
        let op = Op::Conv2d { window, activation };
        (weights.permuted(&TO_NHWC), op)
    };
    let filter = l.parameter(node, &format!("{output}.filter"), &filter)?;
    let bias = l.parameter(node, &format!("{output}.bias"), &bias)?;
    let shape = vec![
        1,
        filters,
        sliding.positions(height, 0),
        sliding.positions(width, 1),
    ];
    l.push(
        node,
        (output, shape, Layout::Image),
        op,
        &[image, filter, bias],
    )?;
    Ok(())
}

/// The bias with what the only reader of `output` adds to each of its `units` channels, or features of a `row`, and what that
/// result is called. Only real numbers are added up.
pub(super) fn with_added<'m>(
    l: &mut Lowering<'m>,
    output: &'m str,
    bias: Option<Rc<Constant>>,
    (units, row): (usize, bool),
) -> (Option<Rc<Constant>>, &'m str) {
    let added = || {
        let (index, reader) = l.only_reader(output)?;
        let added = l.added_constant(&reader, output)?;
        let Numbers::Real(numbers) = &added.numbers else {
            return None;
        };
        let per_unit = match added.shape[..] {
            // Along the channels of an image, or the features of a row. A list alone would go along an image's width.
            [extent] | [1, extent] if extent == units => row,
            [extent, 1, 1] | [1, extent, 1, 1] if extent == units => !row,
            _ => false,
        };
        let before = match &bias {
            None => vec![0.0; units],
            Some(bias) => match &bias.numbers {
                Numbers::Real(before) if before.len() == units => before.clone(),
                _ => return None,
            },
        };
        let sum = before.iter().zip(numbers).map(|(b, a)| b + a).collect();
        per_unit.then_some((index, sum, reader.output().ok()?))
    };
    match added() {
        Some((index, sum, output)) => {
            l.absorb(index);
            let bias = Constant {
                shape: vec![units],
                numbers: Numbers::Real(sum),
            };
            (Some(Rc::new(bias)), output)
        }
        None => (bias, output),
    }
}
