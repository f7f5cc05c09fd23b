//! Ctrl-C: the first asks to end in good order, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

/// What a press of ctrl-C leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The work ends soon by itself.
    Ending,
    /// The flash is being written; the work ends when that is done.
    AfterWriting,
    /// It was pressed before: the program should exit.
    Exit,
}

/// Whether ctrl-C was pressed, and whether that must wait.
#[derive(Debug, Default)]
pub struct Interrupt {
    pressed: AtomicBool,
    writing: AtomicBool,
}

impl Interrupt {
    /// Nobody has pressed anything.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pressed: AtomicBool::new(false),
            writing: AtomicBool::new(false),
        }
    }

    /// Ctrl-C was pressed.
    pub fn press(&self) -> Reaction {
        let again = self.pressed.swap(true, Ordering::Relaxed);
        match (again, self.writing.load(Ordering::Relaxed)) {
            (true, _) => Reaction::Exit,
            (false, true) => Reaction::AfterWriting,
            (false, false) => Reaction::Ending,
        }
    }

    /// What becomes true with the first press.
    pub const fn flag(&self) -> &AtomicBool {
        &self.pressed
    }

    /// Whether it was pressed.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Does `work`, during which the program should not exit.
    pub fn while_writing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.writing.store(true, Ordering::Relaxed);
        let result = work();
        self.writing.store(false, Ordering::Relaxed);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::{Interrupt, Reaction};

    #[test]
    fn only_the_second_press_ends_at_once() {
        let interrupt = Interrupt::new();
        assert!(!interrupt.is_pressed());
        assert_eq!(interrupt.press(), Reaction::Ending);
        assert!(interrupt.is_pressed());
        assert_eq!(interrupt.press(), Reaction::Exit);
        let interrupt = Interrupt::new();
        let reaction = interrupt.while_writing(|| interrupt.press());
        assert_eq!(reaction, Reaction::AfterWriting);
        assert!(interrupt.is_pressed());
    }
}
