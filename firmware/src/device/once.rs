//! One run on an emulated chip: the images are in a file, and the status of the exit says how it went.

use super::{Prepared, prepare};
use crate::machine::Machine;
use crate::semihosting::{self, Semihosting};
use ember_firmware::app;
use ember_link::{ErrorCode, Failure};

/// Exit statuses; the emulator's own failures are 1.
const OK: usize = 0;
const FAILED: usize = 3;
const NO_TRANSPORT: usize = 4;
const FAULT: usize = 5;

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
    let Prepared {
        mut engine, hello, ..
    } = prepare(machine)?;
    app::converse(transport, &mut engine, machine, &hello)
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
