//! MaxPool, AveragePool, GlobalMaxPool and GlobalAveragePool over images and signals.

use ember_core::Padding;
use ember_graph::{Op, Window};

use super::window::{Placement, Sliding};
use crate::OnnxError;
use crate::layout::Layout;
use crate::lower::{Lowering, Tensor};
use crate::node::OnnxNode;

pub(super) fn max<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "auto_pad",
        "ceil_mode",
        "dilations",
        "kernel_shape",
        "pads",
        "storage_order",
        "strides",
    ])?;
    if node.outputs().skip(1).any(|indices| !indices.is_empty()) {
        return Err(node.fail("its second result, the indices, is not supported"));
    }
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let mut sliding = read(node, &input, [height, width])?;
    if node.flag("ceil_mode", false)? {
        sliding = sliding.rounded_up([height, width]);
    }
    let placement = sliding.placement([height, width]);
    // The padding of a maximum is less than every number. Zeros are as good where there is nothing below.
    if placement == Placement::InFront && !l.not_negative.contains(&input.id) {
        return Err(node.fail(format!(
            "its padding {:?} before and {:?} after is not that of SAME, and what it pads can be negative: supported is such padding behind a relu",
            sliding.begin, sliding.end
        )));
    }
    let op = |window| Op::MaxPool2d {
        size: sliding.size,
        window,
    };
    pooled(
        l,
        node,
        &input,
        &sliding,
        placement,
        op,
        [channels, height, width],
    )
}

pub(super) fn average<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[
        "auto_pad",
        "ceil_mode",
        "count_include_pad",
        "dilations",
        "kernel_shape",
        "pads",
        "strides",
    ])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let read = read(node, &input, [height, width])?;
    let mut sliding = read;
    if node.flag("ceil_mode", false)? {
        sliding = sliding.rounded_up([height, width]);
    }
    let mut placement = sliding.placement([height, width]);
    if placement != Placement::Within(Padding::Valid) {
        if node.flag("count_include_pad", false)? {
            // The zeros count: they must be numbers like others. Those that ceil_mode adds do not.
            if sliding != read {
                return Err(node.fail(
                    "ceil_mode cuts windows off beside count_include_pad, which is not supported",
                ));
            }
            placement = Placement::InFront;
        } else if placement == Placement::InFront {
            return Err(node.fail(format!(
                "its padding {:?} before and {:?} after is not that of SAME: supported is such padding with count_include_pad",
                sliding.begin, sliding.end
            )));
        }
    }
    let op = |window| Op::AveragePool2d {
        size: sliding.size,
        window,
    };
    pooled(
        l,
        node,
        &input,
        &sliding,
        placement,
        op,
        [channels, height, width],
    )
}

pub(super) fn global_average<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
) -> Result<(), OnnxError> {
    node.only(&[])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let op = whole_image([height, width]);
    let made = (
        node.output()?,
        of_one_pixel(&input, channels),
        Layout::Image,
    );
    l.push(node, made, op, &[input.id])?;
    Ok(())
}

pub(super) fn global_max<'m>(l: &mut Lowering<'m>, node: &OnnxNode<'m>) -> Result<(), OnnxError> {
    node.only(&[])?;
    let (input, [channels, height, width]) = l.image(node, 0)?;
    let op = Op::MaxPool2d {
        size: [height, width],
        window: Window::valid(1),
    };
    let made = (
        node.output()?,
        of_one_pixel(&input, channels),
        Layout::Image,
    );
    l.push(node, made, op, &[input.id])?;
    Ok(())
}

/// The shape in the file of one pixel with these channels.
fn of_one_pixel(input: &Tensor, channels: usize) -> Vec<usize> {
    let mut shape = vec![1; input.shape.len()];
    shape[1] = channels;
    shape
}

/// The mean over a whole image of this height and width.
pub(super) const fn whole_image(image: [usize; 2]) -> Op {
    Op::AveragePool2d {
        size: image,
        window: Window::valid(1),
    }
}

fn read(node: &OnnxNode<'_>, input: &Tensor, image: [usize; 2]) -> Result<Sliding, OnnxError> {
    let signal = input.shape.len() == 3;
    if node.ints("kernel_shape")?.is_none() {
        return Err(node.fail("has no kernel_shape"));
    }
    let size = node.window_extents("kernel_shape", (1, 1), signal)?;
    let sliding = Sliding::read(node, size, image, signal)?;
    if sliding.dilation != [1, 1] {
        return Err(node.fail(format!(
            "dilations are {:?}; supported is pooling without",
            sliding.dilation
        )));
    }
    Ok(sliding)
}

fn pooled<'m>(
    l: &mut Lowering<'m>,
    node: &OnnxNode<'m>,
    input: &Tensor,
    sliding: &Sliding,
    placement: Placement,
    op: impl Fn(Window) -> Op,
    [channels, height, width]: [usize; 3],
) -> Result<(), OnnxError> {
    let output = node.output()?;
    let mut image = input.id;
    let padding = match placement {
        Placement::Within(padding) => padding,
        Placement::InFront => {
            let pad = Op::Pad {
                before: sliding.begin,
                after: sliding.end,
            };
            image = l.inner(node, &format!("{output}.pad"), pad, &[image])?;
            if l.not_negative.contains(&input.id) {
                l.not_negative.insert(image);
            }
            Padding::Valid
        }
    };
    let shape = sliding.made(&input.shape, channels, [height, width]);
    let made = (output, shape, Layout::Image);
    l.push(node, made, op(sliding.window(padding)), &[image])?;
    Ok(())
}
