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
use crate::target::ARENA_BYTES;
use ember_firmware::app::Sizes;
use ember_firmware::chip::Chip;
use ember_firmware::clock::Clock;
use ember_link::{Failure, Hello};

/// A model that is ready to run, and what is said about it.
struct Prepared {
    engine: model::Engine,
    hello: Hello<'static>,
    #[cfg(feature = "rtt")]
    slots: Option<ember_link::Slots>,
}

/// Finds and prepares the model.
fn prepare(machine: &mut Machine) -> Result<Prepared, Failure> {
    let calibration_ticks = machine.calibration_ticks();
    let start = machine.ticks();
    let arena = machine::arena();
    let found = model::find(arena)?;
    let mut engine = model::engine(&found, arena)?;
    let prepare_ticks = machine.ticks() - start;
    let Sizes {
        input_bytes,
        output_bytes,
    } = model::sizes(&mut engine);
    let hello = Hello {
        model_crc: model::crc(&found),
        model_bytes: found.model.len() as u32,
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
        #[cfg(feature = "rtt")]
        slots: found.slots,
    })
}

/// The model is in the image.
#[cfg(not(feature = "slots"))]
mod model {
    use crate::model::{INPUT_BYTES, LINKED, MODEL, OUTPUT_BYTES};
    use ember_firmware::app::Sizes;
    use ember_firmware::interpreter::Prelinked;
    use ember_link::{Crc32, Failure};

    pub(super) type Engine = Prelinked<'static>;

    #[allow(
        long_running_const_eval,
        reason = "some instructions per byte of the model, and it ends"
    )]
    const CRC: u32 = Crc32::of(MODEL);

    pub(super) const fn crc(_found: &Found) -> u32 {
        CRC
    }

    pub(super) struct Found {
        pub(super) model: &'static [u8],
        #[cfg(feature = "rtt")]
        pub(super) slots: Option<ember_link::Slots>,
    }

    pub(super) const fn find(_arena: &mut [u8]) -> Result<Found, Failure> {
        Ok(Found {
            model: MODEL,
            #[cfg(feature = "rtt")]
            slots: None,
        })
    }

    pub(super) fn engine(_found: &Found, arena: &'static mut [u8]) -> Result<Engine, Failure> {
        Prelinked::new(&LINKED, arena)
    }

    pub(super) const fn sizes(_engine: &mut Engine) -> Sizes {
        Sizes {
            input_bytes: INPUT_BYTES as u32,
            output_bytes: OUTPUT_BYTES as u32,
        }
    }
}

/// The model is in a slot, and another one than the image was built with.
#[cfg(feature = "slots")]
mod model {
    use crate::machine;
    use crate::target::{PUBLIC_KEY, REGISTRY};
    use ember_firmware::app::Sizes;
    use ember_firmware::interpreter::Interpreted;
    use ember_firmware::slots;
    use ember_link::{Crc32, Failure, Slots};

    pub(super) type Engine = Interpreted<'static, 'static>;

    pub(super) const fn crc(found: &Found) -> u32 {
        Crc32::of(found.model)
    }

    pub(super) struct Found {
        pub(super) model: &'static [u8],
        pub(super) slots: Option<Slots>,
    }

    pub(super) fn find(arena: &mut [u8]) -> Result<Found, Failure> {
        let chosen = slots::choose(machine::slots(), PUBLIC_KEY.as_ref(), REGISTRY, arena)?;
        Ok(Found {
            model: chosen.model,
            slots: Some(chosen.slots),
        })
    }

    pub(super) fn engine(found: &Found, arena: &'static mut [u8]) -> Result<Engine, Failure> {
        Interpreted::new(found.model, REGISTRY, arena)
    }

    pub(super) fn sizes(engine: &mut Engine) -> Sizes {
        Sizes::of(engine)
    }
}
