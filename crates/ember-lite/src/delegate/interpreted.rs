//! A partition that the interpreter itself runs: for delegates that choose, measure or check, and know no better way.

use std::sync::{Arc, Mutex, PoisonError};

use ember_tflite::write::ModelSpec;
use self_cell::{MutBorrow, self_cell};

use super::{Compiled, Node, Partition};
use crate::{Arena, LiteError, MappedModel, Session};

self_cell!(
    /// A session with the arena that it works in.
    struct Held {
        owner: (Arc<MappedModel>, MutBorrow<Arena>),
        #[not_covariant]
        dependent: Session,
    }
);

/// A partition as a model of its own, run by the interpreter's kernels. Threads that run it at the same time have a session
/// each.
pub struct Interpreted {
    model: Arc<MappedModel>,
    idle: Mutex<Vec<Held>>,
}

impl Interpreted {
    /// Prepares a partition.
    ///
    /// # Errors
    ///
    /// [`LiteError::Write`] and [`LiteError::Prepare`]: the interpreter could not run it in its own place either.
    pub fn of(partition: &Partition<'_>) -> Result<Interpreted, LiteError> {
        let operators: Vec<usize> = partition.nodes().iter().map(Node::index).collect();
        let name = format!("operators {operators:?}");
        let written = |source| LiteError::Write {
            model: name.clone(),
            source,
        };
        let spec = ModelSpec::of_part(
            &partition.graph,
            &operators,
            partition.inputs(),
            partition.outputs(),
        );
        let bytes = ember_tflite::write::write(&spec.map_err(written)?).map_err(written)?;
        let made = Interpreted {
            model: Arc::new(MappedModel::from_bytes(&bytes, &name)?),
            idle: Mutex::new(Vec::new()),
        };
        made.put_back(made.session()?);
        Ok(made)
    }

    fn session(&self) -> Result<Held, LiteError> {
        let arena = MutBorrow::new(self.model.arena()?);
        Held::try_new((Arc::clone(&self.model), arena), |(model, arena)| {
            model.session(arena.borrow_mut())
        })
    }

    /// A session that nobody uses.
    fn take(&self) -> Result<Held, LiteError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| self.session(), Ok)
    }

    fn put_back(&self, held: Held) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(held);
    }
}

impl Compiled for Interpreted {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), String> {
        let mut run = || -> Result<(), LiteError> {
            let mut held = self.take()?;
            held.with_dependent_mut(|_, session| {
                for (index, bytes) in inputs.iter().enumerate() {
                    session.input(index)?.copy_from_slice(bytes);
                }
                session.invoke()?;
                for (index, bytes) in outputs.iter_mut().enumerate() {
                    bytes.copy_from_slice(session.output(index)?);
                }
                Ok::<(), LiteError>(())
            })?;
            self.put_back(held);
            Ok(())
        };
        run().map_err(|error| error.to_string())
    }
}
