//! The interpreter: prepares a model once, then runs it as often as one likes.
//!
//! The arena is one slice. Its start holds what lives as long as the interpreter, in 32-bit words:
//!
//! 1. the table of tensors, two words each: where it lies and how many bytes it has;
//! 2. one step per operator: which registration runs it, its tensors, what its kernel prepared.
//!
//! The rest holds the activations, placed by [`plan`](crate::plan).

use core::cell::Cell;

use ember_core::view::{self, Plain};
use ember_core::{BuiltinOp, Dtype};
use ember_tflite::{Model, Operator, Subgraph, Tensor, TensorId};

use crate::error::{Fault, InvokeError, PrepareError};
use crate::fusion;
use crate::io::LEFT_OUT;
use crate::kernel::Registration;
use crate::plan::{self, Activations};
use crate::prepare::{Prepare, Tape};
use crate::profile::Profiler;
use crate::run::{HEADER, Run};

/// The arena begins at a multiple of this, in bytes.
pub const ARENA_ALIGNMENT: usize = 16;

/// Inputs, and outputs, that an operator has at most.
const MAX_OPERANDS: usize = 127;

/// A model that is ready to run.
///
/// ```
/// # fn classify(bytes: &[u8], image: &[i8]) -> Option<i8> {
/// use ember_micro::{Arena, Interpreter, Model, registry};
///
/// let model = Model::parse(bytes).ok()?;
/// let mut arena = Arena::<8192>::new();
/// let mut interpreter = Interpreter::new(&model, registry::INT8, &mut arena).ok()?;
/// interpreter.input_as::<i8>(0)?.copy_from_slice(image);
/// interpreter.invoke().ok()?;
/// interpreter.output_as::<i8>(0)?.first().copied()
/// # }
/// ```
pub struct Interpreter<'a, 'm: 'a> {
    model: Model<'m>,
    run: Run<'a>,
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
        registry: &'a [Registration],
        arena: &'a mut [u8],
    ) -> Result<Self, PrepareError> {
        let given = u32::try_from(arena.len()).unwrap_or(u32::MAX);
        let words = words_of(arena)?;
        let graph = model.main();
        let tensors = graph.tensor_count();
        if tensors > plan::LIMIT || graph.operator_count() > plan::LIMIT {
            return Err(PrepareError::TooLarge);
        }

        // Until all is prepared, the lives of the tensors are kept at the end, one word each.
        let planning_words = tensors * 3;
        let Some((table_words, rest)) = words.split_at_mut_checked(tensors * 2) else {
            return Err(too_small(planning_words, given, false));
        };
        let table = table_words.as_chunks_mut::<2>().0;
        let split = rest.len().checked_sub(tensors);
        let Some((front, lives)) = split.and_then(|at| rest.split_at_mut_checked(at)) else {
            return Err(too_small(planning_words, given, false));
        };
        let peak = plan::plan(&graph, registry, table, lives)?;
        let activations = Activations {
            table,
            lives,
            peak: Cell::new(peak),
        };
        let steps = prepare_steps(&graph, registry, front, &activations);
        let step_words = match steps {
            Ok(words) => words,
            Err(Unprepared::Full(words)) => {
                return Err(too_small(planning_words + words, given, false));
            }
            Err(Unprepared::Refused(error)) => return Err(error),
        };
        let peak = activations.peak.get();
        let needed = needed_bytes(tensors * 2 + step_words, peak);
        let needed = needed.max((planning_words + step_words) * 4);
        if needed > given as usize {
            return Err(too_small(needed / 4, given, true));
        }
        let (steps, rest) = rest.split_at_mut_checked(step_words).unwrap_or_default();
        let persistent = tensors * 2 + step_words;
        let gap = persistent.next_multiple_of(ARENA_ALIGNMENT / 4) - persistent;
        let activations = view::as_bytes_mut(rest.get_mut(gap..).unwrap_or_default())
            .get_mut(..peak as usize)
            .unwrap_or_default();
        let mut interpreter = Self {
            model: *model,
            run: Run {
                model: model.bytes(),
                registry,
                table,
                steps,
                activations,
            },
            arena_bytes_used: needed as u32,
        };
        // Variables start as zero; nothing else minds what is there.
        interpreter.reset_variables();
        Ok(interpreter)
    }

    /// Bytes of the arena that the model needs: an arena of exactly so many works, one of fewer does not.
    #[must_use]
    pub const fn arena_bytes_used(&self) -> usize {
        self.arena_bytes_used as usize
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn run(&self) -> &Run<'a> {
        &self.run
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
        self.run.activation(id)
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
        self.run.tensor(id)
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
        self.run.invoke(profiler)
    }

    /// Sets the variables, which carry state from run to run, to what stands for zero.
    pub fn reset_variables(&mut self) {
        for (tensor, id) in self.graph().tensors().zip(0..) {
            if tensor.is_variable() {
                let variable = self.run.activation(id).unwrap_or_default();
                variable.fill(initial_byte(&tensor));
            }
        }
    }
}

/// What a variable is filled with: of INT8 the first zero point, as `ResetTensorData` in
/// `micro/micro_interpreter_graph.cc` does it, else zero.
pub(crate) fn initial_byte(tensor: &Tensor<'_>) -> u8 {
    let quantization = tensor.quantization();
    let zero_point = quantization.and_then(|quantization| quantization.zero_point(0));
    match (tensor.dtype(), zero_point) {
        (Dtype::Int8, Some(zero_point)) => zero_point as u8,
        _ => 0,
    }
}

/// The arena as words.
fn words_of(arena: &mut [u8]) -> Result<&mut [u32], PrepareError> {
    let remainder = arena.as_ptr() as usize % ARENA_ALIGNMENT;
    if remainder != 0 {
        return Err(PrepareError::ArenaAlignment {
            remainder: remainder as u32,
        });
    }
    let whole = arena.len() & !3;
    let words = arena.get_mut(..whole).and_then(view::from_bytes_mut::<u32>);
    Ok(words.unwrap_or_default())
}

/// The error of an arena of `given` bytes where `needed` words are.
#[cold]
fn too_small(needed: usize, given: u32, exact: bool) -> PrepareError {
    PrepareError::ArenaTooSmall {
        needed: u32::try_from(needed.saturating_mul(4)).unwrap_or(u32::MAX),
        given,
        exact,
    }
}

/// Bytes of an arena with so many words that stay and so many bytes of activations behind them.
const fn needed_bytes(persistent_words: usize, peak: u32) -> usize {
    let start = (persistent_words * 4).next_multiple_of(ARENA_ALIGNMENT);
    start.saturating_add(peak as usize).next_multiple_of(4)
}

/// Why an operator was not prepared.
enum Unprepared {
    /// So many words would have been enough for what was being kept.
    Full(usize),
    Refused(PrepareError),
}

/// Writes the steps of all operators to the first of these words, and gives how many they take.
fn prepare_steps(
    graph: &Subgraph<'_>,
    registry: &[Registration],
    words: &mut [u32],
    activations: &Activations<'_>,
) -> Result<usize, Unprepared> {
    let tape = Tape::new(Cell::from_mut(words).as_slice_of_cells());
    let mut index = 0;
    while let Some(operator) = graph.operator(index as usize) {
        index += prepare_step(graph, &operator, index, registry, &tape, activations)?;
    }
    Ok(tape.used())
}

/// Finds the row of the registry for an operator by itself.
#[inline(always)]
fn find(
    graph: &Subgraph<'_>,
    operator: &Operator<'_>,
    index: u32,
    op: BuiltinOp,
    registry: &[Registration],
) -> Result<usize, PrepareError> {
    let inputs = (0..operator.inputs().len()).find_map(|at| operator.inputs().get(at));
    let first = inputs.or_else(|| {
        let mut outputs = 0..operator.outputs().len();
        outputs.find_map(|at| operator.outputs().get(at))
    });
    let Some(first) = first.and_then(|id| graph.tensor(id)) else {
        let fault = Fault::Arity {
            inputs: 0,
            outputs: 0,
        };
        return Err(PrepareError::Operator { index, op, fault });
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
        if row.next.is_some() || !row.names(operator, dtype) {
            return false;
        }
        let Some((slot, expected)) = row.other else {
            return true;
        };
        let found = slot.dtype(graph, operator);
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
        found == Some(expected) && row.suits.is_none_or(|suits| suits(graph, operator))
    });
    position.ok_or(error)
}

/// Writes the step of one operator, or those of two that are done together, and gives how many these are.
#[inline(never)]
fn prepare_step(
    graph: &Subgraph<'_>,
    operator: &Operator<'_>,
    index: u32,
    registry: &[Registration],
    tape: &Tape<'_>,
    activations: &Activations<'_>,
) -> Result<u32, Unprepared> {
    let op = operator.builtin().unwrap_or(BuiltinOp::Custom);
    let fused = fusion::row(graph, index as usize, registry);
    let at = match fused {
        Some(at) => at,
        None => find(graph, operator, index, op, registry).map_err(Unprepared::Refused)?,
    };
    let behind = fused.and_then(|_| graph.operator(index as usize + 1));
    let (inputs, mut outputs) = (operator.inputs(), operator.outputs());
    if let Some(behind) = &behind {
        outputs = behind.outputs();
    }
    let (Some(registration), true, true, true) = (
        registry.get(at),
        at <= 0xffff,
        inputs.len() <= MAX_OPERANDS,
        outputs.len() <= MAX_OPERANDS,
    ) else {
        return Err(Unprepared::Refused(PrepareError::TooLarge));
    };

    let count = inputs.len() + outputs.len();
    let Some(header) = tape.take(HEADER + count.div_ceil(2)) else {
        return Err(Unprepared::Full(tape.wanted()));
    };
    let start = tape.used();
    let failed = Cell::new((index, Fault::Arena));
    let cx = Prepare {
        graph,
        operator: *operator,
        tape,
        activations,
        index,
        failed: &failed,
        scratch: Cell::new(0),
    };
    if (registration.prepare)(&cx).is_err() {
        return match failed.get() {
            (_, Fault::Arena) => Err(Unprepared::Full(tape.wanted())),
            (failing, fault) => {
                let op = match (failing == index, registration.next) {
                    (false, Some(next)) => next,
                    _ => op,
                };
                Err(Unprepared::Refused(PrepareError::Operator {
                    index: failing,
                    op,
                    fault,
                }))
            }
        };
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
    let operand = |at: usize| {
        let id = match at.checked_sub(inputs.len()) {
            None => inputs.get(at),
            Some(at) => outputs.get(at),
        };
        id.map_or(LEFT_OUT, |TensorId(id)| id)
    };
    for at in (0..count).step_by(2) {
        put(operand(at) | operand(at + 1) << 16);
    }
    if behind.is_none() {
        return Ok(1);
    }
    let Some(done) = tape.take(HEADER) else {
        return Err(Unprepared::Full(tape.wanted()));
    };
    crate::prepare::write(done, &[at as u32, 0]);
    Ok(2)
}

/// Bytes of arena that a model needs: what [`Interpreter::arena_bytes_used`] will say on every machine.
///
/// # Errors
/// As [`Interpreter::new`], but for the arena.
#[cfg(feature = "alloc")]
pub fn arena_bytes_needed(
    model: &Model<'_>,
    registry: &[Registration],
) -> Result<usize, PrepareError> {
    with_interpreter(model, registry, |interpreter| {
        interpreter.arena_bytes_used()
    })
}

/// Looks at an interpreter in an arena that is large enough.
#[cfg(feature = "alloc")]
pub(crate) fn with_interpreter<T>(
    model: &Model<'_>,
    registry: &[Registration],
    look: impl Fn(&Interpreter<'_, '_>) -> T,
) -> Result<T, PrepareError> {
    let mut bytes = 4096usize;
    loop {
        let mut memory = alloc::vec![0u8; bytes + ARENA_ALIGNMENT];
        let skipped = memory.as_ptr().align_offset(ARENA_ALIGNMENT);
        let arena = memory.get_mut(skipped..).unwrap_or_default();
        match Interpreter::new(model, registry, arena) {
            Ok(interpreter) => return Ok(look(&interpreter)),
            Err(PrepareError::ArenaTooSmall { needed, .. }) => {
                bytes = bytes.saturating_mul(2).max(needed as usize);
            }
            Err(error) => return Err(error),
        }
    }
}
