//! The interpreter: prepares a model once, then runs it as often as one likes.
//!
//! The arena is one slice. Its start holds what lives as long as the interpreter, in 32-bit words:
//!
//! 1. the table of tensors, two words each: where it lies and how many bytes it has;
//! 2. one step per operator: which registration runs it, its tensors, what its kernel prepared.
//!
//! The rest holds the activations, placed by [`plan`](crate::plan), and behind them what operators keep from run to run.
//!
//! What an operator such as IF calls is part of its step: the table and the steps of the subgraph lie in the words that its
//! kernel prepared ([`call`](crate::call)).

use core::cell::Cell;

use ember_core::Dtype;
use ember_core::view::{self, Plain};
use ember_tflite::{Model, Subgraph, Tensor, TensorId};

use crate::error::{InvokeError, PrepareError};
use crate::kernel::Registration;
use crate::plan;
use crate::prepare::{Path, Tape};
use crate::profile::Profiler;
use crate::run::Run;
use crate::steps::{self, Site, Unprepared};

/// The arena begins at a multiple of this, in bytes.
pub const ARENA_ALIGNMENT: usize = 16;

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
    /// Of the end of the activations, where operators keep what lives from run to run.
    state_bytes: u32,
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

        let Some((cells, rest)) = Cell::from_mut(&mut *words)
            .as_slice_of_cells()
            .split_at_checked(tensors * 2)
        else {
            return Err(too_small(tensors * 3, given, false));
        };
        let tape = Tape::new(rest);
        let state = Cell::new(0);
        let site = Site {
            path: &Path::MAIN,
            registry,
            tape: &tape,
            state: &state,
        };
        let peak = match steps::prepare(&graph, &site, cells, 0) {
            Ok(peak) => peak,
            Err(Unprepared::Full) => {
                return Err(too_small(tensors * 2 + tape.most(), given, false));
            }
            Err(Unprepared::Refused(error)) => return Err(error),
        };
        let (step_words, most) = (tape.used(), tape.most());
        let state = state.get();
        // What is kept in words begins at a word.
        let peak = if state > 0 { plan::aligned(peak) } else { peak };
        let end = peak.saturating_add(state);
        let persistent = tensors * 2 + step_words;
        let needed = needed_bytes(persistent, end).max((tensors * 2 + most) * 4);
        if needed > given as usize {
            return Err(too_small(needed / 4, given, true));
        }
        let (table, rest) = words.split_at_mut_checked(tensors * 2).unwrap_or_default();
        let (steps, rest) = rest.split_at_mut_checked(step_words).unwrap_or_default();
        let gap = persistent.next_multiple_of(ARENA_ALIGNMENT / 4) - persistent;
        let activations = view::as_bytes_mut(rest.get_mut(gap..).unwrap_or_default())
            .get_mut(..end as usize)
            .unwrap_or_default();
        let mut interpreter = Self {
            model: *model,
            run: Run {
                model: model.bytes(),
                registry,
                table: table.as_chunks().0,
                steps,
                activations,
            },
            arena_bytes_used: needed as u32,
            state_bytes: state,
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

    #[cfg(feature = "alloc")]
    pub(crate) const fn state_bytes(&self) -> u32 {
        self.state_bytes
    }

    /// Makes the model as if it had never run: sets the variables, which carry state from run to run, to what stands
    /// for zero, or to what they begin with ([`ops::variables`](crate::ops::variables)).
    pub fn reset_variables(&mut self) {
        let activations = &mut *self.run.activations;
        let start = activations.len().saturating_sub(self.state_bytes as usize);
        activations.get_mut(start..).unwrap_or_default().fill(0);
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
#[must_use]
pub fn initial_byte(tensor: &Tensor<'_>) -> u8 {
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
