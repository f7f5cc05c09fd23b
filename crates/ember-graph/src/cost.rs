//! What a graph costs to run, counted from its shapes.

use crate::{Graph, Node, Op, ValueId, Weightless};

/// Multiply-accumulates of one run of the stored graph (batch 1): the sum over [`node_macs`].
#[must_use]
pub fn macs(graph: &Graph) -> u64 {
    graph.nodes.iter().map(|node| node_macs(graph, node)).sum()
}

/// Multiply-accumulates of a convolution, a fully connected layer or a product of matrices of `graph`, 0 of any other node. Padding counts as if
/// it were data, as is usual.
#[must_use]
pub fn node_macs(graph: &Graph, node: &Node) -> u64 {
    let shape = |id: &ValueId| &graph.values[id.index()].shape[..];
    let outputs = shape(&node.output).iter().product::<usize>();
    let per_output = match (&node.op, node.inputs.get(1).map(shape)) {
        (Op::Conv2d { .. }, Some([_, height, width, depth])) => height * width * depth,
        // Every input meets every tap of every filter, but for those that fall outside.
        (Op::TransposeConv { .. }, Some([filters, height, width, _])) => {
            let inputs = shape(&node.inputs[0]).iter().product::<usize>();
            return (inputs * filters * height * width) as u64;
        }
        (Op::DepthwiseConv2d { .. }, Some([_, height, width, _])) => height * width,
        (Op::FullyConnected { .. }, Some([_, inputs])) => *inputs,
        (Op::Weightless(Weightless::BatchMatmul { .. }), _) => {
            shape(&node.inputs[0]).last().copied().unwrap_or(0)
        }
        (
            Op::Conv2d { .. }
            | Op::DepthwiseConv2d { .. }
            | Op::TransposeConv { .. }
            | Op::FullyConnected { .. }
            | Op::MaxPool2d { .. }
            | Op::AveragePool2d { .. }
            | Op::Add { .. }
            | Op::Reshape { .. }
            | Op::Relu
            | Op::Relu6
            | Op::Softmax { .. }
            | Op::BatchNorm { .. }
            | Op::Pad { .. }
            | Op::Quantize
            | Op::Dequantize
            | Op::Weightless(_),
            _,
        ) => 0,
    };
    (outputs * per_output) as u64
}

#[cfg(test)]
mod tests {
    use super::macs;
    use crate::text;

    #[test]
    fn counts_as_by_hand() {
        let graph = text::parse(
            "graph g
            input x [1,4,4,2]
            constant f [3,3,3,2] = fill 0
            constant b [3] = fill 0
            y = conv_2d(x, f, b) padding=valid
            r [1,12] = reshape(y)
            constant w [5,12] = fill 0
            constant c [5] = fill 0
            z = fully_connected(r, w, c)
            output z",
        )
        .unwrap();
        assert_eq!(macs(&graph), (2 * 2 * 3) * (3 * 3 * 2) + 5 * 12);
    }
}
