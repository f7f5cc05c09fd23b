//! What operators keep from run to run: the variables of subgraphs that are called, resource variables, the notes of CALL_ONCE,
//! and what kernels ask for with [`Prepare::state`].
//!
//! It lies at the very end of the activations and is counted from there, so that where it is does not depend on what is in
//! front of it. All zero is its beginning. Last lie the variables of the subgraphs behind the main one, subgraph after subgraph,
//! and in front of them what operators keep, in the order of CALL_ONCE and VAR_HANDLE in the file, subgraph after subgraph; all
//! VAR_HANDLEs of one container and name share the place of the first. A place is worked out from the model alone, so nothing has
//! to be remembered between the preparations of two operators. In front of all these, in the order of execution, lies what single
//! operators keep for themselves.
//!
//! A VAR_HANDLE says nothing of what its variable holds: type and size are those of the tensors that are read from and
//! assigned to its handle, also in subgraphs that get the handle as an input.

use ember_core::view::{self, Plain};
use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{
    IfOptions, Model, Operator, Subgraph, SubgraphId, Tensor, TensorId, WhileOptions,
};

use crate::call::DEPTH;
use crate::error::{Fault, InvokeFault, Refused};
use crate::io::Io;
use crate::prepare::Prepare;

/// Bytes in front of a variable's content, and bytes of a note.
pub(crate) const HEADER: u32 = 4;

/// Operators VAR_HANDLE and CALL_ONCE that a model has at most.
const MOST: u32 = 255;

/// Operators that are looked at for the readers of one variable.
const MOST_LOOKS: u32 = 1 << 17;

/// Bytes that all of them keep at most: a quarter of a gibibyte.
const MOST_BYTES: u32 = 1 << 28;

/// Where an operator keeps something.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Bytes from its start to the end of the activations.
    pub(crate) from_end: u32,
    /// What lies there behind the header.
    pub(crate) value: Value,
}

/// What a variable holds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Value {
    dtype: Option<Dtype>,
    /// Bytes.
    pub(crate) len: u32,
    /// What every byte is before the first assignment: the zero point of the first value that is assigned, as in
    /// `micro/micro_resource_variable.cc`.
    pub(crate) filler: Option<u8>,
}

/// Finds the place for the operator that is being prepared, a VAR_HANDLE or a CALL_ONCE.
pub(crate) fn place(cx: &Prepare<'_>) -> Result<Place, Refused> {
    let own = (cx.path.subgraph, cx.index as usize);
    let (found, _) = look(cx, Some(own))?;
    let found = cx.expect(found, Fault::Unnamed)?;
    let state = &cx.activations.state;
    state.set(state.get().max(found.from_end));
    Ok(found)
}

ember_core::plain! {
    /// Bytes of the arena that an operator has for itself from run to run: what [`Prepare::state`] gave, to be kept for
    /// [`Io::state`](crate::Io::state).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct State {
        /// Bytes from its start to the end of the activations.
        pub(crate) from_end: u32,
        /// Bytes.
        pub len: u32,
    }
}

impl Prepare<'_> {
    /// `elements` numbers that the operator alone has and that keep what it writes from run to run; to be asked for once.
    /// They are zero before the first run, and after
    /// [`Interpreter::reset_variables`](crate::Interpreter::reset_variables). [`Io::state`](crate::Io::state) gives them to the
    /// run, before it takes any scratch.
    ///
    /// # Errors
    /// [`Fault::InnerState`] in a subgraph that another operator calls, [`Fault::Options`] where there are more bytes than an
    /// arena can have.
    #[inline(never)]
    pub fn state<T: Plain>(&self, elements: u32) -> Result<State, Refused> {
        if self.path.caller.is_some() {
            return Err(self.refuse(Fault::InnerState));
        }
        let (_, variables) = look(self, None)?;
        let state = &self.activations.state;
        let len = elements.checked_mul(size_of::<T>() as u32);
        let len = self.expect(len.filter(|len| *len < MOST_BYTES), Fault::Options)?;
        let from_end = len.checked_next_multiple_of(4);
        let from_end = from_end.and_then(|len| len.checked_add(state.get().max(variables)));
        let from_end = from_end.filter(|from_end| *from_end < MOST_BYTES);
        let from_end = self.expect(from_end, Fault::Options)?;
        state.set(from_end);
        Ok(State { from_end, len })
    }
}

impl<'s> Io<'s> {
    /// What [`Prepare::state`] gave, and all the rest.
    ///
    /// # Errors
    /// [`InvokeFault::Prepared`] where that is not what `state` says, or no whole number of `T`.
    #[inline(never)]
    pub fn state<T: Plain>(self, state: State) -> Result<(&'s mut [T], Self), InvokeFault> {
        let (from_end, len) = (state.from_end as usize, state.len as usize);
        if len == 0 {
            return Ok((&mut [], self));
        }
        let start = self.activations.len().checked_sub(from_end);
        let split = start.and_then(|start| self.activations.split_at_mut_checked(start));
        let (activations, behind) = split.ok_or(InvokeFault::Prepared)?;
        let bytes = behind.get_mut(..len).and_then(view::from_bytes_mut);
        let io = Self {
            activations,
            ..self
        };
        Ok((bytes.ok_or(InvokeFault::Prepared)?, io))
    }
}

/// Goes over all operators with a place, to the one for `own` if that is given: what it found, and the bytes so far.
fn look(
    cx: &Prepare<'_>,
    own: Option<(SubgraphId, usize)>,
) -> Result<(Option<Place>, u32), Refused> {
    let model = cx.graph.model();
    let name = own.and_then(|_| cx.operator.variable());
    let mut graphs = model
        .subgraphs()
        .zip(0..)
        .map(|(graph, id)| (SubgraphId(id), graph));
    let end = graphs.try_fold(0u32, |end, (id, graph)| end.checked_add(bytes(id, &graph)?));
    let (mut end, mut count) = (cx.expect(end, Fault::TooManyVariables)?, 0);
    let mut found = None;
    for (at, operator) in operators(model) {
        let kept = match operator.builtin() {
            Some(BuiltinOp::CallOnce) => Some(Value::default()),
            Some(BuiltinOp::VarHandle) if is_first(model, at, &operator) => {
                Some(value(cx, model, &operator)?)
            }
            Some(BuiltinOp::VarHandle) => None,
            _ => continue,
        };
        count += 1;
        if count > MOST {
            return Err(cx.refuse(Fault::TooManyVariables));
        }
        let Some(value) = kept else {
            continue;
        };
        let bytes = value.len.checked_next_multiple_of(4);
        let bytes = bytes.and_then(|bytes| bytes.checked_add(HEADER)?.checked_add(end));
        end = cx.expect(bytes, Fault::TooManyVariables)?;
        if Some(at) == own || (name.is_some() && operator.variable() == name) {
            found = Some(Place {
                from_end: end,
                value,
            });
            break;
        }
    }
    Ok((found, end))
}

/// The tensors of a called subgraph that keep their content, with their numbers. An input is overwritten by every call.
pub(crate) fn variables<'m>(graph: &Subgraph<'m>) -> impl Iterator<Item = (u32, Tensor<'m>)> {
    let inputs = graph.inputs();
    (0..).zip(graph.tensors()).filter(move |(id, tensor)| {
        let filled = inputs.iter().any(|input| input == Some(TensorId(*id)));
        tensor.is_variable() && tensor.data().is_empty() && !filled
    })
}

/// Bytes that the variables of a subgraph take at the end; the main one's live among its activations.
fn bytes(id: SubgraphId, graph: &Subgraph<'_>) -> Option<u32> {
    if id == SubgraphId::MAIN {
        return Some(0);
    }
    let mut total = 0u32;
    for (_, tensor) in variables(graph) {
        let len = (tensor.byte_len() as u32).checked_next_multiple_of(4)?;
        total = total.max(HEADER).checked_add(len)?;
    }
    Some(total)
}

/// Where the variables of a subgraph are kept: bytes from there to the end of the activations. A header that is zero before
/// the first call lies in front of them.
pub(crate) fn place_of(cx: &Prepare<'_>, id: SubgraphId) -> Result<u32, Refused> {
    let graphs = cx.graph.model().subgraphs().zip(0..);
    let graphs = graphs.map(|(graph, id)| (SubgraphId(id), graph));
    let mut graphs = graphs.take_while(|(own, _)| own.0 <= id.0);
    let end = graphs.try_fold(0u32, |end, (id, graph)| end.checked_add(bytes(id, &graph)?));
    let end = cx.expect(end, Fault::TooManyVariables)?;
    let state = &cx.activations.state;
    state.set(state.get().max(end));
    Ok(end)
}

/// Every operator of the model with its subgraph and number.
fn operators<'m>(
    model: &'m Model<'m>,
) -> impl Iterator<Item = ((SubgraphId, usize), Operator<'m>)> {
    model.subgraphs().zip(0..).flat_map(|(graph, subgraph)| {
        let at = move |index| (SubgraphId(subgraph), index);
        (0..graph.operator_count())
            .map_while(move |index| Some((at(index), graph.operator(index)?)))
    })
}

/// Whether no VAR_HANDLE before this one names its variable.
fn is_first(model: &Model<'_>, at: (SubgraphId, usize), operator: &Operator<'_>) -> bool {
    let name = operator.variable();
    let first = operators(model).find(|(_, other)| {
        other.builtin() == Some(BuiltinOp::VarHandle) && other.variable() == name
    });
    first.is_none_or(|(first, _)| first == at)
}

/// What the variable of a VAR_HANDLE holds, by all that read or assign it anywhere.
fn value(cx: &Prepare<'_>, model: &Model<'_>, first: &Operator<'_>) -> Result<Value, Refused> {
    let mut search = Search {
        model,
        value: Value::default(),
        looks: 0,
    };
    for graph in model.subgraphs() {
        for operator in graph.operators() {
            let same = operator.builtin() == Some(BuiltinOp::VarHandle)
                && operator.variable() == first.variable();
            if let (true, Some(handle)) = (same, operator.outputs().get(0)) {
                match search.follow(&graph, handle, 0) {
                    Ok(()) => {}
                    Err(fault) => return Err(cx.refuse(fault)),
                }
            }
        }
    }
    Ok(search.value)
}

struct Search<'m> {
    model: &'m Model<'m>,
    value: Value,
    looks: u32,
}

impl Search<'_> {
    /// Looks for all that use the handle in this tensor.
    fn follow(
        &mut self,
        graph: &Subgraph<'_>,
        handle: TensorId,
        depth: usize,
    ) -> Result<(), Fault> {
        if depth > DEPTH {
            return Err(Fault::TooManyVariables);
        }
        for operator in graph.operators() {
            self.looks += 1;
            if self.looks > MOST_LOOKS {
                return Err(Fault::TooManyVariables);
            }
            let first = operator.inputs().get(0) == Some(handle);
            match operator.builtin() {
                Some(BuiltinOp::ReadVariable) if first => {
                    let output = operator.outputs().get(0);
                    self.note(output.and_then(|id| graph.tensor(id)), false)?;
                }
                Some(BuiltinOp::AssignVariable) if first => {
                    let input = operator.inputs().get(1);
                    self.note(input.and_then(|id| graph.tensor(id)), true)?;
                }
                Some(BuiltinOp::If) => {
                    let options = operator.options_as::<IfOptions>().unwrap_or_default();
                    let called = [options.then_subgraph_index, options.else_subgraph_index];
                    self.follow_call(&operator, handle, 1, called, depth)?;
                }
                Some(BuiltinOp::While) => {
                    let options = operator.options_as::<WhileOptions>().unwrap_or_default();
                    let called = [options.cond_subgraph_index, options.body_subgraph_index];
                    self.follow_call(&operator, handle, 0, called, depth)?;
                    // The handle comes out again.
                    for (place, input) in operator.inputs().iter().enumerate() {
                        if let (true, Some(output)) =
                            (input == Some(handle), operator.outputs().get(place))
                        {
                            self.follow(graph, output, depth + 1)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Follows the handle into the subgraphs that get it from input number `skipped` on.
    fn follow_call(
        &mut self,
        operator: &Operator<'_>,
        handle: TensorId,
        skipped: usize,
        called: [i32; 2],
        depth: usize,
    ) -> Result<(), Fault> {
        for (place, input) in operator.inputs().iter().skip(skipped).enumerate() {
            if input != Some(handle) {
                continue;
            }
            for number in called {
                let id = u32::try_from(number).ok().map(SubgraphId);
                let graph = id.and_then(|id| self.model.subgraph(id));
                if let Some((graph, own)) =
                    graph.and_then(|graph| Some((graph, graph.inputs().get(place)?)))
                {
                    self.follow(&graph, own, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, tensor: Option<Tensor<'_>>, assigned: bool) -> Result<(), Fault> {
        let Some(tensor) = tensor else {
            return Ok(());
        };
        let (dtype, len) = (tensor.dtype(), tensor.byte_len() as u32);
        match self.value.dtype {
            None => {
                self.value.dtype = Some(dtype);
                self.value.len = len;
            }
            Some(known) if known == dtype && self.value.len == len => {}
            Some(_) => return Err(Fault::VariableType),
        }
        if assigned && self.value.filler.is_none() {
            let zero_point = tensor.quantization().and_then(|q| q.zero_point(0));
            self.value.filler = Some(zero_point.unwrap_or_default() as u8);
        }
        Ok(())
    }
}
