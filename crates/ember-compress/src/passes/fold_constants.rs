//! Works out what depends on constants alone.
//!
//! An output of the model stays a node's result: a file whose output is a constant is of no use to anybody.

use ember_graph::eval::evaluate;
use ember_graph::{Graph, Node, Source, Value, ValueId};

use super::{Pass, Patch};

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
    let numbers = evaluate(&alone(graph, node)?, 1, &[]).ok()?.pop()?;
    let what = format!(
        "{} {:?} worked out: its operands are constants",
        node.op.name(),
        output.name
    );
    Some(Patch::new(what).constant(node.output, numbers))
}

/// The node and its operands, which are constants, as a graph of their own.
fn alone(graph: &Graph, node: &Node) -> Option<Graph> {
    let mut values: Vec<Value> = Vec::new();
    let mut inputs = Vec::new();
    for id in &node.inputs {
        let value = graph.get(*id)?;
        let known = values.iter().position(|known| known.name == value.name);
        inputs.push(ValueId::from_index(known.unwrap_or(values.len())));
        if known.is_none() {
            values.push(value.clone());
        }
    }
    let output = ValueId::from_index(values.len());
    values.push(Value {
        source: Source::Node,
        ..graph.get(node.output)?.clone()
    });
    Some(Graph {
        name: graph.name.clone(),
        values,
        nodes: vec![Node {
            op: node.op.clone(),
            inputs,
            output,
        }],
        inputs: Vec::new(),
        outputs: vec![output],
    })
}
