//! What the suites ask of a runtime.

use crate::aligned::AlignedBytes;
use crate::case::Tensors;
use crate::runtimes::ARENA_LIMIT;

/// Why a runtime did not give outputs: its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Refusal {
    /// The refusal with a runtime's error as its text.
    pub fn from_error(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }

    /// The refusal of a model that asks for more arena than the tests give.
    pub(crate) fn arena_above_limit(needed: usize) -> Self {
        Self(format!(
            "the model needs an arena of {needed} bytes, these tests give at most {ARENA_LIMIT}"
        ))
    }

    /// The refusal of an input that has not the bytes that the model takes.
    pub(crate) fn input_length(index: usize, taken: usize, given: usize) -> Self {
        Self(format!(
            "input {index} takes {taken} bytes, the case has {given}"
        ))
    }
}

/// A model that a runtime has prepared.
pub trait Session {
    /// Bytes that each input of the model takes.
    fn input_bytes(&self) -> Vec<usize>;

    /// Runs the model once and gives the bytes of its outputs.
    ///
    /// # Errors
    /// When an input has not the bytes that the model takes, or an operator fails.
    fn invoke(&mut self, inputs: &Tensors) -> Result<Tensors, Refusal>;

    /// Forgets what earlier runs left in the variables.
    fn reset(&mut self);
}

/// What is done with a prepared model.
pub type Body<'a> = dyn FnMut(&mut dyn Session) -> Result<(), Refusal> + 'a;

/// Something that runs a `.tflite` file.
///
/// To put a new runtime under every case, implement this in a file of `runtimes/` and add it to
/// [`ALL`](crate::runtimes::ALL).
pub trait Runtime: Sync {
    /// The name in the names of the tests.
    fn name(&self) -> &'static str;

    /// Prepares the model and hands it to `body`.
    ///
    /// A callback, because a session may borrow the model and memory that lives only here.
    ///
    /// # Errors
    /// When the runtime refuses the model, or what `body` gives.
    fn open(&self, model: &AlignedBytes, body: &mut Body<'_>) -> Result<(), Refusal>;
}
