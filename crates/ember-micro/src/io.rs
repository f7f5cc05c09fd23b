//! What a kernel sees while it runs: its tensors as slices, inputs and output at the same time.

use ember_core::view::{self, Plain};

use crate::error::{InvokeFault, Slot};
use crate::plan::{Location, Row};
use crate::prepare::Scratch;
use crate::run::Program;

/// The place of a left-out tensor in a list of operands.
pub(crate) const LEFT_OUT: u32 = 0xffff;

/// Tensor numbers, two to a word.
#[derive(Clone, Copy)]
pub(crate) struct Ids<'s>(pub(crate) &'s [u32]);

impl Ids<'_> {
    #[inline]
    fn get(self, index: usize) -> Option<u32> {
        let word = *self.0.get(index / 2)?;
        let id = if index.is_multiple_of(2) {
            word
        } else {
            word >> 16
        } & 0xffff;
        (id != LEFT_OUT).then_some(id)
    }
}

/// What does not change while an operator runs.
pub(crate) struct Frame<'s> {
    pub(crate) program: Program<'s>,
    /// Inputs, then outputs.
    pub(crate) operands: Ids<'s>,
    pub(crate) inputs: u8,
}

impl Frame<'_> {
    #[inline(never)]
    pub(crate) fn row(&self, operand: u8) -> Option<Row> {
        let id = self.operands.get(usize::from(operand))?;
        self.program.table.get(id as usize).copied()
    }

    pub(crate) fn input(&self, index: u8) -> Option<Row> {
        if index >= self.inputs {
            return None;
        }
        self.row(index)
    }
}

/// The tensors and the prepared words of one operator.
pub struct Io<'s> {
    pub(crate) activations: &'s mut [u8],
    pub(crate) frame: &'s Frame<'s>,
    pub(crate) words: &'s [u32],
}

impl<'s> Io<'s> {
    /// The words that the preparation kept with [`Prepare::keep`](crate::Prepare::keep).
    #[must_use]
    pub const fn kept(&self) -> &'s [u32] {
        self.words
    }

    /// The kept words as numbers of another plain type.
    ///
    /// # Errors
    /// [`InvokeFault::Prepared`] where they do not divide into such numbers.
    pub fn kept_as<T: Plain>(&self) -> Result<&'s [T], InvokeFault> {
        view::from_bytes(view::as_bytes(self.words)).ok_or(InvokeFault::Prepared)
    }

    /// What [`Prepare::scratch`](crate::Prepare::scratch) gave, and all the rest. Of several the one that was asked for last
    /// is taken first.
    ///
    /// # Errors
    /// [`InvokeFault::Prepared`] where that is not what `scratch` says, or not room for `T`.
    #[inline(never)]
    pub fn scratch<T: Plain>(self, scratch: Scratch) -> Result<(&'s mut [T], Self), InvokeFault> {
        let (start, len) = (scratch.start as usize, scratch.len as usize);
        if len == 0 {
            return Ok((&mut [], self));
        }
        let split = self.activations.split_at_mut_checked(start);
        let (activations, behind) = split.ok_or(InvokeFault::Prepared)?;
        let bytes = behind.get_mut(..len).and_then(view::from_bytes_mut);
        let io = Self {
            activations,
            ..self
        };
        Ok((bytes.ok_or(InvokeFault::Prepared)?, io))
    }

    /// The inputs and the (first) output, the output's elements as `T`.
    ///
    /// # Errors
    /// [`InvokeFault::Operand`] where the output is not in the arena or not of this type.
    #[inline]
    pub fn split<T: Plain>(self) -> Result<(Inputs<'s>, &'s mut [T]), InvokeFault> {
        let first = self.frame.inputs;
        let (inputs, output) = self.split_bytes(first).ok_or(OUTPUT)?;
        Ok((inputs, view::from_bytes_mut(output).ok_or(OUTPUT)?))
    }

    /// The inputs and the output at `index`, of an operator with several.
    ///
    /// # Errors
    /// [`InvokeFault::Operand`] where there is no such output, it is not in the arena or not of this type.
    pub fn split_at<T: Plain>(&mut self, index: u8) -> Result<(Inputs<'_>, &mut [T]), InvokeFault> {
        let io = Io {
            activations: &mut *self.activations,
            frame: self.frame,
            words: self.words,
        };
        let fault = InvokeFault::Operand(Slot::output(index));
        let operand = self.frame.inputs.wrapping_add(index);
        let (inputs, output) = io.split_bytes(operand).ok_or(fault)?;
        Ok((inputs, view::from_bytes_mut(output).ok_or(fault)?))
    }

    /// All activations at once, for a kernel that hands them to a device, and the inputs, of which only the constants can be
    /// read then. [`Prepare::place`](crate::Prepare::place) says where each tensor lies.
    #[must_use]
    pub fn activations(self) -> (Inputs<'s>, &'s mut [u8]) {
        let inputs = Inputs {
            before: &[],
            after: &[],
            after_start: u32::MAX,
            frame: self.frame,
        };
        (inputs, self.activations)
    }

    #[inline(never)]
    fn split_bytes(self, operand: u8) -> Option<(Inputs<'s>, &'s mut [u8])> {
        let frame = self.frame;
        let [word, len] = frame.row(operand)?;
        let Location::Arena(start) = Location::from_word(word) else {
            return None;
        };
        let (before, rest) = self.activations.split_at_mut_checked(start as usize)?;
        let (output, after) = rest.split_at_mut_checked(len as usize)?;
        let inputs = Inputs {
            before,
            after,
            after_start: start.saturating_add(len),
            frame,
        };
        Some((inputs, output))
    }
}

const OUTPUT: InvokeFault = InvokeFault::Operand(Slot::output(0));

/// The inputs of an operator.
#[derive(Clone, Copy)]
pub struct Inputs<'s> {
    before: &'s [u8],
    after: &'s [u8],
    after_start: u32,
    frame: &'s Frame<'s>,
}

impl<'s> Inputs<'s> {
    /// The number of inputs, left-out ones included.
    #[must_use]
    pub const fn len(&self) -> u8 {
        self.frame.inputs
    }

    /// Whether there are no inputs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of an input that is there.
    ///
    /// # Errors
    /// [`InvokeFault::Operand`] where it is left out, not of this type, or has the bytes of the output.
    pub fn get<T: Plain>(&self, index: u8) -> Result<&'s [T], InvokeFault> {
        self.bytes(index)
            .and_then(view::from_bytes)
            .ok_or(InvokeFault::Operand(Slot::input(index)))
    }

    /// The elements of an input that may be left out.
    ///
    /// # Errors
    /// As [`Inputs::get`] where it is not left out.
    pub fn optional<T: Plain>(&self, index: u8) -> Result<Option<&'s [T]>, InvokeFault> {
        match self.frame.input(index) {
            None => Ok(None),
            Some(_) => self.get(index).map(Some),
        }
    }

    /// Bytes of the model, from this offset on.
    pub(crate) fn model(&self, offset: u32, len: u32) -> Option<&'s [u8]> {
        self.frame
            .program
            .model
            .get(offset as usize..)?
            .get(..len as usize)
    }

    /// Whether the input has the very bytes of the output: the planner gave both the same place.
    #[must_use]
    pub fn is_output(&self, index: u8) -> bool {
        let output = self.frame.row(self.len()).map(|[word, _]| word);
        self.frame.input(index).map(|[word, _]| word) == output
    }

    #[inline(never)]
    fn bytes(&self, index: u8) -> Option<&'s [u8]> {
        let [word, len] = self.frame.input(index)?;
        let (bytes, start) = match Location::from_word(word) {
            Location::Model(offset) => (self.frame.program.model, offset),
            Location::Arena(offset) => match offset.checked_sub(self.after_start) {
                Some(offset) => (self.after, offset),
                None => (self.before, offset),
            },
            Location::SameAs(_) | Location::Nowhere => return None,
        };
        bytes.get(start as usize..)?.get(..len as usize)
    }
}
