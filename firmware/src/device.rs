//! From start-up to exit: says hello, serves images, reports, stops.

use crate::machine::{self, Machine, TIMER};
use crate::model::{ARENA_BYTES, INPUT_BYTES, MODEL, OUTPUT_BYTES, REGISTRY};
use crate::semihosting::{self, Semihosting};
use ember_firmware::app::{self, Sizes};
use ember_firmware::clock::Clock;
use ember_firmware::interpreter::Interpreted;
use ember_link::{Crc32, Done, ErrorCode, Failure, Hello};

/// Exit statuses; the emulator's own failures are 1.
const OK: usize = 0;
const FAILED: usize = 3;
const NO_TRANSPORT: usize = 4;
const FAULT: usize = 5;

const SIZES: Sizes = Sizes {
    input_bytes: INPUT_BYTES as u32,
    output_bytes: OUTPUT_BYTES as u32,
};

/// The whole program.
pub(crate) fn run(machine: &mut Machine) -> ! {
    let Ok(mut transport) = Semihosting::open() else {
        semihosting::exit(NO_TRANSPORT);
    };
    match serve(&mut transport, machine) {
        Ok(()) => semihosting::exit(OK),
        Err(failure) => {
            // When the carrier is what failed there is no way to say so but the status.
            let _ = failure.write(&mut transport);
            semihosting::exit(FAILED)
        }
    }
}

fn serve(transport: &mut Semihosting, machine: &mut Machine) -> Result<(), Failure> {
    let lost = |error| app::transport_failure(error, 0);
    let calibration_ticks = machine.calibration_ticks();
    let start = machine.ticks();
    let mut engine = Interpreted::new(MODEL, &REGISTRY, machine::arena())?;
    let prepare_ticks = machine.ticks() - start;
    Hello {
        model_crc: Crc32::of(MODEL),
        model_bytes: MODEL.len() as u32,
        arena_bytes: ARENA_BYTES as u32,
        arena_used_bytes: engine.arena_bytes_used() as u32,
        input_bytes: SIZES.input_bytes,
        output_bytes: SIZES.output_bytes,
        stack_limit_bytes: machine.stack_limit_bytes(),
        timer: TIMER,
        calibration_ticks,
        prepare_ticks,
        target: env!("EMBER_TARGET"),
    }
    .write(transport)
    .map_err(lost)?;

    let inferences = app::serve(transport, &mut engine, machine, SIZES)?;

    let stack_bytes = machine.stack_used_bytes();
    if stack_bytes >= machine.stack_limit_bytes() {
        return Err(Failure {
            code: ErrorCode::StackExhausted,
            details: [stack_bytes, 0],
        });
    }
    Done {
        inferences,
        stack_bytes,
    }
    .write(transport)
    .map_err(lost)
}

/// Reports a fault of the processor and stops. `pc` is where it happened, `cause` what the architecture says about it.
pub(crate) fn fault(pc: u32, cause: u32) -> ! {
    let failure = Failure {
        code: ErrorCode::Fault,
        details: [pc, cause],
    };
    // Nothing else can be done with a failure to report a failure.
    let _ = failure.write(&mut Semihosting::after_fault());
    semihosting::exit(FAULT)
}
