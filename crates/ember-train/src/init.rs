//! The untrained weights: Keras's defaults, which its accuracy needs.

use ember_graph::{Graph, Op, Role, ValueId};

use crate::TrainError;
use crate::random::{Purpose, symmetric};

/// Fills every filter and weight matrix with numbers uniform in ±√(6 / (inputs + outputs)) and every bias with zeros
/// (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010). The same seed
/// gives the same bits everywhere.
///
/// # Errors
/// When the graph is not valid.
pub fn initialize(graph: &mut Graph, seed: u64) -> Result<(), TrainError> {
    ember_graph::verify(graph)?;
    let mut filled: Vec<(ValueId, Vec<f32>)> = Vec::new();
    for node in &graph.nodes {
        for (id, role) in node.inputs.iter().zip(node.op.operands()) {
            let Some(value) = graph.get(*id) else {
                continue;
            };
            let count: usize = value.shape.iter().product();
            let limit = match role {
                // A batch norm's start is the builder's.
                Role::Activation | Role::Gamma | Role::Beta | Role::Mean | Role::Variance => {
                    continue;
                }
                Role::Bias => 0.0,
                Role::Filter | Role::Weights => {
                    let channels = node.inputs.first().and_then(|image| graph.get(*image));
                    let channels = channels.and_then(|image| image.shape.last().copied());
                    let [inputs, outputs] = fans(&node.op, &value.shape, channels.unwrap_or(1));
                    (6.0 / (inputs + outputs) as f64).sqrt()
                }
            };
            let mut random = Purpose::Weights(id.index()).stream(seed);
            let numbers = (0..count)
                .map(|_| (symmetric(&mut random) * limit) as f32)
                .collect();
            filled.push((*id, numbers));
        }
    }
    for (id, numbers) in filled {
        graph.set_constant(id, numbers)?;
    }
    Ok(())
}

/// Inputs of one output and outputs of one input, as Keras counts them (`compute_fans`): a filter's taps times the last
/// two dimensions of its kernel, which for a depthwise one are channels and multiplier.
fn fans(op: &Op, shape: &[usize], channels: usize) -> [usize; 2] {
    match (op, shape) {
        (Op::DepthwiseConv2d { .. }, &[_, tall, wide, filters]) => {
            let taps = tall * wide;
            [taps * channels, taps * (filters / channels.max(1))]
        }
        (_, &[filters, tall, wide, channels]) => {
            let taps = tall * wide;
            [taps * channels, taps * filters]
        }
        (_, &[outputs, inputs]) => [inputs, outputs],
        (_, shape) => [shape.iter().product(), 0],
    }
}
