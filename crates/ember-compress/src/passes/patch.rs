//! What a pass wants changed.

use std::collections::{BTreeMap, BTreeSet};

use ember_graph::{Graph, Node, Op, ValueId};

/// A rewrite of a graph: nodes whose operator or operands change, values whose users go to another value, values that
/// disappear with the nodes that make them.
///
/// All ids are those of the graph that the pass looked at. Applied in this order: operators and operands, then uses,
/// then removals. Whether the result is a valid graph is the verifier's to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    what: String,
    operators: BTreeMap<ValueId, Op>,
    operands: BTreeMap<ValueId, Vec<ValueId>>,
    uses: BTreeMap<ValueId, ValueId>,
    removed: BTreeSet<ValueId>,
}

impl Patch {
    /// A patch that does nothing yet; `what` says in words, with names, what it will do.
    #[must_use]
    pub fn new(what: String) -> Self {
        Self {
            what,
            operators: BTreeMap::new(),
            operands: BTreeMap::new(),
            uses: BTreeMap::new(),
            removed: BTreeSet::new(),
        }
    }

    /// What it does, in words.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The node that makes `output` becomes `op`.
    #[must_use]
    pub fn operator(mut self, output: ValueId, op: Op) -> Self {
        self.operators.insert(output, op);
        self
    }

    /// The node that makes `output` takes these operands.
    #[must_use]
    pub fn operands(mut self, output: ValueId, operands: Vec<ValueId>) -> Self {
        self.operands.insert(output, operands);
        self
    }

    /// Whoever used `from`, the graph's outputs included, uses `to`.
    #[must_use]
    pub fn redirect(mut self, from: ValueId, to: ValueId) -> Self {
        self.uses.insert(from, to);
        self
    }

    /// The value is no more, nor is the node that made it.
    #[must_use]
    pub fn remove(mut self, value: ValueId) -> Self {
        self.removed.insert(value);
        self
    }

    /// The changed graph; the values that remain keep their order.
    #[must_use]
    pub fn apply(&self, graph: &Graph) -> Graph {
        let mut values = Vec::with_capacity(graph.values.len());
        let mut places = Vec::with_capacity(graph.values.len());
        for (id, value) in graph.ids().zip(&graph.values) {
            // A removed value gets a place where none is: the verifier refuses whoever still uses it.
            places.push(if self.removed.contains(&id) {
                ValueId::from_index(usize::MAX)
            } else {
                values.push(value.clone());
                ValueId::from_index(values.len() - 1)
            });
        }
        let place = |id: ValueId| places.get(id.index()).copied().unwrap_or(id);
        let target = |id: &ValueId| place(self.uses.get(id).copied().unwrap_or(*id));
        let kept = graph
            .nodes
            .iter()
            .filter(|node| !self.removed.contains(&node.output));
        let nodes = kept.map(|node| Node {
            op: self.operators.get(&node.output).unwrap_or(&node.op).clone(),
            inputs: self
                .operands
                .get(&node.output)
                .unwrap_or(&node.inputs)
                .iter()
                .map(target)
                .collect(),
            output: place(node.output),
        });
        Graph {
            name: graph.name.clone(),
            nodes: nodes.collect(),
            inputs: graph.inputs.iter().map(|id| place(*id)).collect(),
            outputs: graph.outputs.iter().map(target).collect(),
            values,
        }
    }
}
