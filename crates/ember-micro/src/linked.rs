//! A model that is part of a program, prepared when the program was built.
//!
//! What [`Interpreter::new`] works out consists of numbers that are the same on every machine, so a host can do it and write
//! them down: [`Preparation::of`]. A program that has them as a [`Linked`] links neither the reader of the file nor the
//! planner nor the preparation of any operator, and has nothing to do before the first run.
//!
//! **Invariant:** a [`Linked`] can only be made of a preparation by the same kernels: its constructor compares what
//! a checksum says of them, looks through every step and table, and is a `const fn`, so that a preparation that does not
//! fit is an error of the build. What it cannot see, such as numbers that were changed by hand, the kernels find while they
//! run, as they find an arena that was overwritten: they check every length and never panic.

use crate::error::{InvokeError, PrepareError};
use crate::interpreter::ARENA_ALIGNMENT;
use crate::kernel::Registration;
use crate::plan::{Location, Row};
use crate::profile::Profiler;
use crate::run::{HEADER, Run};

/// A model, the kernels that run it and all that was prepared for them.
#[derive(Clone, Copy, Debug)]
pub struct Linked<'m> {
    model: &'m [u8],
    registry: &'m [Registration],
    /// Bytes of the activations.
    arena_bytes: u32,
    /// Tensors: the model's inputs and outputs.
    inputs: &'m [u32],
    outputs: &'m [u32],
    /// Those that keep their content from run to run, with what they are filled with above their 16 bits.
    variables: &'m [u32],
    table: &'m [Row],
    steps: &'m [u32],
}

/// Numbers before the others: [`layout`], bytes of the activations, and how many inputs, outputs, variables, tensors and
/// numbers of steps.
const PREFACE: usize = 7;

/// Changes whenever a kernel prepares or reads its numbers in another way.
const VERSION: u32 = 1;

/// A number that differs, as good as always, for kernels that prepare other numbers: it is of the operators, types and sizes
/// of a registry's rows.
const fn layout(registry: &[Registration]) -> u32 {
    let mut layout = VERSION;
    let mut at = 0;
    while at < registry.len() {
        let row = &registry[at];
        let words = row.numbers();
        let mut word = 0;
        while word < words.len() {
            // The prime of FNV-1a.
            layout = (layout ^ words[word]).wrapping_mul(0x0100_0193);
            word += 1;
        }
        at += 1;
    }
    layout
}

impl<'m> Linked<'m> {
    /// Takes a preparation of the model `file` by the kernels of `registry`: the numbers of a [`Preparation`]. `None` where
    /// they are not that: the host prepared for other kernels, or the numbers are damaged.
    #[must_use]
    pub const fn new(
        file: &'m [u8],
        registry: &'m [Registration],
        numbers: &'m [u32],
    ) -> Option<Self> {
        let Some((preface, numbers)) = numbers.split_first_chunk::<PREFACE>() else {
            return None;
        };
        let [
            made_for,
            arena_bytes,
            inputs,
            outputs,
            variables,
            tensors,
            step_words,
        ] = *preface;
        let Some((inputs, numbers)) = numbers.split_at_checked(inputs as usize) else {
            return None;
        };
        let Some((outputs, numbers)) = numbers.split_at_checked(outputs as usize) else {
            return None;
        };
        let Some((variables, numbers)) = numbers.split_at_checked(variables as usize) else {
            return None;
        };
        let Some((table, steps)) = numbers.split_at_checked(tensors as usize * 2) else {
            return None;
        };
        let table = table.as_chunks().0;
        let fits = made_for == layout(registry)
            && steps.len() == step_words as usize
            && are_rows(table, file.len(), arena_bytes)
            && are_steps(steps, registry, table.len())
            && are_tensors(inputs, table.len())
            && are_tensors(outputs, table.len())
            && are_variables(variables, table.len());
        if !fits {
            return None;
        }
        Some(Self {
            model: file,
            registry,
            arena_bytes,
            inputs,
            outputs,
            variables,
            table,
            steps,
        })
    }

    /// The file.
    #[must_use]
    pub const fn model(&self) -> &'m [u8] {
        self.model
    }

    /// Bytes of the arena that it needs.
    #[must_use]
    pub const fn arena_bytes(&self) -> usize {
        self.arena_bytes as usize
    }
}

/// Whether every row is within the file or the activations.
const fn are_rows(table: &[Row], model_bytes: usize, arena_bytes: u32) -> bool {
    let mut at = 0;
    while at < table.len() {
        let [word, len] = table[at];
        let within = match Location::from_word(word) {
            Location::Model(start) => start as u64 + len as u64 <= model_bytes as u64,
            Location::Arena(start) => start as u64 + len as u64 <= arena_bytes as u64,
            Location::SameAs(_) | Location::Nowhere => false,
        };
        if !within {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether these are steps one after the other, each with a row of the registry and the numbers that it prepares.
const fn are_steps(steps: &[u32], registry: &[Registration], tensors: usize) -> bool {
    let mut at = 0;
    while at + HEADER <= steps.len() {
        let (counts, words) = (steps[at], steps[at + 1] as usize);
        let operands = (counts >> 16 & 0xff) as usize + (counts >> 24) as usize;
        let row = (counts & 0xffff) as usize;
        let start = at + HEADER;
        let end = start + operands.div_ceil(2);
        if row >= registry.len() || end > steps.len() || words > steps.len() - end {
            return false;
        }
        let is_done = operands == 0 && registry[row].next.is_some();
        if !is_done && words < registry[row].prepared_words as usize {
            return false;
        }
        let mut operand = 0;
        while operand < operands {
            let word = steps[start + operand / 2];
            let id = if operand % 2 == 0 { word } else { word >> 16 } & 0xffff;
            if id != crate::io::LEFT_OUT && id as usize >= tensors {
                return false;
            }
            operand += 1;
        }
        at = end + words;
    }
    at == steps.len()
}

const fn are_tensors(ids: &[u32], tensors: usize) -> bool {
    let mut at = 0;
    while at < ids.len() {
        if ids[at] as usize >= tensors {
            return false;
        }
        at += 1;
    }
    true
}

const fn are_variables(words: &[u32], tensors: usize) -> bool {
    let mut at = 0;
    while at < words.len() {
        if (words[at] & 0xffff) as usize >= tensors {
            return false;
        }
        at += 1;
    }
    true
}

/// A [`Linked`] model with an arena: ready to run.
pub struct LinkedInterpreter<'a> {
    linked: &'a Linked<'a>,
    run: Run<'a>,
}

impl<'a> LinkedInterpreter<'a> {
    /// Gives the model an arena, of at least [`Linked::arena_bytes`] from a multiple of 16 on. What it holds does not matter.
    ///
    /// # Errors
    /// [`PrepareError::ArenaAlignment`] and [`PrepareError::ArenaTooSmall`].
    pub fn new(linked: &'a Linked<'a>, arena: &'a mut [u8]) -> Result<Self, PrepareError> {
        let remainder = arena.as_ptr() as usize % ARENA_ALIGNMENT;
        if remainder != 0 {
            return Err(PrepareError::ArenaAlignment {
                remainder: remainder as u32,
            });
        }
        let given = u32::try_from(arena.len()).unwrap_or(u32::MAX);
        let Some(activations) = arena.get_mut(..linked.arena_bytes()) else {
            return Err(PrepareError::ArenaTooSmall {
                needed: linked.arena_bytes,
                given,
                exact: true,
            });
        };
        let mut interpreter = Self {
            linked,
            run: Run {
                model: linked.model,
                registry: linked.registry,
                table: linked.table,
                steps: linked.steps,
                activations,
            },
        };
        interpreter.reset_variables();
        Ok(interpreter)
    }

    /// Bytes of the arena that the model needs.
    #[must_use]
    pub const fn arena_bytes_used(&self) -> usize {
        self.linked.arena_bytes()
    }

    /// The bytes of the input at `index`, to be filled before each run: a run overwrites them.
    #[must_use]
    pub fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        self.run.activation(*self.linked.inputs.get(index)?)
    }

    /// The bytes of the output at `index`: what the last run left.
    #[must_use]
    pub fn output(&self, index: usize) -> Option<&[u8]> {
        self.run.tensor(*self.linked.outputs.get(index)?)
    }

    /// Runs the model on what the inputs hold.
    ///
    /// # Errors
    /// The operator that could not run: something overwrote the arena, or a custom operator refused.
    pub fn invoke(&mut self) -> Result<(), InvokeError> {
        self.invoke_profiled(&mut ())
    }

    /// [`LinkedInterpreter::invoke`], telling a profiler of each operator.
    ///
    /// # Errors
    /// As [`LinkedInterpreter::invoke`].
    pub fn invoke_profiled(&mut self, profiler: &mut impl Profiler) -> Result<(), InvokeError> {
        self.run.invoke(profiler)
    }

    /// Sets the variables, which carry state from run to run, to what stands for zero.
    pub fn reset_variables(&mut self) {
        for word in self.linked.variables {
            let variable = self.run.activation(word & 0xffff).unwrap_or_default();
            variable.fill((word >> 16) as u8);
        }
    }
}

/// What a host writes down of a model that it prepared.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// The names in [`registry::NAMED`](crate::registry::NAMED) of the rows of the registry.
    pub registry: alloc::vec::Vec<&'static str>,
    /// What [`Linked::new`] takes.
    pub numbers: alloc::vec::Vec<u32>,
    /// [`Linked::arena_bytes`].
    pub arena_bytes: usize,
}

#[cfg(feature = "alloc")]
impl Preparation {
    /// Prepares a model with the rows that it needs, [`registry::needed`](crate::registry::needed).
    ///
    /// # Errors
    /// As [`Interpreter::new`](crate::Interpreter::new), but for the arena.
    pub fn of(model: &ember_tflite::Model<'_>) -> Result<Self, PrepareError> {
        use alloc::vec::Vec;
        use ember_tflite::{TensorId, TensorIds};

        let names = crate::registry::needed(model);
        let rows = crate::registry::NAMED.iter();
        let rows = rows.filter(|(name, _)| names.contains(name));
        let registry: Vec<Registration> = rows.map(|(_, row)| *row).collect();
        let graph = model.main();
        let ids = |ids: TensorIds<'_>| -> Vec<u32> {
            ids.iter().flatten().map(|TensorId(id)| id).collect()
        };
        let (inputs, outputs) = (ids(graph.inputs()), ids(graph.outputs()));
        let variables = graph.tensors().zip(0..);
        let variables = variables.filter(|(tensor, _)| tensor.is_variable());
        let variables = variables.map(|(tensor, id): (_, u32)| {
            id | u32::from(crate::interpreter::initial_byte(&tensor)) << 16
        });
        let variables: Vec<u32> = variables.collect();
        crate::interpreter::with_interpreter(model, &registry, |interpreter| {
            let run = interpreter.run();
            let arena_bytes = run.activations.len().next_multiple_of(4);
            let mut table = run.table.to_vec();
            let mut variables = variables.clone();
            if interpreter.state_bytes() > 0 {
                // What operators keep at the end is set to zero as variables are.
                variables.push(table.len() as u32);
                let start = arena_bytes as u32 - interpreter.state_bytes();
                table.push([start, interpreter.state_bytes()]);
            }
            let lengths = [
                inputs.len(),
                outputs.len(),
                variables.len(),
                table.len(),
                run.steps.len(),
            ];
            let mut numbers = alloc::vec![layout(&registry), arena_bytes as u32];
            numbers.extend(lengths.map(|len| len as u32));
            for part in [
                &inputs,
                &outputs,
                &variables,
                table.as_flattened(),
                run.steps,
            ] {
                numbers.extend_from_slice(part);
            }
            Self {
                registry: names.clone(),
                numbers,
                arena_bytes,
            }
        })
    }
}
