//! What the preparation worked out, operator by operator: for a compiler on the host, which writes the same numbers down as
//! constants.

use ember_core::view;
use ember_tflite::TensorId;

use crate::call::Called;
use crate::interpreter::Interpreter;
use crate::kernel::{Kernel, Registration};
use crate::ops::control_flow::{CallOnce, If, ROUNDS, While};
use crate::plan::{Location, Row};
use crate::run::{Program, Step};

/// An operator as its kernel prepared it.
#[derive(Clone, Copy, Debug)]
pub struct PreparedOperator<'a> {
    /// The row of the registry that took it.
    pub registration: &'a Registration,
    registry: &'a [Registration],
    words: &'a [u32],
}

/// The operators of a subgraph in the order of execution. Of two that are done together, the second one has the row of the
/// first and no words; with [`registry::ALL`](crate::registry::ALL) there are none.
#[derive(Clone, Copy, Debug)]
pub struct PreparedOperators<'a> {
    registry: &'a [Registration],
    table: &'a [Row],
    steps: &'a [u32],
}

impl PreparedOperators<'_> {
    /// Where a tensor of the subgraph begins among the activations, in bytes; none for a constant.
    #[must_use]
    pub fn offset(&self, TensorId(id): TensorId) -> Option<u32> {
        let [word, _] = *self.table.get(id as usize)?;
        match Location::from_word(word) {
            Location::Arena(offset) => Some(offset),
            Location::Model(_) | Location::SameAs(_) | Location::Nowhere => None,
        }
    }
}

impl<'a> Iterator for PreparedOperators<'a> {
    type Item = PreparedOperator<'a>;

    fn next(&mut self) -> Option<PreparedOperator<'a>> {
        let step = Step::next(&mut self.steps)?;
        Some(PreparedOperator {
            registration: self.registry.get(step.registration)?,
            registry: self.registry,
            words: step.words,
        })
    }
}

impl<'a> PreparedOperator<'a> {
    /// What kernel `K` prepared, and the words that it kept behind that. `None` where another kernel took the operator.
    #[must_use]
    pub fn of<K: Kernel>(&self) -> Option<(&'a K::Prepared, &'a [u32])> {
        let Registration {
            code,
            dtype,
            other,
            next,
            ..
        } = *self.registration;
        if (code, dtype, other, next) != (K::CODE, K::DTYPE, K::OTHER, K::NEXT) {
            return None;
        }
        let (prepared, kept) = self.words.split_at_checked(size_of::<K::Prepared>() / 4)?;
        Some((view::from_words(prepared)?, kept))
    }

    /// What IF, WHILE or CALL_ONCE prepared of the subgraphs that it calls, in the order of its options; nothing for all
    /// other operators.
    pub fn called(&self) -> impl Iterator<Item = PreparedOperators<'a>> + use<'a> {
        let mut words = self.words;
        let mut callees = [None, None];
        if let Some((pair, kept)) = self.of::<If>().or_else(|| self.of::<While<ROUNDS>>()) {
            (callees, words) = ([Some(pair.first), Some(pair.second)], kept);
        } else if let Some((once, kept)) = self.of::<CallOnce>() {
            (callees, words) = ([Some(once.callee), None], kept);
        }
        let registry = self.registry;
        let program = Program {
            model: &[],
            registry,
            table: &[],
        };
        callees.into_iter().flatten().map_while(move |callee| {
            let called = Called::take(&callee, &program, &mut words).ok()?;
            Some(PreparedOperators {
                registry,
                table: called.program.table,
                steps: called.steps,
            })
        })
    }
}

impl Interpreter<'_, '_> {
    /// The operators of the main subgraph.
    #[must_use]
    pub fn prepared(&self) -> PreparedOperators<'_> {
        let run = self.run();
        PreparedOperators {
            registry: run.registry,
            table: run.table,
            steps: run.steps,
        }
    }
}
