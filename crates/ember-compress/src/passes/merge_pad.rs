//! Makes padding of the convolution itself of a pad in front of it, where its zeros are those that SAME padding puts there.
//!
//! A convolution without padding over an image with zeros around it is the same as one with SAME padding over the image
//! when both have as many positions and the first one begins at the same place. Zeros that no window reaches do not count.

use ember_core::Padding;
use ember_graph::shape::window_positions;
use ember_graph::{Graph, Node, Op, Window};

use super::{Pass, Patch};

/// Makes padding of the convolution itself of a pad in front of it.
pub struct MergePad;

impl Pass for MergePad {
    fn name(&self) -> &'static str {
        "merge_pad"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| merge(graph, node))
    }
}

fn merge(graph: &Graph, node: &Node) -> Option<Patch> {
    let mut op = node.op.clone();
    let (Op::Conv2d { window, .. } | Op::DepthwiseConv2d { window, .. }) = &mut op else {
        return None;
    };
    let padded = node.inputs[0];
    let pad = graph.producer(padded)?;
    let Op::Pad { before, .. } = pad.op else {
        return None;
    };
    let image = &graph.get(pad.inputs[0])?.shape;
    let filter = &graph.get(node.inputs[1])?.shape;
    let output = &graph.get(node.output)?.shape;
    let along = |axis: usize| {
        let extents = [image[axis + 1], filter[axis + 1], output[axis + 1]];
        same_as_padded(extents, window, axis, before[axis])
    };
    if window.padding != Padding::Valid || !along(0) || !along(1) {
        return None;
    }
    window.padding = Padding::Same;
    let what = format!(
        "pad {:?} into {} {:?}",
        graph.get(padded)?.name,
        op.name(),
        graph.get(node.output)?.name
    );
    let mut operands = node.inputs.clone();
    operands[0] = pad.inputs[0];
    let patch = Patch::new(what)
        .operator(node.output, op)
        .operands(node.output, operands);
    Some(if graph.uses(padded) == 1 {
        patch.remove(padded)
    } else {
        patch
    })
}

/// Whether SAME padding along `axis` gives these positions and puts `before` zeros in front of the image.
fn same_as_padded(
    [image, filter, positions]: [usize; 3],
    window: &Window,
    axis: usize,
    before: usize,
) -> bool {
    let (stride, dilation) = (window.stride[axis], window.dilation[axis]);
    let same = window_positions(image, filter, stride, dilation, Padding::Same);
    if same != Ok(positions) {
        return false;
    }
    let reach = (positions - 1) * stride + (filter - 1) * dilation + 1;
    reach.saturating_sub(image) / 2 == before
}
