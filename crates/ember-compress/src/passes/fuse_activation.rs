//! Moves a relu or relu6 into the operator that makes its input, which applies it while it stores its result.
//!
//! That is possible where the producer has an activation of its own, nobody else reads its result, and both activations
//! one after the other are again one: none, relu, relu6 or relu_n1_to_1.

use ember_core::Activation;
use ember_graph::{Graph, Node, Op};

use super::{Pass, Patch};

/// Moves a relu or relu6 into its producer.
pub struct FuseActivation;

impl Pass for FuseActivation {
    fn name(&self) -> &'static str {
        "fuse_activation"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| fuse(graph, node))
    }
}

fn fuse(graph: &Graph, node: &Node) -> Option<Patch> {
    let second = match node.op {
        Op::Relu => Activation::Relu,
        Op::Relu6 => Activation::Relu6,
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::TransposeConv { .. }
        | Op::FullyConnected { .. }
        | Op::MaxPool2d { .. }
        | Op::AveragePool2d { .. }
        | Op::Add { .. }
        | Op::Reshape { .. }
        | Op::Softmax { .. }
        | Op::BatchNorm { .. }
        | Op::Pad { .. }
        | Op::Quantize
        | Op::Dequantize
        | Op::Weightless(_) => return None,
    };
    let input = *node.inputs.first()?;
    let producer = graph.producer(input)?;
    let first = producer.op.activation()?;
    let both = chained(first, second)?;
    if graph.uses(input) != 1 {
        return None;
    }
    let mut op = producer.op.clone();
    *op.activation_mut()? = both;
    let what = format!(
        "{} {:?} into {} {:?}",
        node.op.name(),
        graph.get(node.output)?.name,
        producer.op.name(),
        graph.get(input)?.name
    );
    Some(
        Patch::new(what)
            .operator(input, op)
            .redirect(node.output, input)
            .remove(node.output),
    )
}

/// The one activation that is `first` and then `second`, if there is one: both clamp, and so does their sequence.
fn chained(first: Activation, second: Activation) -> Option<Activation> {
    let (low, high) = first.clamp()?;
    let (second_low, second_high) = second.clamp()?;
    let clamp = |bound: f32| bound.max(second_low).min(second_high);
    let chained = (clamp(low), clamp(high));
    [
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::ReluN1To1,
    ]
    .into_iter()
    .find(|activation| activation.clamp() == Some(chained))
}
