//! Folds a batch norm into the convolution or dense layer that makes its input: every output channel's weights and bias
//! times the channel's factor, the bias plus its summand.
//!
//! That is possible where nobody else reads the layer's result and the layer applies no activation of its own.

use ember_graph::batch_norm::BatchNorm;
use ember_graph::{Graph, Node, Op};

use super::{Pass, Patch};

/// Folds a batch norm into the layer before it.
pub struct FoldBatchNorm;

impl Pass for FoldBatchNorm {
    fn name(&self) -> &'static str {
        "fold_batch_norm"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| fold(graph, node))
    }
}

fn fold(graph: &Graph, node: &Node) -> Option<Patch> {
    let (factors, summands) = affine(graph, node)?;
    let input = node.inputs[0];
    let layer = graph.producer(input)?;
    // Channels of the weights: one row each, or for a depthwise convolution one column.
    let columns = match layer.op {
        Op::Conv2d { .. } | Op::FullyConnected { .. } => false,
        Op::DepthwiseConv2d { .. } => true,
        _ => return None,
    };
    if layer.op.activation() != Some(ember_core::Activation::None) || graph.uses(input) != 1 {
        return None;
    }
    let [source, weights, bias] = layer.inputs[..] else {
        return None;
    };
    let channels = factors.len();
    let numbers = graph.constant(weights)?;
    let row = numbers.len() / channels;
    let channel = |position: usize| {
        if columns {
            position % channels
        } else {
            position / row
        }
    };
    let scaled = numbers.iter().enumerate();
    let scaled = scaled.map(|(position, number)| number * factors[channel(position)]);
    let moved = graph.constant(bias)?.iter().zip(&factors).zip(&summands);
    let moved = moved.map(|((bias, factor), summand)| bias * factor + summand);

    let mut patch = Patch::new(format!(
        "batch_norm {:?} into {} {:?}",
        graph.get(node.output)?.name,
        layer.op.name(),
        graph.get(input)?.name
    ));
    let weights = patch.own_constant(graph, input, weights, scaled.collect());
    let bias = patch.own_constant(graph, input, bias, moved.collect());
    Some(
        patch
            .operands(input, vec![source, weights, bias])
            .redirect(node.output, input)
            .remove(node.output),
    )
}

/// Factor and summand of each channel, when the node is a batch norm.
pub(super) fn affine(graph: &Graph, node: &Node) -> Option<(Vec<f32>, Vec<f32>)> {
    let (Op::BatchNorm { epsilon }, [_, gamma, beta, mean, variance]) =
        (&node.op, &node.inputs[..])
    else {
        return None;
    };
    let norm = BatchNorm {
        gamma: graph.constant(*gamma)?,
        beta: graph.constant(*beta)?,
        mean: graph.constant(*mean)?,
        variance: graph.constant(*variance)?,
        epsilon: *epsilon,
    };
    Some(norm.affine())
}
