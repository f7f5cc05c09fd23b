//! From start-up on: prepares the model, says hello, serves images.

#[cfg(feature = "rtt")]
mod forever;
#[cfg(not(feature = "rtt"))]
mod once;

#[cfg(feature = "rtt")]
pub(crate) use forever::{fault, run};
#[cfg(not(feature = "rtt"))]
pub(crate) use once::{fault, run};

use crate::machine::{self, Machine};
use crate::model::{INPUT_BYTES, MODEL, OUTPUT_BYTES};
use crate::target::{ARENA_BYTES, REGISTRY};
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_firmware::interpreter::Interpreted;
use ember_link::{Crc32, Failure, Hello};

/// Prepares the model, and what is said about it.
fn prepare(
    machine: &mut Machine,
) -> Result<(Interpreted<'static, 'static>, Hello<'static>), Failure> {
    let calibration_ticks = machine.calibration_ticks();
    let start = machine.ticks();
    let engine = Interpreted::new(MODEL, REGISTRY, machine::arena())?;
    let prepare_ticks = machine.ticks() - start;
    let hello = Hello {
        model_crc: Crc32::of(MODEL),
        model_bytes: MODEL.len() as u32,
        arena_bytes: ARENA_BYTES as u32,
        arena_used_bytes: engine.arena_bytes_used() as u32,
        input_bytes: INPUT_BYTES as u32,
        output_bytes: OUTPUT_BYTES as u32,
        stack_limit_bytes: machine.stack_limit_bytes(),
        timer: machine.timer(),
        calibration_ticks,
        prepare_ticks,
        target: env!("EMBER_TARGET"),
    };
    Ok((engine, hello))
}
