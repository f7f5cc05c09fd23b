//! What the preparation worked out, operator by operator: for a compiler on the host, which writes the same numbers down as
//! constants.

use ember_core::view;

use crate::interpreter::Interpreter;
use crate::kernel::{Kernel, Registration};
use crate::run::Step;

/// An operator as its kernel prepared it.
#[derive(Clone, Copy, Debug)]
pub struct PreparedOperator<'a> {
    /// The row of the registry that took it.
    pub registration: &'a Registration,
    words: &'a [u32],
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
}

impl Interpreter<'_, '_> {
    /// The operators in the order of execution. Of two that are done together, the second one has the row of the first and no
    /// words; with [`registry::ALL`](crate::registry::ALL) there are none.
    pub fn prepared(&self) -> impl Iterator<Item = PreparedOperator<'_>> {
        let mut steps = self.run().steps;
        core::iter::from_fn(move || {
            let step = Step::next(&mut steps)?;
            Some(PreparedOperator {
                registration: self.run().registry.get(step.registration)?,
                words: step.words,
            })
        })
    }
}
