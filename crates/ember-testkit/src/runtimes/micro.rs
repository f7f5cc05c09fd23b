//! The device runtime.

use ember_micro::{Interpreter, Registration, arena_bytes_needed};
use ember_tflite::Model;

use crate::aligned::AlignedBytes;
use crate::case::Tensors;
use crate::runtime::{Body, Refusal, Runtime, Session};
use crate::runtimes::ARENA_LIMIT;

/// `ember-micro`'s interpreter with these kernels, in an arena of exactly the bytes that it says it needs.
pub(super) struct Micro {
    pub(super) registry: &'static [Registration],
}

impl Runtime for Micro {
    fn name(&self) -> &'static str {
        "micro"
    }

    fn open(&self, model: &AlignedBytes, body: &mut Body<'_>) -> Result<(), Refusal> {
        let model = Model::parse(model.as_slice()).map_err(Refusal::from_error)?;
        let needed = arena_bytes_needed(&model, self.registry).map_err(Refusal::from_error)?;
        if needed > ARENA_LIMIT {
            return Err(Refusal::arena_above_limit(needed));
        }
        let mut arena = AlignedBytes::zeroed(needed);
        let interpreter = Interpreter::new(&model, self.registry, arena.as_mut_slice())
            .map_err(Refusal::from_error)?;
        body(&mut MicroSession { interpreter })
    }
}

struct MicroSession<'a, 'm> {
    interpreter: Interpreter<'a, 'm>,
}

impl Session for MicroSession<'_, '_> {
    fn input_bytes(&self) -> Vec<usize> {
        let ids = self.interpreter.model().main().inputs();
        (0..ids.len())
            .filter_map(|index| self.interpreter.input_tensor(index))
            .map(|tensor| tensor.byte_len())
            .collect()
    }

    fn invoke(&mut self, inputs: &Tensors) -> Result<Tensors, Refusal> {
        for (index, bytes) in inputs.iter().enumerate() {
            let input = self
                .interpreter
                .input(index)
                .ok_or_else(|| Refusal(format!("the model has no input {index} to write to")))?;
            if input.len() != bytes.len() {
                return Err(Refusal::input_length(index, input.len(), bytes.len()));
            }
            input.copy_from_slice(bytes);
        }
        match self.interpreter.invoke() {
            // TFLM's outputs are looked at then, too.
            Err(error) if !error.waits() => return Err(Refusal::from_error(error)),
            _ => {}
        }
        let count = self.interpreter.model().main().outputs().len();
        (0..count)
            .map(|index| {
                let output = self.interpreter.output(index);
                output
                    .map(<[u8]>::to_vec)
                    .ok_or_else(|| Refusal(format!("output {index} cannot be read")))
            })
            .collect()
    }

    fn reset(&mut self) {
        self.interpreter.reset_variables();
    }
}
