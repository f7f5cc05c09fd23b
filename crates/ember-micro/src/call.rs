//! Subgraphs that operators call: their preparation as a part of the caller's, and their run.
//!
//! What a call needs lies in the words that the calling operator keeps: the numbers of the subgraph's inputs and outputs, its
//! table of tensors and its steps, which hold in the same way what its own operators call. So a model without calls has
//! nothing of it, and only kernels that call link it. A subgraph that several operators call is prepared for each.
//!
//! The activations of a subgraph lie behind everything that is in use while the calling operator runs. Inputs and outputs
//! are copied, as in TFLM (`micro/kernels/kernel_util.cc`). So are tensors that keep their content: between two calls it lies
//! where [`state`] is, once for each subgraph, so that all who call it find what the last call left, as in TFLM, where a
//! subgraph's variables have a place of their own (`micro/micro_interpreter_graph.cc`).
//!
//! **Invariant:** calls are at most [`DEPTH`] deep, and a subgraph never calls itself: preparation and run go no deeper.

#[cfg(feature = "alloc")]
use ember_core::BuiltinOp;
use ember_core::Dtype;
use ember_tflite::{Subgraph, SubgraphId, TensorId, TensorIds};

use core::ops::Range;

use crate::error::{Fault, InvokeFault, PrepareError, Refused, Slot};
use crate::interpreter::initial_byte;
use crate::io::Io;
use crate::plan::{LIMIT, Location, Row};
use crate::prepare::{Failure, Path, Prepare};
use crate::run::{Program, Run};
use crate::state;
use crate::steps::{self, Site, Unprepared};

/// Calls within calls, the first one included.
pub(crate) const DEPTH: usize = 8;

/// Words of preparation beyond which no subgraph is called: 4 MiB. Subgraphs that call others several times would else be
/// prepared without an end.
const MOST_WORDS: usize = 1 << 20;

ember_core::plain! {
    /// A prepared subgraph: how many words of each kind the operator keeps for it.
    #[derive(Clone, Copy, Debug)]
    pub struct Callee {
        inputs: u32,
        outputs: u32,
        tensors: u32,
        steps: u32,
        variables: u32,
        /// Bytes from where their content is kept to the end of the activations.
        kept: u32,
    }
}

/// A subgraph that an operator wants to call.
pub(crate) struct Target<'p> {
    id: SubgraphId,
    graph: Subgraph<'p>,
}

impl<'p> Target<'p> {
    /// The subgraph with this number.
    pub(crate) fn find(cx: &Prepare<'p>, number: i32) -> Result<Self, Refused> {
        let id = u32::try_from(number).ok().map(SubgraphId);
        let graph = id.and_then(|id| Some((id, cx.graph.model().subgraph(id)?)));
        let (id, graph) = cx.expect(graph, Fault::NoSubgraph(number))?;
        let mut path = Some(cx.path);
        let mut depth = 0;
        while let Some(Path { subgraph, caller }) = path {
            if *subgraph == id {
                return Err(cx.refuse(Fault::Recursion(id.0)));
            }
            depth += 1;
            path = *caller;
        }
        if depth > DEPTH {
            return Err(cx.refuse(Fault::Depth(id.0)));
        }
        Ok(Self { id, graph })
    }

    /// Checks that it has so many inputs and outputs.
    fn arity(&self, cx: &Prepare<'_>, inputs: usize, outputs: usize) -> Result<(), Refused> {
        let own = (self.graph.inputs().len(), self.graph.outputs().len());
        if own == (inputs, outputs) {
            return Ok(());
        }
        Err(cx.refuse(Fault::CalledArity {
            subgraph: self.id.0,
            inputs: own.0.min(255) as u8,
            outputs: own.1.min(255) as u8,
        }))
    }

    /// Checks that a tensor of the operator has type and shape of one of the subgraph.
    fn matches(&self, cx: &Prepare<'_>, slot: Slot, own: Option<TensorId>) -> Result<(), Refused> {
        let own = own.and_then(|id| self.graph.tensor(id));
        let given = slot.of(cx.graph, &cx.operator);
        let given = cx.expect(given, Fault::Missing(slot))?;
        let same = own.is_some_and(|own| {
            own.dtype() == given.dtype()
                && own.dtype().bits().is_some()
                && own.shape() == given.shape()
        });
        if same {
            return Ok(());
        }
        let subgraph = self.id.0;
        Err(cx.refuse(Fault::CalledTensor { slot, subgraph }))
    }

    /// Checks that its inputs are those of the operator from number `first` on.
    fn takes(&self, cx: &Prepare<'_>, first: usize) -> Result<(), Refused> {
        for (own, slot) in self.graph.inputs().iter().zip(first as u8..) {
            self.matches(cx, Slot::input(slot), own)?;
        }
        Ok(())
    }

    /// Checks that its inputs are those of the operator from number `first` on, and its outputs those of the operator.
    pub(crate) fn has_signature(&self, cx: &Prepare<'_>, first: usize) -> Result<(), Refused> {
        let (inputs, outputs) = (cx.operator.inputs().len(), cx.operator.outputs().len());
        self.arity(cx, inputs.saturating_sub(first), outputs)?;
        self.takes(cx, first)?;
        for (own, slot) in self.graph.outputs().iter().zip(0..) {
            self.matches(cx, Slot::output(slot), own)?;
        }
        Ok(())
    }

    /// Checks that its inputs are those of the operator, and its output is one truth value.
    pub(crate) fn is_condition(&self, cx: &Prepare<'_>) -> Result<(), Refused> {
        self.arity(cx, cx.operator.inputs().len(), 1)?;
        self.takes(cx, 0)?;
        let output = self.graph.outputs().get(0);
        let output = output.and_then(|id| self.graph.tensor(id));
        let is_bool = |tensor: &ember_tflite::Tensor<'_>| {
            tensor.dtype() == Dtype::Bool && tensor.elements() == 1
        };
        cx.expect(output.filter(is_bool), Fault::Condition(self.id.0))?;
        Ok(())
    }

    /// Checks that it has neither inputs nor outputs.
    pub(crate) fn has_no_tensors(&self, cx: &Prepare<'_>) -> Result<(), Refused> {
        self.arity(cx, 0, 0)
    }

    /// Prepares it, in words that the operator keeps.
    pub(crate) fn prepare(&self, cx: &Prepare<'_>) -> Result<Callee, Refused> {
        let Self { id, graph } = self;
        let tensors = graph.tensor_count();
        if tensors > LIMIT || graph.operator_count() > LIMIT || cx.tape.used() > MOST_WORDS {
            return Err(cx.refuse(Fault::Called(id.0)));
        }
        let inputs = graph.inputs();
        let constant = inputs.iter().any(|input| {
            let tensor = input.and_then(|input| graph.tensor(input));
            tensor.is_none_or(|tensor| tensor.data_range().1 > 0)
        });
        if constant {
            return Err(cx.refuse(Fault::ConstantInput(id.0)));
        }
        for ids in [inputs, graph.outputs()] {
            keep_ids(cx, ids)?;
        }
        let mut variables = 0;
        for (id, tensor) in state::variables(graph) {
            cx.keep(&[id | u32::from(initial_byte(&tensor)) << 16])?;
            variables += 1;
        }
        let kept = if variables > 0 {
            state::place_of(cx, *id)?
        } else {
            0
        };
        let table = cx.places(tensors * 2)?;
        let start = cx.tape.used();
        let path = Path {
            subgraph: *id,
            caller: Some(cx.path),
        };
        let site = Site {
            path: &path,
            registry: cx.registry,
            tape: cx.tape,
            state: cx.activations.state,
        };
        let floor = cx.activations.end_during(cx.index);
        let peak = match steps::prepare(graph, &site, table, floor) {
            Ok(peak) => peak,
            Err(Unprepared::Full) => return Err(cx.refuse(Fault::Arena)),
            Err(Unprepared::Refused(error)) => return Err(cx.refuse_called(error)),
        };
        cx.expect(cx.activations.reach(peak), Fault::Called(id.0))?;
        Ok(Callee {
            inputs: inputs.len() as u32,
            outputs: graph.outputs().len() as u32,
            tensors: tensors as u32,
            steps: cx.tape.used().saturating_sub(start) as u32,
            variables,
            kept,
        })
    }
}

fn keep_ids(cx: &Prepare<'_>, ids: TensorIds<'_>) -> Result<(), Refused> {
    for id in ids.iter() {
        // One that is left out names no row: the checks of the signature have refused it.
        cx.keep(&[id.map_or(u32::MAX, |TensorId(id)| id)])?;
    }
    Ok(())
}

impl Prepare<'_> {
    /// Refuses the operator for something in a subgraph that it calls.
    fn refuse_called(&self, error: PrepareError) -> Refused {
        self.failed.set(Failure::Called(error));
        Refused(())
    }
}

/// A subgraph that is ready to be called.
#[derive(Clone, Copy)]
pub(crate) struct Called<'s> {
    inputs: &'s [u32],
    outputs: &'s [u32],
    /// Tensors that keep their content, with what they are filled with at first above their 16 bits.
    pub(crate) variables: &'s [u32],
    kept: usize,
    pub(crate) program: Program<'s>,
    pub(crate) steps: &'s [u32],
}

impl<'s> Called<'s> {
    /// Takes it from the first of these words.
    pub(crate) fn take(
        callee: &Callee,
        program: &Program<'s>,
        words: &mut &'s [u32],
    ) -> Result<Self, InvokeFault> {
        let mut part = |len: usize| {
            let (part, rest) = words.split_at_checked(len)?;
            *words = rest;
            Some(part)
        };
        let mut parts = || {
            Some(Self {
                inputs: part(callee.inputs as usize)?,
                outputs: part(callee.outputs as usize)?,
                variables: part(callee.variables as usize)?,
                kept: callee.kept as usize,
                program: Program {
                    table: part((callee.tensors as usize).checked_mul(2)?)?
                        .as_chunks()
                        .0,
                    ..*program
                },
                steps: part(callee.steps as usize)?,
            })
        };
        parts().ok_or(InvokeFault::Prepared)
    }

    /// Runs it on what its inputs hold, and on what its variables held after the call before, whoever called.
    pub(crate) fn run(&self, activations: &mut [u8]) -> Result<(), InvokeFault> {
        self.fetch(activations).ok_or(InvokeFault::Prepared)?;
        self.run_steps(activations)?;
        self.store(activations).ok_or(InvokeFault::Prepared)
    }

    fn run_steps(&self, activations: &mut [u8]) -> Result<(), InvokeFault> {
        let mut run = Run {
            model: self.program.model,
            registry: self.program.registry,
            table: self.program.table,
            steps: self.steps,
            activations,
        };
        run.invoke(&mut ()).map_err(|error| error.fault)
    }

    fn row(&self, id: u32) -> Option<Row> {
        self.program.table.get(id as usize).copied()
    }

    /// Where each variable lies while the subgraph runs, and where its content is kept, and what it is filled with at first.
    fn places(
        &self,
        activations: usize,
    ) -> impl Iterator<Item = Option<(Range<usize>, usize, u8)>> {
        let mut at = activations.wrapping_sub(self.kept);
        at = at.wrapping_add(state::HEADER as usize);
        self.variables.iter().map(move |word| {
            let [place, len] = self.row(word & 0xffff)?;
            let Location::Arena(start) = Location::from_word(place) else {
                return None;
            };
            let (start, len) = (start as usize, len as usize);
            let kept = at;
            at = at.checked_add(len.checked_next_multiple_of(4)?)?;
            Some((start..start.checked_add(len)?, kept, (word >> 16) as u8))
        })
    }

    /// Fills the variables with what is kept of them, or with what they begin with.
    fn fetch(&self, activations: &mut [u8]) -> Option<()> {
        if self.variables.is_empty() {
            return Some(());
        }
        let note = activations.len().checked_sub(self.kept)?;
        let ran = *activations.get(note)? != 0;
        for place in self.places(activations.len()) {
            let (own, kept, first) = place?;
            if ran {
                let len = own.len();
                move_within(activations, kept, own.start, len)?;
            } else {
                activations.get_mut(own)?.fill(first);
            }
        }
        Some(())
    }

    /// Keeps what the variables hold.
    fn store(&self, activations: &mut [u8]) -> Option<()> {
        if self.variables.is_empty() {
            return Some(());
        }
        let note = activations.len().checked_sub(self.kept)?;
        *activations.get_mut(note)? = 1;
        for place in self.places(activations.len()) {
            let (own, kept, _) = place?;
            let len = own.len();
            move_within(activations, own.start, kept, len)?;
        }
        Some(())
    }

    /// Whether the first byte of its first output is not zero.
    pub(crate) fn holds(&self, activations: &[u8]) -> Result<bool, InvokeFault> {
        let row = self.outputs.first().and_then(|id| self.row(*id));
        let bytes = row.and_then(|row| self.program.bytes(activations, row));
        let first = bytes.and_then(|bytes| bytes.first());
        Ok(*first.ok_or(InvokeFault::Prepared)? != 0)
    }

    /// Fills its inputs with these operands of the caller, in order.
    pub(crate) fn fill(&self, io: &mut Io<'_>, first: u8) -> Result<(), InvokeFault> {
        for (id, operand) in self.inputs.iter().zip(first..) {
            let row = self.row(*id).ok_or(InvokeFault::Prepared)?;
            io.copy(io.frame.row(operand), Some(row))?;
        }
        Ok(())
    }

    /// Fills these operands of the caller with its outputs.
    pub(crate) fn empty(&self, io: &mut Io<'_>, first: u8) -> Result<(), InvokeFault> {
        for (id, operand) in self.outputs.iter().zip(first..) {
            io.copy(self.row(*id), io.frame.row(operand))?;
        }
        Ok(())
    }
}

/// Copies bytes from one place to another.
fn move_within(bytes: &mut [u8], from: usize, to: usize, len: usize) -> Option<()> {
    bytes.get(to..)?.get(..len)?;
    let from = from..from.checked_add(len)?;
    bytes.get(from.clone())?;
    bytes.copy_within(from, to);
    Some(())
}

impl Program<'_> {
    /// The bytes that a row names.
    pub(crate) fn bytes<'b>(&'b self, activations: &'b [u8], row: Row) -> Option<&'b [u8]> {
        let [word, len] = row;
        let (bytes, start) = match Location::from_word(word) {
            Location::Arena(start) => (activations, start),
            Location::Model(start) => (self.model, start),
            Location::SameAs(_) | Location::Nowhere => return None,
        };
        bytes.get(start as usize..)?.get(..len as usize)
    }
}

impl Io<'_> {
    /// Copies a tensor to another of the same length.
    pub(crate) fn copy(&mut self, from: Option<Row>, to: Option<Row>) -> Result<(), InvokeFault> {
        let model = self.frame.program.model;
        let copy = || {
            let ([from, len], [to, to_len]) = (from?, to?);
            let Location::Arena(to) = Location::from_word(to) else {
                return None;
            };
            let (to, len) = (to as usize, len as usize);
            self.activations.get(to..)?.get(..to_len as usize)?;
            if len != to_len as usize {
                return None;
            }
            match Location::from_word(from) {
                Location::Arena(start) => {
                    move_within(self.activations, start as usize, to, len)?;
                }
                Location::Model(start) => {
                    let bytes = model.get(start as usize..)?.get(..len)?;
                    let place = self.activations.get_mut(to..)?.get_mut(..len)?;
                    place.copy_from_slice(bytes);
                }
                Location::SameAs(_) | Location::Nowhere => return None,
            }
            Some(())
        };
        let mut copy = copy;
        copy().ok_or(InvokeFault::Prepared)
    }
}

/// The subgraphs that run: the main one and those that are called, each once, every one behind the first that calls it.
#[cfg(feature = "alloc")]
#[must_use]
pub fn reached(model: &ember_tflite::Model<'_>) -> alloc::vec::Vec<SubgraphId> {
    let mut reached = alloc::vec![SubgraphId::MAIN];
    let mut next = 0;
    while let Some(id) = reached.get(next).copied() {
        next += 1;
        let Some(graph) = model.subgraph(id) else {
            continue;
        };
        for operator in graph.operators() {
            for id in called_by(&operator) {
                if model.subgraph(id).is_some() && !reached.contains(&id) {
                    reached.push(id);
                }
            }
        }
    }
    reached
}

/// The subgraphs that IF, WHILE or CALL_ONCE names, in the order of its options and as the file has them; none for all other
/// operators.
#[cfg(feature = "alloc")]
pub fn called_by(
    operator: &ember_tflite::Operator<'_>,
) -> impl Iterator<Item = SubgraphId> + use<> {
    use ember_tflite::{CallOnceOptions, IfOptions, WhileOptions};

    let numbers = match operator.builtin() {
        Some(BuiltinOp::If) => operator.options_as::<IfOptions>().map(|options| {
            let IfOptions {
                then_subgraph_index,
                else_subgraph_index,
            } = options;
            [Some(then_subgraph_index), Some(else_subgraph_index)]
        }),
        Some(BuiltinOp::While) => operator.options_as::<WhileOptions>().map(|options| {
            let WhileOptions {
                cond_subgraph_index,
                body_subgraph_index,
            } = options;
            [Some(cond_subgraph_index), Some(body_subgraph_index)]
        }),
        Some(BuiltinOp::CallOnce) => operator
            .options_as::<CallOnceOptions>()
            .map(|options| [Some(options.init_subgraph_index), None]),
        _ => None,
    };
    let numbers = numbers.into_iter().flatten().flatten();
    numbers.filter_map(|number| u32::try_from(number).ok().map(SubgraphId))
}
