//! Training for low precision with batch norms.
//!
//! The quantizer rounds weights into which a batch norm has been folded, so those are what training has to round. A layer with
//! a batch norm behind it therefore stays one layer of the optimized graph, its own filter and bias unfolded, and the norm's
//! numbers are trained beside them: see `network/folded.rs`. Jacob et al., "Quantization and training of neural networks for
//! efficient integer-arithmetic-only inference" (2018), section 3.2, is where that comes from.

use ember_core::Activation;
use ember_graph::{Graph, Op, ValueId};

use crate::TrainError;

/// The numbers of a batch norm and the layer of which it is a part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Norm {
    /// The layer's filter or weights.
    pub(crate) filter: ValueId,
    /// Added to the variances.
    pub(crate) epsilon: f32,
    /// Gamma, beta, mean and variance, one number for each channel.
    pub(crate) numbers: [Vec<f32>; 4],
}

/// What is trained: a graph, and batch norms that are parts of its layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The graph.
    pub graph: Graph,
    pub(crate) norms: Vec<Norm>,
}

impl From<Graph> for Prepared {
    fn from(graph: Graph) -> Self {
        let norms = Vec::new();
        Self { graph, norms }
    }
}

/// The optimized graph, where each batch norm that can be folded into the layer before it is a norm of that layer. One behind
/// another batch norm, or behind something else than a layer, is folded as it is and not trained.
///
/// # Errors
/// When the graph is not valid.
pub(crate) fn optimize(mut graph: Graph) -> Result<Prepared, TrainError> {
    ember_graph::verify(&graph)?;
    let found = take_out(&mut graph);
    let (graph, _) = ember_compress::optimize(&graph)?;
    let mut norms = Vec::with_capacity(found.len());
    for (name, epsilon, numbers) in found {
        let filter = graph.find(&name).ok_or_else(|| TrainError::Graph {
            graph: graph.name.clone(),
            place: format!("\"{name}\""),
            problem: "its layer depends on no input, so its batch norm cannot be trained"
                .to_owned(),
        })?;
        norms.push(Norm {
            filter,
            epsilon,
            numbers,
        });
    }
    Ok(Prepared { graph, norms })
}

/// Makes the foldable batch norms do nothing: the name of the filter before each, and what it did.
fn take_out(graph: &mut Graph) -> Vec<(String, f32, [Vec<f32>; 4])> {
    let foldable = |at: &usize| is_foldable(graph, *at);
    let places: Vec<usize> = (0..graph.nodes.len()).filter(foldable).collect();
    let mut found = Vec::with_capacity(places.len());
    for at in places {
        let node = &graph.nodes[at];
        let filter = graph.producer(node.inputs[0]).map(|layer| layer.inputs[1]);
        let name = filter.and_then(|filter| graph.get(filter));
        let Op::BatchNorm { epsilon } = node.op else {
            continue;
        };
        let (Some(name), &[_, gamma, beta, mean, variance]) = (name, &node.inputs[..]) else {
            continue;
        };
        let name = name.name.clone();
        let operands = [gamma, beta, mean, variance];
        let numbers = operands.map(|operand| graph.constant(operand).unwrap_or_default().to_vec());
        found.push((name, epsilon, numbers));
        // The least epsilon that there is vanishes beside a variance of 1: the factors are 1 exactly.
        graph.nodes[at].op = Op::BatchNorm {
            epsilon: f32::MIN_POSITIVE,
        };
        for (operand, neutral) in operands.into_iter().zip([1.0, 0.0, 0.0, 1.0]) {
            if let Some(ember_graph::Source::Constant(numbers)) =
                (graph.values.get_mut(operand.index())).map(|value| &mut value.source)
            {
                numbers.fill(neutral);
            }
        }
    }
    found
}

/// Whether the node is a batch norm behind a layer that has no activation, where nobody else reads what either has.
fn is_foldable(graph: &Graph, at: usize) -> bool {
    let node = &graph.nodes[at];
    if !matches!(node.op, Op::BatchNorm { .. }) {
        return false;
    }
    let Some(layer) = graph.producer(node.inputs[0]) else {
        return false;
    };
    let is_layer = matches!(
        layer.op,
        Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } | Op::FullyConnected { .. }
    );
    let followed = (graph.nodes.iter())
        .any(|user| matches!(user.op, Op::BatchNorm { .. }) && user.inputs[0] == node.output);
    let own = |id: &ValueId| graph.uses(*id) == 1;
    is_layer
        && layer.op.activation() == Some(Activation::None)
        && own(&layer.output)
        && !followed
        && layer.inputs[1..].iter().all(own)
        && node.inputs[1..].iter().all(own)
}

#[cfg(test)]
mod tests {
    use ember_core::Activation;
    use ember_graph::{GraphBuilder, Op, Window, models};

    use super::optimize;

    #[test]
    fn the_layers_keep_their_own_numbers() {
        let mut graph = models::find("small-cnn-bn").unwrap().build().unwrap();
        crate::initialize(&mut graph, 1).unwrap();
        let gamma = graph.find("batch_norm.gamma").unwrap();
        graph.set_constant(gamma, vec![3.0; 12]).unwrap();
        let prepared = optimize(graph.clone()).unwrap();
        assert_eq!(prepared.norms.len(), 3);
        assert_eq!(prepared.norms[0].numbers[0], [3.0; 12]);
        let norm = |op: &Op| matches!(op, Op::BatchNorm { .. } | Op::Relu);
        assert!(!prepared.graph.nodes.iter().any(|node| norm(&node.op)));
        for name in ["conv.filter", "conv.bias", "conv_2.filter"] {
            let numbers = |graph: &ember_graph::Graph| {
                graph.constant(graph.find(name).unwrap()).unwrap().to_vec()
            };
            assert_eq!(numbers(&prepared.graph), numbers(&graph), "{name}");
        }
    }

    #[test]
    fn a_batch_norm_that_stands_elsewhere_is_no_part_of_a_layer() {
        let mut model = GraphBuilder::new("elsewhere");
        let image = model.input("image", &[1, 6, 6, 1]).unwrap();
        let x = model.conv_2d(image, 2, [3, 3], Window::valid(1), Activation::Relu);
        let x = model.batch_norm(x.unwrap()).unwrap();
        let x = model.flatten(x).unwrap();
        let x = model.fully_connected(x, 3, Activation::None).unwrap();
        let x = model.batch_norm(x).unwrap();
        let x = model.batch_norm(x).unwrap();
        let graph = model.finish(&[x]).unwrap();
        assert_eq!(optimize(graph).unwrap().norms, []);
    }
}
