//! What a pass wants changed.

use std::collections::{BTreeMap, BTreeSet};

use ember_graph::{Graph, Node, Op, Source, Value, ValueId};

/// A rewrite of a graph: nodes whose operator or operands change, constants that appear or get other numbers, nodes that
/// appear, values whose users go to another value, values that disappear with the nodes that make them.
///
/// All ids are those of the graph that the pass looked at; a value that appears gets the id that follows them. Applied in
/// this order: operators and operands, then uses, then removals. Whether the result is a valid graph is the verifier's to
/// say.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    what: String,
    operators: BTreeMap<ValueId, Op>,
    operands: BTreeMap<ValueId, Vec<ValueId>>,
    sources: BTreeMap<ValueId, Vec<f32>>,
    uses: BTreeMap<ValueId, ValueId>,
    removed: BTreeSet<ValueId>,
    added: Vec<Added>,
}

/// A value that appears.
#[derive(Clone, Debug, PartialEq)]
struct Added {
    /// It stands right before this one, after those that were added before it.
    before: ValueId,
    value: Value,
    node: Option<(Op, Vec<ValueId>)>,
}

impl Patch {
    /// A patch that does nothing yet; `what` says in words, with names, what it will do.
    #[must_use]
    pub fn new(what: String) -> Self {
        Self {
            what,
            operators: BTreeMap::new(),
            operands: BTreeMap::new(),
            sources: BTreeMap::new(),
            uses: BTreeMap::new(),
            removed: BTreeSet::new(),
            added: Vec::new(),
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

    /// The value becomes a constant of these numbers; the node that made it, if one did, is no more.
    #[must_use]
    pub fn constant(mut self, value: ValueId, numbers: Vec<f32>) -> Self {
        self.sources.insert(value, numbers);
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

    /// A new constant that stands before `before`, named after `stem`, and its id.
    pub fn add_constant(
        &mut self,
        graph: &Graph,
        before: ValueId,
        stem: &str,
        shape: &[usize],
        numbers: Vec<f32>,
    ) -> ValueId {
        self.add(graph, before, stem, shape, Source::Constant(numbers), None)
    }

    /// A new node that stands before `before`, its result named after `stem`, and that result's id.
    pub fn add_node(
        &mut self,
        graph: &Graph,
        before: ValueId,
        stem: &str,
        shape: &[usize],
        op: Op,
        operands: Vec<ValueId>,
    ) -> ValueId {
        self.add(
            graph,
            before,
            stem,
            shape,
            Source::Node,
            Some((op, operands)),
        )
    }

    /// What the node that makes `user` is to read in place of the constant `id`: `id` itself with these numbers where
    /// nobody else reads it, and a new constant where somebody does.
    pub fn own_constant(
        &mut self,
        graph: &Graph,
        user: ValueId,
        id: ValueId,
        numbers: Vec<f32>,
    ) -> ValueId {
        if graph.uses(id) == 1 {
            self.sources.insert(id, numbers);
            return id;
        }
        let value = &graph.values[id.index()];
        self.add_constant(graph, user, &value.name, &value.shape, numbers)
    }

    fn add(
        &mut self,
        graph: &Graph,
        before: ValueId,
        stem: &str,
        shape: &[usize],
        source: Source,
        node: Option<(Op, Vec<ValueId>)>,
    ) -> ValueId {
        let taken = |name: &str| {
            graph.find(name).is_some() || self.added.iter().any(|added| added.value.name == name)
        };
        let numbered = (1..).map(|number: usize| format!("{stem}_{number}"));
        let mut names = std::iter::once(stem.to_owned()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        self.added.push(Added {
            before,
            value: Value {
                name,
                shape: shape.to_vec(),
                source,
            },
            node,
        });
        ValueId::from_index(graph.values.len() + self.added.len() - 1)
    }

    /// The changed graph; the values that remain keep their order.
    #[must_use]
    pub fn apply(&self, graph: &Graph) -> Graph {
        let count = graph.values.len();
        let mut values = Vec::with_capacity(count + self.added.len());
        // A removed value gets a place where none is: the verifier refuses whoever still uses it.
        let mut places = vec![ValueId::from_index(usize::MAX); count + self.added.len()];
        for (id, value) in graph.ids().zip(&graph.values) {
            for (added, place) in self.added.iter().zip(count..) {
                if added.before == id {
                    places[place] = ValueId::from_index(values.len());
                    values.push(added.value.clone());
                }
            }
            if self.removed.contains(&id) {
                continue;
            }
            places[id.index()] = ValueId::from_index(values.len());
            let mut value = value.clone();
            if let Some(numbers) = self.sources.get(&id) {
                value.source = Source::Constant(numbers.clone());
            }
            values.push(value);
        }
        let place = |id: ValueId| places.get(id.index()).copied().unwrap_or(id);
        let target = |id: &ValueId| place(self.uses.get(id).copied().unwrap_or(*id));
        let kept = graph.nodes.iter().filter(|node| {
            !self.removed.contains(&node.output) && !self.sources.contains_key(&node.output)
        });
        let mut nodes: Vec<Node> = kept
            .map(|node| Node {
                op: self.operators.get(&node.output).unwrap_or(&node.op).clone(),
                inputs: self
                    .operands
                    .get(&node.output)
                    .unwrap_or(&node.inputs)
                    .iter()
                    .map(target)
                    .collect(),
                output: place(node.output),
            })
            .collect();
        for (added, index) in self.added.iter().zip(count..) {
            if let Some((op, operands)) = &added.node {
                nodes.push(Node {
                    op: op.clone(),
                    // Its own operands are as they were asked for: it may stand between a value and its users.
                    inputs: operands.iter().map(|id| place(*id)).collect(),
                    output: places[index],
                });
            }
        }
        nodes.sort_by_key(|node| node.output);
        Graph {
            name: graph.name.clone(),
            nodes,
            inputs: graph.inputs.iter().map(|id| place(*id)).collect(),
            outputs: graph.outputs.iter().map(target).collect(),
            values,
        }
    }
}
