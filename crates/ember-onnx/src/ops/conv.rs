//! Conv over images and signals: one group, one for each channel, which is a depthwise convolution, or several.

use std::rc::Rc;

use ember_core::Padding;
use ember_graph::{Op, ValueId};

use super::formula::Formula;
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
    let signal = input.shape.len() == 3;
    let weights = filter(l, node, signal)?;
    let [filters, depth, rows, columns] = weights.shape[..] else {
        return Err(node.fail(format!(
            "its filter has the shape {:?}; supported are [O, I, KH, KW] over images and [O, I, KW] over signals",
            weights.shape
        )));
    };
    if weights.shape.contains(&0) {
        return Err(node.fail(format!("its filter {:?} is empty", weights.shape)));
    }
    let size = [rows, columns];
    kernel_shape(node, size, signal)?;
    let group = node.int("group")?.unwrap_or(1);
    let groups = match usize::try_from(group) {
        Ok(groups @ 1..) if groups * depth == channels && filters % groups == 0 => groups,
        _ => {
            return Err(node.fail(format!(
                "has {group} groups over {channels} channels and {filters} filters of {depth} channels each, which do not fit"
            )));
        }
    };
    let depthwise = groups > 1 && groups == channels;
    let sliding = Sliding::read(node, size, [height, width], signal)?;
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
    let shape = sliding.made(&input.shape, filters, [height, width]);
    let made = (output, shape, Layout::Image);
    if groups > 1 && !depthwise {
        let op = Op::Conv2d { window, activation };
        let parts = (groups, &*weights, &*bias);
        let id = grouped(l, node, image, parts, &op)?;
        l.finished(output, id, (made.1, made.2));
        return Ok(());
    }
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
    l.push(node, made, op, &[image, filter, bias])?;
    Ok(())
}

/// The filter `[O,I,KH,KW]`; of a signal with the height 1.
pub(super) fn filter<'m>(
    l: &Lowering<'m>,
    node: &OnnxNode<'m>,
    signal: bool,
) -> Result<Rc<Constant>, OnnxError> {
    let weights = l.required(node, 1, "filter")?;
    match (signal, &weights.shape[..]) {
        (true, [outer, inner, width]) => {
            let shape = [*outer, *inner, 1, *width];
            let weights = weights.reshaped(&shape).map(Rc::new);
            weights.ok_or_else(|| node.fail("its filter is quantized along its width"))
        }
        _ => Ok(weights),
    }
}

/// Refuses a kernel_shape that is not the filter's.
pub(super) fn kernel_shape(
    node: &OnnxNode<'_>,
    size: [usize; 2],
    signal: bool,
) -> Result<(), OnnxError> {
    let own = size.map(|extent| extent as i64);
    match node.ints("kernel_shape")? {
        Some(declared) if declared != &own[usize::from(signal)..] => Err(node.fail(format!(
            "kernel_shape is {declared:?}, and its filter has {size:?}"
        ))),
        _ => Ok(()),
    }
}

/// A convolution for each group of channels, their results side by side.
fn grouped<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    image: ValueId,
    (groups, weights, bias): (usize, &Constant, &Constant),
    op: &Op,
) -> Result<ValueId, OnnxError> {
    let (Some(filters), Some(biases)) = (weights.rows(groups), bias.rows(groups)) else {
        return Err(node.fail("its groups are quantized in a way that tears scales apart"));
    };
    let depth = weights.shape[1];
    let mut f = Formula::new(l, node)?;
    let mut parts = Vec::with_capacity(groups);
    for (group, (filter, bias)) in filters.into_iter().zip(biases).enumerate() {
        let input = f.part(image, 3, group * depth, (group + 1) * depth)?;
        let name = format!("{}.{group}", node.output()?);
        let filter = filter.permuted(&TO_NHWC);
        let filter = f.l.parameter(node, &format!("{name}.filter"), &filter)?;
        let bias = f.l.parameter(node, &format!("{name}.bias"), &bias)?;
        parts.push(f.op(op.clone(), &[input, filter, bias])?);
    }
    f.join(3, &parts)
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
