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
#[cfg(not(feature = "slots"))]
use crate::model::{INPUT_BYTES, MODEL, OUTPUT_BYTES};
use crate::target::{ARENA_BYTES, REGISTRY};
#[cfg(feature = "slots")]
use ember_firmware::app::Sizes;
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_firmware::interpreter::Interpreted;
use ember_link::{Crc32, Failure, Hello, Slots};

/// A model that is ready to run.
struct Prepared {
    engine: Interpreted<'static, 'static>,
    hello: Hello<'static>,
    /// Said before the hello, where there are slots.
    slots: Option<Slots>,
}

/// Finds and prepares the model.
fn prepare(machine: &mut Machine) -> Result<Prepared, Failure> {
    let calibration_ticks = machine.calibration_ticks();
    let start = machine.ticks();
    let arena = machine::arena();
    #[cfg(not(feature = "slots"))]
    let (model, slots) = (MODEL, None);
    #[cfg(feature = "slots")]
    let (model, slots) = {
        use crate::target::PUBLIC_KEY;
        let chosen =
            ember_firmware::slots::choose(machine::slots(), PUBLIC_KEY.as_ref(), REGISTRY, arena)?;
        (chosen.model, Some(chosen.slots))
    };
    let mut engine = Interpreted::new(model, REGISTRY, arena)?;
    let prepare_ticks = machine.ticks() - start;
    #[cfg(not(feature = "slots"))]
    let (input_bytes, output_bytes) = (INPUT_BYTES as u32, OUTPUT_BYTES as u32);
    #[cfg(feature = "slots")]
    let Sizes {
        input_bytes,
        output_bytes,
    } = Sizes::of(&mut engine);
    let hello = Hello {
        model_crc: Crc32::of(model),
        model_bytes: model.len() as u32,
        arena_bytes: ARENA_BYTES as u32,
        arena_used_bytes: engine.arena_bytes_used() as u32,
        input_bytes,
        output_bytes,
        stack_limit_bytes: machine.stack_limit_bytes(),
        timer: machine.timer(),
        calibration_ticks,
        prepare_ticks,
        target: env!("EMBER_TARGET"),
    };
    Ok(Prepared {
        engine,
        hello,
        slots,
    })
}
