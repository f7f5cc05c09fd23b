//! The interpreter: prepares a model once, then runs it as often as one likes.
//!
//! The arena is one slice. Its start holds what lives as long as the interpreter, in 32-bit words:
//!
//! 1. the table of tensors, two words each: where it lies and how many bytes it has;
//! 2. one step per operator: which registration runs it, its tensors, what its kernel prepared.
//!
//! The rest holds the activations, placed by [`plan`](crate::plan).

use core::cell::Cell;

use ember_core::BuiltinOp;
use ember_core::view::{self, Plain};
use ember_tflite::{Model, Operator, Subgraph, Tensor, TensorId, TensorIds};

use crate::error::{Fault, InvokeError, InvokeFault, PrepareError};
use crate::io::{Frame, Ids, Io, LEFT_OUT};
use crate::kernel::Registration;
use crate::plan::{self, Activations, Location, Row};
use crate::prepare::{Prepare, Tape};
use crate::profile::Profiler;

/// The arena begins at a multiple of this, in bytes.
pub const ARENA_ALIGNMENT: usize = 16;

/// Tensors and operators that a model has at most: their numbers are kept in 16 bits.
const LIMIT: usize = 65534;

/// Inputs, and outputs, that an operator has at most.
const MAX_OPERANDS: usize = 127;

/// Words before the operands of a step: registration and counts, and the length of what was prepared.
const HEADER: usize = 2;

/// A model that is ready to run.
///
/// ```
/// # fn classify(bytes: &[u8], image: &[i8]) -> Option<i8> {
/// use ember_micro::{Interpreter, registry};
/// use ember_tflite::Model;
///
/// #[repr(align(16))]
/// struct Arena([u8; 8192]);
///
/// let model = Model::parse(bytes).ok()?;
/// let mut arena = Arena([0; 8192]);
/// let mut interpreter = Interpreter::new(&model, registry::INT8, &mut arena.0).ok()?;
/// interpreter.input_as::<i8>(0)?.copy_from_slice(image);
/// interpreter.invoke().ok()?;
/// interpreter.output_as::<i8>(0)?.first().copied()
/// # }
/// ```
pub struct Interpreter<'a, 'm> {
    model: Model<'m>,
    pub(crate) registry: &'static [Registration],
    table: &'a [Row],
    pub(crate) steps: &'a [u32],
    activations: &'a mut [u8],
    arena_bytes_used: u32,
}

impl<'a, 'm> Interpreter<'a, 'm> {
    /// Prepares the main subgraph of a model: finds a kernel for each operator, checks all it relies on, and lays out
    /// the arena.
    ///
    /// The arena begins at a multiple of 16; what it holds does not matter. [`Interpreter::arena_bytes_used`] says how
    /// much of it was needed, the same number on every machine.
    ///
    /// # Errors
    /// What the model has that the registry or the runtime does not, or an arena too small, with the bytes it takes.
    #[inline(never)]
    pub fn new(
        model: &Model<'m>,
        registry: &'static [Registration],
        arena: &'a mut [u8],
    ) -> Result<Self, PrepareError> {
        let remainder = arena.as_ptr() as usize % ARENA_ALIGNMENT;
        if remainder != 0 {
            return Err(PrepareError::ArenaAlignment {
                remainder: remainder as u32,
            });
        }
        let given = u32::try_from(arena.len()).unwrap_or(u32::MAX);
        let too_small = |needed: usize, exact: bool| PrepareError::ArenaTooSmall {
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            given,
            exact,
        };

        let graph = model.main();
        let tensors = graph.tensor_count();
        if tensors > LIMIT || graph.operator_count() > LIMIT {
            return Err(PrepareError::TooLarge);
        }
        let whole = arena.len() & !3;
        let words = arena.get_mut(..whole).and_then(view::from_bytes_mut::<u32>);
        let words = words.unwrap_or_default();

        // Until all is prepared, the lives of the tensors are kept at the end, one word each.
        let planning_words = tensors * 3;
        let Some((table_words, rest)) = words.split_at_mut_checked(tensors * 2) else {
            return Err(too_small(planning_words * 4, false));
        };
        let table = table_words.as_chunks_mut::<2>().0;
        let split = rest.len().checked_sub(tensors);
        let Some((front, lives)) = split.and_then(|at| rest.split_at_mut_checked(at)) else {
            return Err(too_small(planning_words * 4, false));
        };
        let peak = plan::plan(model, &graph, table, lives)?;

        let tape = Tape::new(Cell::from_mut(front).as_slice_of_cells());
        let activations = Activations {
            table,
            lives,
            peak: Cell::new(peak),
        };
        for (operator, index) in graph.operators().zip(0..) {
            let result = prepare_step(&graph, operator, index, registry, &tape, &activations);
            result.map_err(|error| {
                error.unwrap_or_else(|| too_small((planning_words + tape.wanted()) * 4, false))
            })?;
        }
        let step_words = tape.used();
        let peak = activations.peak.get();

        let persistent = (tensors * 2 + step_words) * 4;
        let start = persistent.next_multiple_of(ARENA_ALIGNMENT);
        let needed = start
            .saturating_add(peak as usize)
            .next_multiple_of(4)
            .max((planning_words + step_words) * 4);
        if needed > whole {
            return Err(too_small(needed, true));
        }
        let (steps, rest) = rest.split_at_mut_checked(step_words).unwrap_or_default();
        let activations = view::as_bytes_mut(rest)
            .get_mut(start - persistent..)
            .and_then(|rest| rest.get_mut(..peak as usize))
            .unwrap_or_default();
        // Variables start as zero; nothing else minds.
        activations.fill(0);
        Ok(Self {
            model: *model,
            registry,
            table,
            steps,
            activations,
            arena_bytes_used: needed as u32,
        })
    }

    /// Bytes of the arena that the model needs: an arena of exactly so many works, one of fewer does not.
    #[must_use]
    pub const fn arena_bytes_used(&self) -> usize {
        self.arena_bytes_used as usize
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model<'m> {
        &self.model
    }

    fn graph(&self) -> Subgraph<'m> {
        self.model.main()
    }

    /// The model's description of the input at `index`.
    #[must_use]
    pub fn input_tensor(&self, index: usize) -> Option<Tensor<'m>> {
        self.graph().tensor(self.graph().inputs().get(index)?)
    }

    /// The model's description of the output at `index`.
    #[must_use]
    pub fn output_tensor(&self, index: usize) -> Option<Tensor<'m>> {
        self.graph().tensor(self.graph().outputs().get(index)?)
    }

    /// The bytes of the input at `index`, to be filled before each run: a run overwrites them.
    #[must_use]
    pub fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        let TensorId(id) = self.graph().inputs().get(index)?;
        let [word, len] = *self.table.get(id as usize)?;
        let Location::Arena(start) = Location::from_word(word) else {
            return None;
        };
        self.activations
            .get_mut(start as usize..)?
            .get_mut(..len as usize)
    }

    /// [`Interpreter::input`] as numbers: `None` also where its bytes are not a whole number of them.
    #[must_use]
    pub fn input_as<T: Plain>(&mut self, index: usize) -> Option<&mut [T]> {
        view::from_bytes_mut(self.input(index)?)
    }

    /// The bytes of the output at `index`: what the last run left.
    #[must_use]
    pub fn output(&self, index: usize) -> Option<&[u8]> {
        let TensorId(id) = self.graph().outputs().get(index)?;
        let [word, len] = *self.table.get(id as usize)?;
        let (bytes, start) = match Location::from_word(word) {
            Location::Arena(start) => (&*self.activations, start),
            Location::Model(start) => (self.model.bytes(), start),
            Location::SameAs(_) | Location::Nowhere => return None,
        };
        bytes.get(start as usize..)?.get(..len as usize)
    }

    /// [`Interpreter::output`] as numbers: `None` also where its bytes are not a whole number of them.
    #[must_use]
    pub fn output_as<T: Plain>(&self, index: usize) -> Option<&[T]> {
        view::from_bytes(self.output(index)?)
    }

    /// Runs the model on what the inputs hold.
    ///
    /// # Errors
    /// The operator that could not run: something overwrote the arena or the model, or a custom operator refused.
    pub fn invoke(&mut self) -> Result<(), InvokeError> {
        self.invoke_profiled(&mut ())
    }

    /// [`Interpreter::invoke`], telling a profiler of each operator.
    ///
    /// # Errors
    /// As [`Interpreter::invoke`].
    pub fn invoke_profiled(&mut self, profiler: &mut impl Profiler) -> Result<(), InvokeError> {
        let mut steps = self.steps;
        let mut index = 0;
        while let Some(step) = Step::next(&mut steps) {
            let damaged = InvokeError {
                index,
                fault: InvokeFault::Prepared,
            };
            let registration = self.registry.get(step.registration).ok_or(damaged)?;
            profiler.begin(index, registration.code);
            let frame = Frame {
                model: self.model.bytes(),
                table: self.table,
                operands: Ids(step.operands),
                inputs: step.inputs,
            };
            let io = Io {
                activations: self.activations,
                frame: &frame,
                words: step.words,
            };
            (registration.run)(io).map_err(|fault| InvokeError { index, fault })?;
            profiler.end(index, registration.code);
            index += 1;
        }
        Ok(())
    }

    /// Sets the variables, which carry state from run to run, to zero.
    pub fn reset_variables(&mut self) {
        for (tensor, [word, len]) in self.graph().tensors().zip(self.table) {
            if let (true, Location::Arena(start)) =
                (tensor.is_variable(), Location::from_word(*word))
            {
                let start = start as usize;
                let end = start.saturating_add(*len as usize);
                self.activations
                    .get_mut(start..end)
                    .unwrap_or_default()
                    .fill(0);
            }
        }
    }
}

/// One operator on the tape of prepared words.
pub(crate) struct Step<'a> {
    pub(crate) registration: usize,
    inputs: u8,
    operands: &'a [u32],
    pub(crate) words: &'a [u32],
}

impl<'a> Step<'a> {
    pub(crate) fn next(steps: &mut &'a [u32]) -> Option<Self> {
        let (&[counts, words], rest) = steps.split_first_chunk::<HEADER>()?;
        let (inputs, outputs) = ((counts >> 16) as u8, (counts >> 24) as u8);
        let operands = usize::from(inputs).wrapping_add(usize::from(outputs));
        let (operands, rest) = rest.split_at_checked(operands.div_ceil(2))?;
        let (words, rest) = rest.split_at_checked(words as usize)?;
        *steps = rest;
        Some(Self {
            registration: (counts & 0xffff) as usize,
            inputs,
            operands,
            words,
        })
    }
}

/// The operand at `at`, counting the inputs first and then the outputs.
#[inline(never)]
fn operand(inputs: TensorIds<'_>, outputs: TensorIds<'_>, at: usize) -> Option<TensorId> {
    match at.checked_sub(inputs.len()) {
        None => inputs.get(at),
        Some(at) => outputs.get(at),
    }
}

/// Writes the step of one operator. The error is none where the arena is full.
#[inline(never)]
fn prepare_step(
    graph: &Subgraph<'_>,
    operator: Operator<'_>,
    index: u32,
    registry: &'static [Registration],
    tape: &Tape<'_>,
    activations: &Activations<'_>,
) -> Result<(), Option<PrepareError>> {
    let op = operator.builtin().unwrap_or(BuiltinOp::Custom);
    let (inputs, outputs) = (operator.inputs(), operator.outputs());
    let count = inputs.len().saturating_add(outputs.len());
    let first = (0..count).find_map(|at| operand(inputs, outputs, at));
    let Some(first) = first.and_then(|id| graph.tensor(id)) else {
        let fault = Fault::Arity {
            inputs: 0,
            outputs: 0,
        };
        return Err(Some(PrepareError::Operator { index, op, fault }));
    };
    let dtype = first.dtype();
    let mut error = PrepareError::MissingRegistration {
        index,
        op,
        version: operator.version(),
        dtype,
    };
    let mut rows = registry.iter();
    let position = rows.position(|row| {
        if !row.names(&operator, dtype) {
            return false;
        }
        let Some((slot, expected)) = row.other else {
            return true;
        };
        let found = slot.dtype(graph, &operator);
        if found != Some(expected) {
            // It is there, for other types.
            let fault = match found {
                None => Fault::Missing(slot),
                Some(found) => Fault::Dtype {
                    slot,
                    found,
                    expected,
                },
            };
            error = PrepareError::Operator { index, op, fault };
        }
        found == Some(expected) && row.suits.is_none_or(|suits| suits(graph, &operator))
    });
    let Some((at, registration)) = position.and_then(|at| Some((at, registry.get(at)?))) else {
        return Err(Some(error));
    };
    if inputs.len() > MAX_OPERANDS || outputs.len() > MAX_OPERANDS || at > 0xffff {
        return Err(Some(PrepareError::TooLarge));
    }

    let header = tape.take(HEADER + count.div_ceil(2)).ok_or(None)?;
    let start = tape.used();
    let cx = Prepare {
        graph: *graph,
        operator,
        tape,
        activations,
        index,
        scratch: Cell::new(0),
        fault: Cell::new(Fault::Arena),
    };
    if (registration.prepare)(&cx).is_err() {
        return Err(match cx.fault.get() {
            Fault::Arena => None,
            fault => Some(PrepareError::Operator { index, op, fault }),
        });
    }
    let counts = at as u32 | (inputs.len() as u32) << 16 | (outputs.len() as u32) << 24;
    let prepared = tape.used().wrapping_sub(start) as u32;
    let mut places = header.iter();
    let mut put = |word| {
        if let Some(place) = places.next() {
            place.set(word);
        }
    };
    put(counts);
    put(prepared);
    for at in (0..count).step_by(2) {
        let [low, high] = [at, at + 1].map(|at| operand(inputs, outputs, at));
        let id = |id: Option<TensorId>| id.map_or(LEFT_OUT, |TensorId(id)| id);
        put(id(low) | id(high) << 16);
    }
    Ok(())
}

/// Bytes of arena that a model needs: what [`Interpreter::arena_bytes_used`] will say on every machine.
///
/// # Errors
/// As [`Interpreter::new`], but for the arena.
#[cfg(feature = "alloc")]
pub fn arena_bytes_needed(
    model: &Model<'_>,
    registry: &'static [Registration],
) -> Result<usize, PrepareError> {
    let mut bytes = 4096usize;
    loop {
        let mut memory = alloc::vec![0u8; bytes + ARENA_ALIGNMENT];
        let skipped = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
        let arena = memory.get_mut(skipped..).unwrap_or_default();
        match Interpreter::new(model, registry, arena) {
            Ok(interpreter) => return Ok(interpreter.arena_bytes_used()),
            Err(PrepareError::ArenaTooSmall {
                needed,
                exact: true,
                ..
            }) => return Ok(needed as usize),
            Err(PrepareError::ArenaTooSmall { needed, .. }) => {
                bytes = bytes.saturating_mul(2).max(needed as usize);
            }
            Err(error) => return Err(error),
        }
    }
}
