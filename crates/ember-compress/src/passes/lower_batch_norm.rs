//! Makes a depthwise convolution of one tap of a batch norm that no layer could take: every runtime has that operator, and
//! integers of it.
//!
//! What is not an image becomes one for that: `[N,..,C]` is reshaped to `[N,1,all between,C]` and back.

use ember_core::Activation;
use ember_graph::{Graph, Node, Op, Window};

use super::fold_batch_norm::affine;
use super::{Pass, Patch};

/// Makes a depthwise convolution of a batch norm.
pub struct LowerBatchNorm;

impl Pass for LowerBatchNorm {
    fn name(&self) -> &'static str {
        "lower_batch_norm"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| lower(graph, node))
    }
}

fn lower(graph: &Graph, node: &Node) -> Option<Patch> {
    let (factors, summands) = affine(graph, node)?;
    let channels = factors.len();
    let output = graph.get(node.output)?;
    let name = &output.name;
    let mut patch = Patch::new(format!(
        "batch_norm {name:?} as a depthwise_conv_2d of one tap"
    ));
    let filter = format!("{name}.filter");
    let filter = patch.add_constant(graph, node.output, &filter, &[1, 1, 1, channels], factors);
    let bias = format!("{name}.bias");
    let bias = patch.add_constant(graph, node.output, &bias, &[channels], summands);
    let op = Op::DepthwiseConv2d {
        window: Window::valid(1),
        activation: Activation::None,
    };
    let input = node.inputs[0];
    let [batch, between @ .., _] = &output.shape[..] else {
        return None;
    };
    if between.len() == 2 {
        return Some(
            patch
                .operator(node.output, op)
                .operands(node.output, vec![input, filter, bias]),
        );
    }
    let image = vec![*batch, 1, between.iter().product(), channels];
    let reshape = Op::Reshape {
        shape: image.clone(),
    };
    let stem = format!("{name}.image");
    let from = patch.add_node(graph, node.output, &stem, &image, reshape, vec![input]);
    let operands = vec![from, filter, bias];
    let stem = format!("{name}.normalized");
    let normalized = patch.add_node(graph, node.output, &stem, &image, op, operands);
    let back = Op::Reshape {
        shape: output.shape.clone(),
    };
    Some(
        patch
            .operator(node.output, back)
            .operands(node.output, vec![normalized]),
    )
}
