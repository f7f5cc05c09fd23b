//! Works out what depends on constants alone.
//!
//! An output of the model stays a node's result: a file whose output is a constant is of no use to anybody.

use ember_graph::eval::evaluate;
use ember_graph::{Graph, Node, ValueId};

use super::{Pass, Patch};
use crate::single::node_alone;

/// Works out what depends on constants alone.
pub struct FoldConstants;

impl Pass for FoldConstants {
    fn name(&self) -> &'static str {
        "fold_constants"
    }

    fn find(&self, graph: &Graph) -> Option<Patch> {
        graph.nodes.iter().find_map(|node| fold(graph, node))
    }
}

fn fold(graph: &Graph, node: &Node) -> Option<Patch> {
    if graph.outputs.contains(&node.output) {
        return None;
    }
    let constant = |id: &ValueId| graph.constant(*id).is_some();
    if !node.inputs.iter().all(constant) {
        return None;
    }
    let output = graph.get(node.output)?;
    let numbers = evaluate(&node_alone(graph, node)?, 1, &[]).ok()?.pop()?;
    let what = format!(
        "{} {:?} worked out: its operands are constants",
        node.op.name(),
        output.name
    );
    Some(Patch::new(what).constant(node.output, numbers))
}
