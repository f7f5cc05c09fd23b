//! Running what was prepared: one step after the other.

use ember_tflite::OpCode;

use crate::error::{InvokeError, InvokeFault};
use crate::io::{Frame, Ids, Io};
use crate::kernel::Registration;
use crate::plan::{Location, Row};
use crate::profile::Profiler;

/// Words before the operands of a step: registration and counts, and the length of what was prepared.
pub(crate) const HEADER: usize = 2;

/// What does not change while the operators of a subgraph run.
#[derive(Clone, Copy)]
pub(crate) struct Program<'a> {
    pub(crate) model: &'a [u8],
    pub(crate) registry: &'a [Registration],
    /// Of the subgraph's tensors.
    pub(crate) table: &'a [Row],
}

/// All that a run needs.
pub(crate) struct Run<'a> {
    pub(crate) model: &'a [u8],
    pub(crate) registry: &'a [Registration],
    pub(crate) table: &'a [Row],
    pub(crate) steps: &'a [u32],
    pub(crate) activations: &'a mut [u8],
}

impl Run<'_> {
    pub(crate) fn invoke(&mut self, profiler: &mut impl Profiler) -> Result<(), InvokeError> {
        let mut steps = self.steps;
        let mut index = 0;
        while let Some(step) = Step::next(&mut steps) {
            let damaged = InvokeError {
                index,
                fault: InvokeFault::Prepared,
            };
            let row = self.registry.get(step.registration);
            let registration = row.ok_or(damaged)?;
            let second = registration.next.filter(|_| step.is_done());
            let code = second.map_or(registration.code, OpCode::Builtin);
            profiler.begin(index, code);
            // Of two operators that are done together, the step of the first was both.
            if second.is_none() {
                let frame = Frame {
                    program: Program {
                        model: self.model,
                        registry: self.registry,
                        table: self.table,
                    },
                    operands: Ids(step.operands),
                    inputs: step.inputs,
                };
                let io = Io {
                    activations: self.activations,
                    frame: &frame,
                    words: step.words,
                };
                (registration.run)(io).map_err(|fault| InvokeError { index, fault })?;
            }
            profiler.end(index, code);
            index += 1;
        }
        Ok(())
    }

    /// The bytes of a tensor that is among the activations.
    pub(crate) fn activation(&mut self, tensor: u32) -> Option<&mut [u8]> {
        let [word, len] = *self.table.get(tensor as usize)?;
        let Location::Arena(start) = Location::from_word(word) else {
            return None;
        };
        self.activations
            .get_mut(start as usize..)?
            .get_mut(..len as usize)
    }

    /// The bytes of a tensor.
    pub(crate) fn tensor(&self, tensor: u32) -> Option<&[u8]> {
        let [word, len] = *self.table.get(tensor as usize)?;
        let (bytes, start) = match Location::from_word(word) {
            Location::Arena(start) => (&*self.activations, start),
            Location::Model(start) => (self.model, start),
            Location::SameAs(_) | Location::Nowhere => return None,
        };
        bytes.get(start as usize..)?.get(..len as usize)
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

    /// Whether the step before does this operator too: it has no tensors of its own.
    const fn is_done(&self) -> bool {
        self.operands.is_empty()
    }
}
