//! A model without what no runtime reads.

use ember_tflite::{PLAN, RUNTIME_VERSION, write::ModelSpec};

use crate::{LiteError, MappedModel};

/// What [`strip`] leaves in a model besides what it computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The signatures, with the names in them.
    pub signatures: bool,
    /// The arena plan in the metadata. Without it the runtime plans for itself, which may take another arena; Arm's compiler
    /// for the Ethos-U makes an unusable file of a model that has one.
    pub plan: bool,
}

impl Default for Kept {
    /// The plan: the stripped model needs the same arena.
    fn default() -> Self {
        Self {
            signatures: false,
            plan: true,
        }
    }
}

/// The model's bytes without names, description, signatures, and metadata other than the arena plan and the oldest runtime, in
/// every subgraph: it computes the same. `kept` says what else stays and what else goes.
///
/// # Errors
///
/// [`LiteError::Write`] for a model with options that Ember does not write, [`LiteError::Delegated`] for one with partitions.
pub fn strip(mapped: &MappedModel, kept: Kept) -> Result<Vec<u8>, LiteError> {
    let mut spec = mapped.spec()?;
    spec.description.clear();
    spec.name.clear();
    let called = spec.called.iter_mut().flat_map(|graph| {
        graph.name.clear();
        &mut graph.tensors
    });
    for tensor in spec.tensors.iter_mut().chain(called) {
        tensor.name.clear();
    }
    if !kept.signatures {
        spec.signatures.clear();
    }
    spec.metadata
        .retain(|(name, _)| (kept.plan && name == PLAN) || name == RUNTIME_VERSION);
    mapped.write(&spec)
}

impl MappedModel {
    /// The model as values that can be changed and written again.
    pub(crate) fn spec(&self) -> Result<ModelSpec, LiteError> {
        if self.delegation().is_some() {
            return Err(LiteError::Delegated {
                model: self.name().to_owned(),
            });
        }
        ModelSpec::from_model(&self.model()?).map_err(|source| LiteError::Write {
            model: self.name().to_owned(),
            source,
        })
    }

    /// The bytes of a changed model.
    pub(crate) fn write(&self, spec: &ModelSpec) -> Result<Vec<u8>, LiteError> {
        ember_tflite::write::write(spec).map_err(|source| LiteError::Write {
            model: self.name().to_owned(),
            source,
        })
    }
}
