//! The kernels for the host's vector instructions, as a delegate.
//!
//! A session without any delegate runs the same kernels: they are tried first wherever they can be, and the choice is made
//! between the loops of one kernel, without a copy. So this delegate is not for speed. It shows which operators of a model have
//! code for the instructions of this processor, and it lets these be measured and replaced apart from the others.

use ember_kernels::observe;
use ember_micro::{Interpreter, OpCode, Profiler, registry};

use super::{Compiled, Delegate, Interpreted, Node, Partition};
use crate::{Arena, LiteError, MappedModel};

/// Takes the operators for which `ember-kernels` used vector instructions when it ran the model.
pub struct Simd {
    /// For each operator.
    vectorized: Vec<bool>,
}

impl Simd {
    /// Runs the model once, on zeros, and notes which operators the kernels for wide vectors did.
    ///
    /// # Errors
    ///
    /// [`LiteError::Prepare`] and [`LiteError::Invoke`] where the interpreter cannot run the model.
    pub fn of(mapped: &MappedModel) -> Result<Simd, LiteError> {
        let model = mapped.model()?;
        let refused = |source| LiteError::Prepare {
            model: mapped.name().to_owned(),
            source,
        };
        // One by one: the kernels of two operators at once would hide the second.
        let registry = registry::ALL;
        let bytes = ember_micro::arena_bytes_needed(&model, registry).map_err(refused)?;
        let mut arena = Arena::with_bytes(bytes);
        let interpreter = Interpreter::new(&model, registry, arena.as_mut_slice());
        let mut interpreter = interpreter.map_err(refused)?;
        for index in 0..model.main().inputs().len() {
            interpreter.input(index).unwrap_or_default().fill(0);
        }
        let mut watch = Watch {
            vectorized: Vec::new(),
        };
        interpreter
            .invoke_profiled(&mut watch)
            .map_err(|source| LiteError::Invoke {
                model: mapped.name().to_owned(),
                source,
            })?;
        Ok(Simd {
            vectorized: watch.vectorized,
        })
    }

    /// The vector instructions that this processor has and `ember-kernels` uses: `AVX2`, `AVX-512 VNNI` or `NEON`; none on others.
    #[must_use]
    pub fn instructions() -> Option<&'static str> {
        observe::instructions()
    }
}

/// Notes for each operator whether vector instructions did it.
struct Watch {
    vectorized: Vec<bool>,
}

impl Profiler for Watch {
    fn begin(&mut self, _index: u32, _code: OpCode<'static>) {
        observe::take();
    }

    fn end(&mut self, _index: u32, _code: OpCode<'static>) {
        self.vectorized.push(observe::take());
    }
}

impl Delegate for Simd {
    fn name(&self) -> &str {
        "simd"
    }

    fn takes(&self, node: &Node<'_>) -> Result<(), String> {
        match self.vectorized.get(node.index()) {
            Some(true) => Ok(()),
            _ => Err("no vector instructions for it on this processor".to_owned()),
        }
    }

    fn compile(&self, partition: &Partition<'_>) -> Result<Box<dyn Compiled>, String> {
        let interpreted = Interpreted::of(partition).map_err(|error| error.to_string())?;
        Ok(Box::new(interpreted))
    }
}
