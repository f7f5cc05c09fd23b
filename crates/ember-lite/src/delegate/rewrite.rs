//! From a model and delegates to the model that runs: each partition is one custom operator of it.

use std::sync::Arc;

use ember_core::BuiltinOp;
use ember_micro::plan;
use ember_tflite::write::{ModelSpec, OperatorSpec};
use ember_tflite::{Options, PLAN, Subgraph, TensorId};

use super::kernel::{CODE, MAX_OPERANDS};
use super::partitions::{Units, Wiring};
use super::{
    Compiled, Declined, Delegate, Delegation, Left, Node, Partition, PlacedPartition, is_constant,
};
use crate::{LiteError, MappedModel, names};

impl MappedModel {
    /// The same model with as many of its operators as go run by `delegates`; of several that take an operator, the first one has
    /// it. [`delegation`](Self::delegation) of what comes back says what became of each operator.
    ///
    /// Tensors keep their numbers. An arena plan in the model's metadata is left behind: it knows nothing of partitions.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] where the order of the operators or a plan in the metadata is wrong; [`LiteError::Write`] for a
    /// model that cannot be taken apart and written again; [`LiteError::Delegated`] for one that this function made. A delegate
    /// that cannot compile a partition is no error: see [`Delegation::declined`].
    pub fn delegated(&self, delegates: &[&dyn Delegate]) -> Result<MappedModel, LiteError> {
        let model = self.model()?;
        let graph = model.main();
        let is_ours = |node: &Node<'_>| node.operator().custom_name() == CODE.as_bytes();
        if nodes(graph).any(|node| is_ours(&node)) {
            return Err(LiteError::Delegated {
                model: self.name().to_owned(),
            });
        }
        // From here on, what is read was written before.
        plan::offsets(&model).map_err(|source| LiteError::Prepare {
            model: self.name().to_owned(),
            source,
        })?;
        let mut assignment = Assignment::none(graph);
        for delegate in delegates {
            assignment.offer(graph, *delegate);
        }

        let mut spec = self.spec()?;
        spec.metadata.retain(|(name, _)| name != PLAN);
        let delegation = assignment.finish(graph, &mut spec);
        let mut delegated = MappedModel::from_bytes(&self.write(&spec)?, self.name())?;
        delegated.set_delegation(delegation, self);
        Ok(delegated)
    }
}

fn nodes(graph: Subgraph<'_>) -> impl Iterator<Item = Node<'_>> {
    (0..graph.operator_count()).filter_map(move |index| Node::of(graph, index))
}

/// A partition and what runs it.
struct Claim {
    delegate: String,
    inputs: Vec<TensorId>,
    outputs: Vec<TensorId>,
    compiled: Box<dyn Compiled>,
}

/// Who has what so far.
struct Assignment {
    wiring: Wiring,
    units: Units,
    /// By the first operator of the partition.
    claims: Vec<Option<Claim>>,
    /// For each operator, whether it is in a partition.
    taken: Vec<bool>,
    declined: Vec<Declined>,
    /// For each operator.
    left: Vec<Vec<Left>>,
}

impl Assignment {
    fn none(graph: Subgraph<'_>) -> Assignment {
        let count = graph.operator_count();
        Assignment {
            wiring: Wiring::of(graph),
            units: Units::apart(count),
            claims: (0..count).map(|_| None).collect(),
            taken: vec![false; count],
            declined: Vec::new(),
            left: vec![Vec::new(); count],
        }
    }

    /// Lets a delegate take from what nobody has.
    fn offer(&mut self, graph: Subgraph<'_>, delegate: &dyn Delegate) {
        let count = self.taken.len();
        let mut takes = vec![false; count];
        for node in nodes(graph) {
            let at = node.index();
            if self.taken[at] {
                continue;
            }
            let answer = match self.wiring.closed(at) {
                None => delegate.takes(&node),
                Some(reason) => Err(reason.to_owned()),
            };
            match answer {
                Ok(()) => takes[at] = true,
                Err(reason) => self.left[at].push(Left {
                    delegate: delegate.name().to_owned(),
                    reason,
                }),
            }
        }
        self.units.join(&self.wiring, &takes);
        let is_first = |at: &usize| takes[*at] && self.units.of(*at).first() == Some(at);
        // What is declined comes apart, and is not offered a second time.
        for first in (0..count).filter(is_first).collect::<Vec<_>>() {
            let operators = self.units.of(first).to_vec();
            let partition = self.partition(graph, &operators);
            match accept(delegate, &partition) {
                Ok(compiled) => {
                    for operator in &operators {
                        self.taken[*operator] = true;
                    }
                    self.claims[first] = Some(Claim {
                        delegate: delegate.name().to_owned(),
                        inputs: partition.inputs,
                        outputs: partition.outputs,
                        compiled,
                    });
                }
                Err(reason) => {
                    self.units.split(first);
                    self.declined.push(Declined {
                        delegate: delegate.name().to_owned(),
                        operators,
                        reason,
                    });
                }
            }
        }
    }

    /// These operators as a partition.
    fn partition<'m>(&self, graph: Subgraph<'m>, operators: &[usize]) -> Partition<'m> {
        let is_inside = |operator: &usize| operators.contains(operator);
        let nodes: Vec<Node<'m>> = operators
            .iter()
            .filter_map(|operator| Node::of(graph, *operator))
            .collect();
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for id in nodes.iter().flat_map(Node::input_ids).flatten() {
            let constant = graph.tensor(id).is_some_and(|tensor| is_constant(&tensor));
            let inside = self.wiring.writer(id).is_some_and(|at| is_inside(&at));
            if !constant && !inside && !inputs.contains(&id) {
                inputs.push(id);
            }
        }
        for id in nodes.iter().flat_map(Node::output_ids).flatten() {
            let given_out = graph.outputs().iter().flatten().any(|output| output == id);
            let leaves = given_out || !self.wiring.readers(id).iter().all(is_inside);
            if leaves && !outputs.contains(&id) {
                outputs.push(id);
            }
        }
        Partition {
            graph,
            nodes,
            inputs,
            outputs,
        }
    }

    /// Puts the partitions into the spec of the model.
    fn finish(mut self, graph: Subgraph<'_>, spec: &mut ModelSpec) -> Delegation {
        let origins = self.units.order(&self.wiring);
        let mut operators: Vec<Option<OperatorSpec>> = std::mem::take(&mut spec.operators)
            .into_iter()
            .map(Some)
            .collect();
        let (mut partitions, mut compiled) = (Vec::new(), Vec::new());
        for members in &origins {
            let Some(first) = members.first() else {
                continue;
            };
            match self.claims[*first].take() {
                Some(claim) => {
                    let number = partitions.len() as u32;
                    spec.operators.push(OperatorSpec {
                        custom_code: CODE.to_owned(),
                        custom_options: number.to_le_bytes().to_vec(),
                        ..OperatorSpec::new(
                            BuiltinOp::Custom,
                            claim.inputs.iter().copied(),
                            claim.outputs.iter().copied(),
                            Options::None,
                        )
                    });
                    partitions.push(PlacedPartition {
                        delegate: claim.delegate,
                        operators: members.clone(),
                        inputs: claim.inputs.iter().map(|id| id.0).collect(),
                        outputs: claim.outputs.iter().map(|id| id.0).collect(),
                    });
                    compiled.push(claim.compiled);
                }
                None => spec.operators.extend(operators[*first].take()),
            }
        }
        // What only delegates read need not be in the model a second time.
        let mut kept = vec![false; spec.tensors.len()];
        let read = spec.operators.iter().flat_map(|operator| &operator.inputs);
        for id in read.flatten().chain(&spec.outputs) {
            if let Some(kept) = kept.get_mut(id.0 as usize) {
                *kept = true;
            }
        }
        for (tensor, kept) in spec.tensors.iter_mut().zip(kept) {
            if !kept {
                tensor.data = None;
            }
        }
        Delegation {
            partitions,
            declined: self.declined,
            left: self.left,
            operators: graph
                .operators()
                .map(|operator| names::operator(&operator))
                .collect(),
            origins,
            compiled: Arc::from(compiled),
        }
    }
}

/// Has a delegate compile a partition, if it can be one at all.
fn accept(delegate: &dyn Delegate, partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
    let (inputs, outputs) = (partition.inputs.len(), partition.outputs.len());
    if outputs == 0 {
        return Err("nobody reads what they compute".to_owned());
    }
    if inputs > MAX_OPERANDS || outputs > MAX_OPERANDS {
        return Err(format!(
            "together they have {inputs} inputs and {outputs} outputs, and a partition has {MAX_OPERANDS} of each at most"
        ));
    }
    delegate.compile(partition)
}
