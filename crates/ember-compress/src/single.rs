//! One node of a graph as a graph of its own.

use ember_graph::{Graph, Node, Source, Value, ValueId};

/// The node with its operands: constants stay constants, everything else becomes an input, each once, in the order in which
/// the node lists them.
pub(crate) fn node_alone(graph: &Graph, node: &Node) -> Option<Graph> {
    let mut values: Vec<Value> = Vec::new();
    let mut operands = Vec::new();
    for id in &node.inputs {
        let value = graph.get(*id)?;
        let known = values.iter().position(|known| known.name == value.name);
        operands.push(ValueId::from_index(known.unwrap_or(values.len())));
        if known.is_none() {
            values.push(Value {
                source: match &value.source {
                    Source::Constant(numbers) => Source::Constant(numbers.clone()),
                    Source::Input | Source::Node => Source::Input,
                },
                ..value.clone()
            });
        }
    }
    let is_input = |index: &usize| values[*index].source == Source::Input;
    let inputs = (0..values.len())
        .filter(is_input)
        .map(ValueId::from_index)
        .collect();
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
            inputs: operands,
            output,
        }],
        inputs,
        outputs: vec![output],
    })
}
