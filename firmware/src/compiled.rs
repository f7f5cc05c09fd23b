//! From start-up on, with a model that was compiled: there is nothing to prepare.

#[cfg(feature = "rtt")]
#[path = "device/forever.rs"]
mod forever;
#[cfg(not(feature = "rtt"))]
#[path = "device/once.rs"]
mod once;

#[cfg(feature = "rtt")]
pub(crate) use forever::{fault, run};
#[cfg(not(feature = "rtt"))]
pub(crate) use once::{fault, run};

use crate::machine::{self, Machine};
use crate::model::{ARENA_BYTES, INPUT_BYTES, MODEL_CRC, MODEL_FILE_BYTES, Model, OUTPUT_BYTES};
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_firmware::engine::{Engine, EngineError, Observer};
use ember_kernels::compiled::{BuiltinOp, Profiler};
use ember_link::{ErrorCode, Failure, Hello};

/// The number by which `ember-deploy` knows a kernel's error.
const KERNEL: u32 = 1;

/// A model that is ready to run, and what is said about it.
struct Prepared {
    engine: Compiled,
    hello: Hello<'static>,
    #[cfg(feature = "rtt")]
    slots: Option<ember_link::Slots>,
}

/// Takes the model.
fn prepare(machine: &mut Machine) -> Result<Prepared, Failure> {
    let calibration_ticks = machine.calibration_ticks();
    let start = machine.ticks();
    let model = machine::memory().ok_or(Failure {
        code: ErrorCode::Prepare,
        details: [0, 0],
    })?;
    let prepare_ticks = machine.ticks() - start;
    let hello = Hello {
        model_crc: MODEL_CRC,
        model_bytes: MODEL_FILE_BYTES as u32,
        arena_bytes: ARENA_BYTES as u32,
        arena_used_bytes: ARENA_BYTES as u32,
        input_bytes: INPUT_BYTES as u32,
        output_bytes: OUTPUT_BYTES as u32,
        stack_limit_bytes: machine.stack_limit_bytes(),
        timer: machine.timer(),
        calibration_ticks,
        prepare_ticks,
        target: env!("EMBER_TARGET"),
    };
    Ok(Prepared {
        engine: Compiled(model),
        hello,
        #[cfg(feature = "rtt")]
        slots: None,
    })
}

/// The engine that is code.
struct Compiled(&'static mut Model);

impl Engine for Compiled {
    fn input(&mut self, index: usize) -> Option<&mut [u8]> {
        self.0.input(index)
    }

    fn output(&self, index: usize) -> Option<&[u8]> {
        self.0.output(index)
    }

    fn invoke(&mut self, observer: &mut impl Observer) -> Result<(), EngineError> {
        let result = self.0.invoke_profiled(&mut Observed(observer));
        result.map_err(|error| EngineError {
            code: KERNEL,
            operator: error.operator,
        })
    }
}

/// An observer as the model wants it.
struct Observed<'o, O>(&'o mut O);

impl<O: Observer> Profiler for Observed<'_, O> {
    fn begin(&mut self, index: u32, op: BuiltinOp) {
        self.0.begin(index, op.code() as u32);
    }

    fn end(&mut self, index: u32, op: BuiltinOp) {
        self.0.end(index, op.code() as u32);
    }
}
