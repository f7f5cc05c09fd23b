//! Where everything of a compiled model lies in its arena.
//!
//! A subgraph's tensors are placed by [`arena::place`], behind all that is in use while an operator runs that calls it: two that
//! the same operator calls share their bytes. Nothing calls itself, so each subgraph has its bytes once. Its variables, which
//! carry their content from call to call, lie among the tensors of the main subgraph. Behind all of them lies what operators
//! keep from run to run.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use ember_micro::initial_byte;
use ember_tflite::{SubgraphId, TensorId};

use super::arena::{self, Buffer};
use super::graph::{Graph, Place, ids};
use super::step::Bytes;
use super::{Part, Work};

/// What an operator keeps from run to run, besides tensors that are variables: a resource variable, or whether a CALL_ONCE has
/// called.
pub(super) struct Kept {
    /// Bytes.
    pub(super) len: usize,
    /// What each of them is in the beginning.
    pub(super) filler: u8,
    /// The name of a resource variable.
    pub(super) name: Option<String>,
}

/// The places of all tensors and of what is kept.
pub(super) struct Layout {
    parts: Vec<PartLayout>,
    /// By the numbers that the interpreter has for them.
    kept: BTreeMap<u32, Range<usize>>,
    /// Variables of the main subgraph and what is kept, with what fills them in the beginning.
    pub(super) variables: Vec<(Range<usize>, u8)>,
    pub(super) arena_bytes: usize,
}

/// Where what one subgraph uses lies.
#[derive(Default)]
struct PartLayout {
    tensors: HashMap<u32, Range<usize>>,
    /// For each operator's bindings.
    bound: Vec<Vec<Range<usize>>>,
    variables: Vec<(Range<usize>, u8)>,
    /// In the main subgraph, the variables of the others.
    others: Vec<Range<usize>>,
    /// The end of what is in use while each operator runs.
    ends: Vec<usize>,
    end: usize,
}

impl Layout {
    /// Lays out the main subgraph, the first of `parts`, and those that are called.
    pub(super) fn new(parts: &[Part<'_>], kept: &BTreeMap<u32, Kept>) -> Self {
        let mut layouts: Vec<PartLayout> = parts.iter().map(|_| PartLayout::default()).collect();
        let mut floors = vec![0; parts.len()];
        let called = parts.iter().enumerate().skip(1);
        let called = called.flat_map(|(part, own)| {
            let own = variables(&own.graph);
            own.map(move |(root, len, first)| (part, root, len, first))
        });
        let called: Vec<(usize, u32, usize, u8)> = called.collect();
        let lens: Vec<usize> = called.iter().map(|(_, _, len, _)| *len).collect();
        // Known once the main subgraph is laid out, which comes first.
        let mut fixed: Vec<HashMap<u32, Range<usize>>> = vec![HashMap::new(); parts.len()];
        for index in callers_first(parts) {
            let lens = if index == 0 { &lens[..] } else { &[] };
            let layout = PartLayout::new(&parts[index], floors[index], &fixed[index], lens);
            for ((part, root, ..), place) in called.iter().zip(&layout.others) {
                fixed[*part].insert(*root, place.clone());
            }
            for (called, at) in calls(&parts[index]) {
                floors[called] = layout.ends[at].max(floors[called]);
            }
            layouts[index] = layout;
        }
        let end = layouts.iter().map(|layout| layout.end).max();
        let mut end = end.unwrap_or_default();
        let others = layouts[0].others.iter().cloned();
        let others = others.zip(called.iter().map(|(.., first)| *first));
        let mut variables: Vec<_> = layouts[0].variables.iter().cloned().chain(others).collect();
        let mut places = BTreeMap::new();
        for (number, Kept { len, filler, .. }) in kept {
            let place = end..end + len;
            end = place.end.next_multiple_of(4);
            variables.push((place.clone(), *filler));
            places.insert(*number, place);
        }
        Self {
            parts: layouts,
            kept: places,
            variables,
            arena_bytes: end,
        }
    }

    /// Where the tensor lies that has this number in this part, and shares no other's bytes.
    pub(super) fn tensor(&self, part: usize, root: u32) -> Range<usize> {
        let place = self.parts[part].tensors.get(&root).cloned();
        place.unwrap_or_default()
    }

    /// Where the bindings of an operator lie.
    pub(super) fn bound(&self, part: usize, operator: usize) -> &[Range<usize>] {
        &self.parts[part].bound[operator]
    }

    /// Where lies what is kept under this number.
    pub(super) fn kept(&self, number: u32) -> Range<usize> {
        self.kept.get(&number).cloned().unwrap_or_default()
    }
}

/// The parts that a part calls, and by which operator.
fn calls(part: &Part<'_>) -> impl Iterator<Item = (usize, usize)> {
    let operators = part.operators.iter().enumerate();
    operators.flat_map(|(at, operator)| {
        let called = match &operator.work {
            Work::Flow(flow) => flow.called(),
            Work::Nothing | Work::Kernel(_) => Vec::new(),
        };
        called.into_iter().map(move |called| (called, at))
    })
}

/// The numbers of all parts, none before one that calls it.
fn callers_first(parts: &[Part<'_>]) -> Vec<usize> {
    let mut waiting = vec![0; parts.len()];
    for (called, _) in parts.iter().flat_map(calls) {
        waiting[called] += 1;
    }
    let mut order = vec![0];
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for (called, _) in calls(&parts[index]) {
            waiting[called] -= 1;
            if waiting[called] == 0 {
                order.push(called);
            }
        }
    }
    order
}

/// The variables of a subgraph that is called, with their bytes and what each byte is at first. An input is none: every call
/// overwrites it.
fn variables(graph: &Graph<'_>) -> impl Iterator<Item = (u32, usize, u8)> {
    let tensors = graph.subgraph.tensors().zip(0..);
    tensors.filter_map(|(tensor, id)| {
        let is_input = ids(graph.subgraph.inputs()).any(|input| input == id);
        let root = match graph.place(TensorId(id)) {
            Place::Arena(root) => root,
            Place::Constant(_) => return None,
        };
        let variable = (root, tensor.byte_len(), initial_byte(&tensor));
        (tensor.is_variable() && !is_input).then_some(variable)
    })
}

impl PartLayout {
    /// Lays out a part behind `floor`, but for the tensors that are `fixed`, with further bytes of these lengths that are
    /// in use all the time.
    fn new(
        part: &Part<'_>,
        floor: usize,
        fixed: &HashMap<u32, Range<usize>>,
        others: &[usize],
    ) -> Self {
        let Part { graph, operators } = part;
        let mut buffers: Vec<Buffer> = Vec::new();
        let mut of_tensor = HashMap::new();
        let mut of_fixed = HashMap::new();
        let mut use_tensor = |buffers: &mut Vec<Buffer>, root: u32, at: usize| {
            let index = *of_tensor.entry(root).or_insert_with(|| {
                let place = fixed.get(&root);
                let len = graph.byte_len(TensorId(root));
                buffers.push(Buffer {
                    len: if place.is_some() { 0 } else { len },
                    first: at,
                    last: at,
                });
                of_fixed.extend(place.map(|place| (buffers.len() - 1, place.clone())));
                buffers.len() - 1
            });
            buffers[index].last = buffers[index].last.max(at);
            index
        };
        // Operator `index` is at `index + 1`: before the first one the inputs are written, after the last one the outputs read.
        let end = operators.len() + 1;
        let mut port =
            |buffers: &mut Vec<Buffer>, id: u32, at: usize| match graph.place(TensorId(id)) {
                Place::Arena(root) => Some(use_tensor(buffers, root, at)),
                Place::Constant(_) => None,
            };
        for id in ids(graph.subgraph.inputs()) {
            port(&mut buffers, id, 0);
        }
        let mut variables = Vec::new();
        for (tensor, id) in graph.subgraph.tensors().zip(0..) {
            // A variable carries its value from one run to the next.
            if tensor.is_variable()
                && graph.id == SubgraphId::MAIN
                && let Some(index) = port(&mut buffers, id, 0)
            {
                buffers[index].last = end;
                variables.push((index, initial_byte(&tensor)));
            }
        }
        let mut bound = Vec::new();
        for ((of_file, operator), at) in graph.subgraph.operators().zip(operators).zip(1..) {
            let mut indices = Vec::new();
            match &operator.work {
                Work::Nothing => {}
                Work::Kernel(function) => {
                    for (_, bytes) in &function.bindings {
                        indices.push(match *bytes {
                            Bytes::Tensor(root) => port(&mut buffers, root, at).unwrap_or_default(),
                            Bytes::Scratch(len) => {
                                buffers.push(Buffer {
                                    len,
                                    first: at,
                                    last: at,
                                });
                                buffers.len() - 1
                            }
                            Bytes::State(len) => {
                                buffers.push(Buffer {
                                    len,
                                    first: 0,
                                    last: end,
                                });
                                variables.push((buffers.len() - 1, 0));
                                buffers.len() - 1
                            }
                        });
                    }
                }
                Work::Flow(_) => {
                    for id in ids(of_file.inputs()).chain(ids(of_file.outputs())) {
                        port(&mut buffers, id, at);
                    }
                }
            }
            bound.push(indices);
        }
        for id in ids(graph.subgraph.outputs()) {
            port(&mut buffers, id, end);
        }
        let first_other = buffers.len();
        buffers.extend(others.iter().map(|len| Buffer {
            len: *len,
            first: 0,
            last: end,
        }));
        let (ranges, bytes) = arena::place(&buffers);
        let range = |index: usize| {
            if let Some(place) = of_fixed.get(&index) {
                return place.clone();
            }
            let Range { start, end } = ranges[index].clone();
            start + floor..end + floor
        };
        let ends = (1..end).map(|at| {
            let used = buffers.iter().zip(&ranges);
            let used = used.filter(|(buffer, _)| (buffer.first..=buffer.last).contains(&at));
            let end = used.map(|(_, range)| range.end).max().unwrap_or_default();
            (floor + end).next_multiple_of(arena::ALIGNMENT)
        });
        let bound = bound.into_iter();
        let variables = variables.into_iter();
        Self {
            ends: ends.collect(),
            bound: bound
                .map(|indices| indices.into_iter().map(range).collect())
                .collect(),
            variables: variables
                .map(|(index, byte)| (range(index), byte))
                .collect(),
            tensors: of_tensor
                .into_iter()
                .map(|(root, index)| (root, range(index)))
                .collect(),
            others: (first_other..buffers.len()).map(range).collect(),
            end: floor + bytes,
        }
    }
}
