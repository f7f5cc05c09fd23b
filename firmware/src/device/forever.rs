//! A chip with a debugger at it: whoever attaches is served, one host after the other, until the chip is reset.

use super::{Prepared, prepare};
use crate::machine::{self, Machine};
use ember_firmware::app;
use ember_link::{ErrorCode, Failure};

/// The whole program.
pub(crate) fn run(machine: &mut Machine) -> ! {
    let mut transport = machine::open_rtt();
    let Prepared {
        mut engine,
        hello,
        slots,
    } = match prepare(machine) {
        Ok(prepared) => prepared,
        Err(failure) => {
            // The carrier never fails.
            let _ = failure.write(&mut transport);
            machine::stop()
        }
    };
    app::serve_hosts(&mut transport, &mut engine, machine, slots.as_ref(), &hello);
    machine::stop()
}

/// Reports a fault of the processor and stops. `pc` is where it happened, `cause` what the architecture says about it.
pub(crate) fn fault(pc: u32, cause: u32) -> ! {
    let failure = Failure {
        code: ErrorCode::Fault,
        details: [pc, cause],
    };
    let _ = failure.write(&mut machine::rtt_after_fault());
    machine::stop()
}
