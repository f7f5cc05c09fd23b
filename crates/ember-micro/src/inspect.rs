//! What the preparation worked out, operator by operator: for a compiler on the host, which writes the same numbers down as
//! constants.

use ember_core::view;

use crate::interpreter::{Interpreter, Step};
use crate::kernel::{Kernel, Registration};

/// An operator as its kernel prepared it.
#[derive(Clone, Copy, Debug)]
pub struct PreparedOperator<'a> {
    /// The row of the registry that took it.
    pub registration: &'static Registration,
    words: &'a [u32],
}

impl<'a> PreparedOperator<'a> {
    /// What kernel `K` prepared, and the words that it kept behind that. `None` where another kernel took the operator.
    #[must_use]
    pub fn of<K: Kernel>(&self) -> Option<(&'a K::Prepared, &'a [u32])> {
        let Registration {
            code, dtype, other, ..
        } = *self.registration;
        if (code, dtype, other) != (K::CODE, K::DTYPE, K::OTHER) {
            return None;
        }
        let (prepared, kept) = self.words.split_at_checked(size_of::<K::Prepared>() / 4)?;
        Some((view::from_words(prepared)?, kept))
    }
}

impl Interpreter<'_, '_> {
    /// The operators in the order of execution.
    pub fn prepared(&self) -> impl Iterator<Item = PreparedOperator<'_>> {
        let mut steps = self.steps;
        core::iter::from_fn(move || {
            let step = Step::next(&mut steps)?;
            Some(PreparedOperator {
                registration: self.registry.get(step.registration)?,
                words: step.words,
            })
        })
    }
}
