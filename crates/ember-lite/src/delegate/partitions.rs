//! Which operators a delegate runs as wholes.
//!
//! Operators are joined along the tensors between them as long as the graph of what is joined has no cycle: two that are joined
//! have no path between them through a third. All partitions can then run one after the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{DECODE, Subgraph, TensorId};

use super::Node;

/// What operators have to do with each other.
pub(super) struct Wiring {
    /// For each operator, those that must run after it.
    after: Vec<Vec<usize>>,
    /// For each operator, why delegates are not asked for it; `None` where they are.
    closed: Vec<Option<&'static str>>,
    /// For each tensor, the operator that writes it.
    writer: Vec<Option<usize>>,
    /// For each tensor, the operators that read it.
    readers: Vec<Vec<usize>>,
}

impl Wiring {
    pub(super) fn of(graph: Subgraph<'_>) -> Wiring {
        let (operators, tensors) = (graph.operator_count(), graph.tensor_count());
        let mut wiring = Wiring {
            after: vec![Vec::new(); operators],
            closed: vec![None; operators],
            writer: vec![None; tensors],
            readers: vec![Vec::new(); tensors],
        };
        for index in 0..operators {
            let Some(node) = Node::of(graph, index) else {
                continue;
            };
            for TensorId(id) in node.input_ids().flatten() {
                if let Some(readers) = wiring.readers.get_mut(id as usize) {
                    readers.push(index);
                }
            }
            for TensorId(id) in node.output_ids().flatten() {
                if let Some(writer) = wiring.writer.get_mut(id as usize) {
                    *writer = Some(index);
                }
            }
        }
        for (writer, readers) in wiring.writer.iter().zip(&wiring.readers) {
            if let Some(writer) = writer {
                wiring.after[*writer].extend(readers);
            }
        }
        // What has a state keeps its order.
        let mut last = None;
        for index in 0..operators {
            let Some(node) = Node::of(graph, index) else {
                continue;
            };
            if has_state(&node) {
                if let Some(last) = last.replace(index) {
                    wiring.after[last].push(index);
                }
                wiring.closed[index] = Some("it has a state, subgraphs or resources");
            } else if wiring.reads_decoded(graph, &node) {
                wiring.closed[index] = Some("its weights are stored compressed");
            } else if !is_plain(&node) {
                wiring.closed[index] = Some("not all of its tensors are blocks of numbers");
            }
        }
        wiring
    }

    /// Why delegates may not be asked for this operator; `None` where they may.
    pub(super) fn closed(&self, operator: usize) -> Option<&'static str> {
        self.closed[operator]
    }

    pub(super) fn writer(&self, TensorId(id): TensorId) -> Option<usize> {
        self.writer.get(id as usize).copied().flatten()
    }

    pub(super) fn readers(&self, TensorId(id): TensorId) -> &[usize] {
        self.readers.get(id as usize).map_or(&[], Vec::as_slice)
    }

    /// Whether it has weights that are never there as a whole.
    fn reads_decoded(&self, graph: Subgraph<'_>, node: &Node<'_>) -> bool {
        let mut writers = node.input_ids().flatten().filter_map(|id| self.writer(id));
        writers.any(|writer| Node::of(graph, writer).is_some_and(|writer| is_decode(&writer)))
    }
}

fn is_decode(node: &Node<'_>) -> bool {
    node.operator().custom_name() == DECODE.as_bytes()
}

/// Whether what it does depends on more than its inputs, or changes more than its outputs.
fn has_state(node: &Node<'_>) -> bool {
    let runs_subgraphs = matches!(
        node.op(),
        Some(BuiltinOp::If | BuiltinOp::While | BuiltinOp::CallOnce | BuiltinOp::VarHandle)
    );
    let tensors = (0..node.input_ids().len()).filter_map(|at| node.input(at));
    let outputs = (0..node.output_ids().len()).filter_map(|at| node.output(at));
    runs_subgraphs
        || tensors.chain(outputs).any(|tensor| {
            tensor.is_variable() || matches!(tensor.dtype(), Dtype::Resource | Dtype::Variant)
        })
}

/// Whether its tensors are blocks of bytes, and its outputs are all there.
fn is_plain(node: &Node<'_>) -> bool {
    let sized = |dtype: Dtype| dtype.bits().is_some();
    let inputs = (0..node.input_ids().len()).filter_map(|at| node.input(at));
    let outputs = (0..node.output_ids().len()).map(|at| node.output(at));
    !is_decode(node)
        && node.output_ids().len() > 0
        && inputs.into_iter().all(|input| sized(input.dtype()))
        && outputs
            .into_iter()
            .all(|output| output.is_some_and(|output| sized(output.dtype())))
}

/// For each operator the unit that it is part of. A unit runs as a whole.
#[derive(Clone, Debug)]
pub(super) struct Units {
    unit: Vec<usize>,
    members: Vec<Vec<usize>>,
}

impl Units {
    /// Every operator by itself.
    pub(super) fn apart(operators: usize) -> Units {
        Units {
            unit: (0..operators).collect(),
            members: (0..operators).map(|index| vec![index]).collect(),
        }
    }

    /// The operators of the unit that `operator` is in, in their order.
    pub(super) fn of(&self, operator: usize) -> &[usize] {
        &self.members[self.unit[operator]]
    }

    /// Joins operators that were `taken`, as many as go together.
    pub(super) fn join(&mut self, wiring: &Wiring, taken: &[bool]) {
        // What was in the way of two operators may have been joined with one of them since.
        loop {
            let mut joined = false;
            for from in 0..taken.len() {
                for to in wiring.after[from].iter().copied() {
                    let (a, b) = (self.unit[from], self.unit[to]);
                    if taken[from] && taken[to] && a != b && !self.leads_around(wiring, a, b) {
                        self.merge(a, b);
                        joined = true;
                    }
                }
            }
            if !joined {
                return;
            }
        }
    }

    fn merge(&mut self, a: usize, b: usize) {
        let moved = std::mem::take(&mut self.members[b]);
        for operator in &moved {
            self.unit[*operator] = a;
        }
        self.members[a].extend(moved);
        self.members[a].sort_unstable();
    }

    /// Takes the unit that `operator` is in apart.
    pub(super) fn split(&mut self, operator: usize) {
        let members = std::mem::take(&mut self.members[self.unit[operator]]);
        // Each name of a unit is the number of one of its operators.
        for member in members {
            self.unit[member] = member;
            self.members[member] = vec![member];
        }
    }

    /// The units that must run after unit `a`.
    fn after<'w>(&'w self, wiring: &'w Wiring, a: usize) -> impl Iterator<Item = usize> + 'w {
        let operators = self.members[a].iter();
        let after = operators.flat_map(|operator| &wiring.after[*operator]);
        after
            .map(|operator| self.unit[*operator])
            .filter(move |unit| *unit != a)
    }

    /// Whether there is a path from unit `a` to unit `b` by way of another.
    fn leads_around(&self, wiring: &Wiring, a: usize, b: usize) -> bool {
        let mut seen = vec![false; self.unit.len()];
        let mut open: Vec<usize> = self.after(wiring, a).filter(|unit| *unit != b).collect();
        while let Some(unit) = open.pop() {
            if unit == b {
                return true;
            }
            if !std::mem::replace(&mut seen[unit], true) {
                open.extend(self.after(wiring, unit));
            }
        }
        false
    }

    /// The units in an order in which they can run, each by its operators. Where there is a choice, the one with the first
    /// operator goes first; units of one operator each keep the model's order.
    pub(super) fn order(&self, wiring: &Wiring) -> Vec<Vec<usize>> {
        let mut waits_for = vec![0_usize; self.unit.len()];
        for unit in 0..self.unit.len() {
            for after in self.after(wiring, unit) {
                waits_for[after] += 1;
            }
        }
        let first = |unit: usize| self.members[unit].first().copied();
        let ready = (0..self.unit.len()).filter(|unit| waits_for[*unit] == 0);
        let mut ready: BinaryHeap<Reverse<(usize, usize)>> = ready
            .filter_map(|unit| Some(Reverse((first(unit)?, unit))))
            .collect();
        let mut order = Vec::new();
        while let Some(Reverse((_, unit))) = ready.pop() {
            for after in self.after(wiring, unit) {
                waits_for[after] -= 1;
                if waits_for[after] == 0 {
                    ready.extend(first(after).map(|first| Reverse((first, after))));
                }
            }
            order.push(self.members[unit].clone());
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operators and what must run after each.
    fn wired(after: &[&[usize]]) -> Wiring {
        Wiring {
            after: after.iter().map(|after| after.to_vec()).collect(),
            closed: vec![None; after.len()],
            writer: Vec::new(),
            readers: Vec::new(),
        }
    }

    fn joined(wiring: &Wiring, taken: &[bool]) -> Vec<Vec<usize>> {
        let mut units = Units::apart(taken.len());
        units.join(wiring, taken);
        units.order(wiring)
    }

    #[test]
    fn a_chain_is_one_unit() {
        let chain = wired(&[&[1], &[2], &[]]);
        assert_eq!(joined(&chain, &[true; 3]), [vec![0, 1, 2]]);
        assert_eq!(
            joined(&chain, &[true, false, true]),
            [vec![0], vec![1], vec![2]]
        );
    }

    #[test]
    fn nothing_leaves_a_unit_and_comes_back() {
        // 0 feeds 1 and 2, both feed 3; 1 stays outside.
        let diamond = wired(&[&[1, 2], &[3], &[3], &[]]);
        assert_eq!(joined(&diamond, &[true; 4]), [vec![0, 1, 2, 3]]);
        assert_eq!(
            joined(&diamond, &[true, false, true, true]),
            [vec![0, 2], vec![1], vec![3]]
        );
    }

    #[test]
    fn two_units_do_not_wait_for_each_other() {
        // 0 -> 3 and 1 -> 2 are two pairs; 0 feeds 2 and 1 feeds 3, so that only one of the pairs can be a unit if 2 and 3 are
        // not taken by the delegate that has the other.
        let crossed = wired(&[&[3, 2], &[2, 3], &[], &[]]);
        let mut units = Units::apart(4);
        units.join(&crossed, &[true, false, false, true]);
        units.join(&crossed, &[false, true, true, false]);
        assert_eq!(units.order(&crossed), [vec![1], vec![0, 3], vec![2]]);
    }

    #[test]
    fn a_unit_that_is_taken_apart_runs_as_before() {
        let chain = wired(&[&[1], &[2], &[]]);
        let mut units = Units::apart(3);
        units.join(&chain, &[true; 3]);
        units.split(1);
        assert_eq!(units.order(&chain), [vec![0], vec![1], vec![2]]);
    }
}
