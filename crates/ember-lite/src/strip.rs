//! A model without what no runtime reads.

use ember_tflite::{PLAN, RUNTIME_VERSION, write::ModelSpec};

use crate::{LiteError, MappedModel};

/// The model's bytes without names, description, signatures, and metadata other than the arena plan and the oldest runtime: it
/// computes the same and needs the same arena. With `keep_signatures` those stay, with the names in them.
///
/// # Errors
///
/// [`LiteError::Write`] for a model with a signature of another subgraph than the main one, or with options that Ember does not
/// write, as those of VAR_HANDLE.
pub fn strip(mapped: &MappedModel, keep_signatures: bool) -> Result<Vec<u8>, LiteError> {
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
    if !keep_signatures {
        spec.signatures.clear();
    }
    spec.metadata
        .retain(|(name, _)| name == PLAN || name == RUNTIME_VERSION);
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
