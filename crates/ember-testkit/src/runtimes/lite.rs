//! The host runtime: sessions over a model in memory.

use ember_lite::{LiteError, MappedModel, Session as LiteSession};
use ember_micro::Registration;

use crate::aligned::AlignedBytes;
use crate::case::Tensors;
use crate::runtime::{Body, Refusal, Runtime, Session};
use crate::runtimes::ARENA_LIMIT;

/// `ember-lite`, through its public interface, with these kernels before its own.
pub(super) struct Lite {
    pub(super) kernels: &'static [Registration],
}

impl Runtime for Lite {
    fn name(&self) -> &'static str {
        "lite"
    }

    fn open(&self, model: &AlignedBytes, body: &mut Body<'_>) -> Result<(), Refusal> {
        let model = MappedModel::from_bytes(model.as_slice(), "the case's model")?;
        let model = model.with_kernels(self.kernels);
        let needed = model.arena_bytes()?;
        if needed > ARENA_LIMIT {
            return Err(Refusal::arena_above_limit(needed));
        }
        let mut arena = model.arena()?;
        body(&mut model.session(&mut arena)?)
    }
}

impl From<LiteError> for Refusal {
    fn from(error: LiteError) -> Self {
        Self::from_error(error)
    }
}

impl Session for LiteSession<'_> {
    fn input_bytes(&self) -> Vec<usize> {
        (0..self.input_count())
            .filter_map(|index| self.input_tensor(index).ok())
            .map(|tensor| tensor.byte_len())
            .collect()
    }

    fn invoke(&mut self, inputs: &Tensors) -> Result<Tensors, Refusal> {
        for (index, bytes) in inputs.iter().enumerate() {
            let input = self.input(index)?;
            if input.len() != bytes.len() {
                return Err(Refusal::input_length(index, input.len(), bytes.len()));
            }
            input.copy_from_slice(bytes);
        }
        // The name is also the trait's; this one is the runtime's.
        match LiteSession::invoke(self) {
            // TFLM's outputs are looked at then, too.
            Err(LiteError::Invoke { source, .. }) if source.waits() => {}
            result => result?,
        }
        (0..self.output_count())
            .map(|index| Ok(self.output(index)?.to_vec()))
            .collect()
    }

    fn reset(&mut self) {
        self.reset_variables();
    }
}
