//! Makes one reshape of two in a row, and none of a reshape to the same shape.

use ember_graph::{Graph, Node, Op, Source};

use super::{Pass, Patch};

/// Makes one reshape of two in a row, and none of a reshape to the same shape.
pub struct MergeReshapes;

impl Pass for MergeReshapes {
    fn name(&self) -> &'static str {
        "merge_reshapes"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph
            .nodes
            .iter()
            .find_map(|node| drop_identity(graph, node).or_else(|| skip_first(graph, node)))
    }
}

/// A reshape to the shape that its input has.
fn drop_identity(graph: &Graph, node: &Node) -> Option<Patch> {
    let Op::Reshape { shape } = &node.op else {
        return None;
    };
    let input = *node.inputs.first()?;
    let value = graph.get(input)?;
    if *shape != value.shape {
        return None;
    }
    // Without the reshape, an output of the model would be an input, a constant or another output.
    let is_own = value.source == Source::Node && !graph.outputs.contains(&input);
    if graph.outputs.contains(&node.output) && !is_own {
        return None;
    }
    let what = format!(
        "reshape {:?} removed: {:?} has its shape",
        graph.get(node.output)?.name,
        value.name
    );
    Some(
        Patch::new(what)
            .redirect(node.output, input)
            .remove(node.output),
    )
}

/// A reshape of a reshape takes what the first one took, and the first one goes unless somebody else reads it.
fn skip_first(graph: &Graph, node: &Node) -> Option<Patch> {
    let Op::Reshape { .. } = &node.op else {
        return None;
    };
    let middle = *node.inputs.first()?;
    let first = graph.producer(middle)?;
    let Op::Reshape { .. } = &first.op else {
        return None;
    };
    let what = format!(
        "reshape {:?} skips reshape {:?}",
        graph.get(node.output)?.name,
        graph.get(middle)?.name
    );
    let patch = Patch::new(what).operands(node.output, first.inputs.clone());
    Some(if graph.uses(middle) == 1 {
        patch.remove(middle)
    } else {
        patch
    })
}
