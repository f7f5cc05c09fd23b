//! ConvTranspose over images and signals. What its padding cuts off is computed and cut off, where it is not what SAME cuts.

use std::rc::Rc;

use ember_core::Padding;
use ember_graph::{Op, Weightless, Window};

use super::conv::{filter, kernel_shape, with_added};
use super::formula::Formula;
use crate::OnnxError;
use crate::constant::{Constant, Numbers};
use crate::layout::Layout;
use crate::lower::Lowering;
use crate::node::OnnxNode;

pub(super) fn lower<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "auto_pad",
        "dilations",
        "group",
        "kernel_shape",
        "output_padding",
        "output_shape",
        "pads",
        "strides",
    ])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let signal = input.shape.len() == 3;
    let weights = filter(l, node, signal)?;
    let [depth, filters, rows, columns] = weights.shape[..] else {
        return Err(node.fail(format!(
            "its filter has the shape {:?}; supported are [I, O, KH, KW] over images and [I, O, KW] over signals",
            weights.shape
        )));
    };
    let size = [rows, columns];
    kernel_shape(node, size, signal)?;
    let group = node.int("group")?.unwrap_or(1);
    if group != 1 || depth != channels || weights.shape.contains(&0) {
        return Err(node.fail(format!(
            "has {group} groups and a filter {:?} for {channels} channels; supported is one group",
            weights.shape
        )));
    }
    let dilation: [usize; 2] = node.window_extents("dilations", (1, 1), signal)?;
    if dilation != [1, 1] {
        return Err(node.fail(format!("dilations are {dilation:?}; supported is 1")));
    }
    let stride: [usize; 2] = node.window_extents("strides", (1, 1), signal)?;
    let extra: [usize; 2] = node.window_extents("output_padding", (0, 0), signal)?;
    if extra[0] >= stride[0] || extra[1] >= stride[1] {
        return Err(node.fail(format!(
            "output_padding {extra:?} is not less than the strides {stride:?}"
        )));
    }
    let image = [height, width];
    // Without anything cut off.
    let full = [0, 1].map(|axis| stride[axis] * (image[axis] - 1) + size[axis] + extra[axis]);
    let [begin, made] = cut(node, full, image, stride, signal)?;

    let same = (0..2).all(|axis| {
        let all = (stride[axis] * (image[axis] - 1) + size[axis]).saturating_sub(made[axis]);
        made[axis].div_ceil(stride[axis]) == image[axis] && all / 2 == begin[axis]
    });
    let (padding, computed) = if same {
        (Padding::Same, made)
    } else {
        (Padding::Valid, full)
    };
    let output = node.output()?;
    let bias = l.constant(node, 2, "bias")?;
    let (bias, output) = with_added(l, output, bias, (filters, false));
    let (activation, output) = l.absorbed_activation(output);
    let bias = bias.unwrap_or_else(|| {
        Rc::new(Constant {
            shape: vec![filters],
            numbers: Numbers::Real(vec![0.0; filters]),
        })
    });
    // [I, O, KH, KW] becomes [O, KH, KW, I].
    let filter = weights.permuted(&[1, 2, 3, 0]);
    let filter = l.parameter(node, &format!("{output}.filter"), &filter)?;
    let bias = l.parameter(node, &format!("{output}.bias"), &bias)?;
    let op = Op::TransposeConv {
        size: computed,
        window: Window {
            stride,
            dilation: [1, 1],
            padding,
        },
        activation,
    };
    let mut f = Formula::new(l, node)?;
    let mut id = f.op(op, &[input.id, filter, bias])?;
    if computed != made {
        let end = vec![1, begin[0] + made[0], begin[1] + made[1], filters];
        let begin = vec![0, begin[0], begin[1], 0];
        let step = vec![1; 4];
        id = f.weightless(Weightless::Slice { begin, end, step }, &[id])?;
    }
    let shape = match signal {
        true => vec![1, filters, made[1]],
        false => vec![1, filters, made[0], made[1]],
    };
    l.finished(output, id, (shape, Layout::Image));
    Ok(())
}

/// How much is cut off before the first row and column, and the height and width that are left.
fn cut(
    node: &OnnxNode<'_>,
    full: [usize; 2],
    image: [usize; 2],
    stride: [usize; 2],
    signal: bool,
) -> Result<[[usize; 2]; 2], OnnxError> {
    let wrong = |made: [usize; 2]| {
        node.fail(format!(
            "cannot make {made:?} of the {full:?} that its window covers"
        ))
    };
    let auto = node.string("auto_pad")?.unwrap_or("NOTSET");
    let wanted = match (node.ints("output_shape")?, auto) {
        // Batch and channels may stand in front.
        (Some(given), _) => {
            let last = given
                .iter()
                .rev()
                .map(|extent| usize::try_from(*extent).unwrap_or(0));
            let mut made = last.chain([1]);
            let width = made.next().unwrap_or(1);
            Some([if signal { 1 } else { made.next().unwrap_or(1) }, width])
        }
        (None, "SAME_UPPER" | "SAME_LOWER") => Some([0, 1].map(|axis| image[axis] * stride[axis])),
        (None, _) => None,
    };
    if let Some(made) = wanted {
        if made.contains(&0) || made[0] > full[0] || made[1] > full[1] {
            return Err(wrong(made));
        }
        let all = [0, 1].map(|axis| full[axis] - made[axis]);
        let begin = match auto {
            "SAME_UPPER" => all.map(|all| all / 2),
            _ => all.map(|all| all.div_ceil(2)),
        };
        return Ok([begin, made]);
    }
    let [top, left, bottom, right] = match auto {
        "VALID" => [0; 4],
        _ => node.window_extents("pads", (0, 0), signal)?,
    };
    let made = [
        full[0].saturating_sub(top + bottom),
        full[1].saturating_sub(left + right),
    ];
    if made.contains(&0) {
        return Err(wrong(made));
    }
    Ok([[top, left], made])
}
