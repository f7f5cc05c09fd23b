//! Which way an operator took: the kernels for wide vectors, or the generic ones.
//!
//! Kernels for vectors say at run time whether they take a shape, so the way is known when it was gone. This is for tools on a
//! host: the note is one per thread and costs a store. Threads do not see each other's.

use core::cell::Cell;

use crate::arch;

std::thread_local! {
    static VECTORIZED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that kernels for vectors did their work, if they did.
#[inline(always)]
pub(crate) fn note(done: bool) {
    if done {
        VECTORIZED.set(true);
    }
}

/// Whether kernels for vectors did any work on this thread since this was asked last.
pub fn take() -> bool {
    VECTORIZED.replace(false)
}

/// The vector instructions that this processor has and there is code for: `AVX2`, `AVX-512 VNNI`, `NEON`; none on others.
#[must_use]
pub fn instructions() -> Option<&'static str> {
    arch::instructions()
}

#[cfg(test)]
mod tests {
    use super::{note, take};

    #[test]
    fn work_is_noted_until_it_was_asked_for_and_on_its_own_thread() {
        take();
        note(false);
        assert!(!take());
        note(true);
        note(false);
        assert!(!std::thread::spawn(take).join().unwrap());
        assert!(take());
        assert!(!take());
    }
}
