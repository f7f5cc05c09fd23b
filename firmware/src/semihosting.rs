//! Frames through files of the emulator or debugger, by Arm's semihosting calls.
//!
//! The device reads `ember-in` and writes `ember-out`, both in the directory where the emulator was started. Operations
//! and modes are those of "Semihosting for AArch32 and AArch64" (Arm, 2.0); RISC-V uses the same.

use crate::machine;
use core::sync::atomic::{AtomicUsize, Ordering};
use ember_firmware::transport::TransportError;
use ember_link::{Sink, Source};

const SYS_OPEN: usize = 0x01;
const SYS_WRITE: usize = 0x05;
const SYS_READ: usize = 0x06;
const SYS_EXIT_EXTENDED: usize = 0x20;
const APPLICATION_EXIT: usize = 0x2_0026;

const READ_BINARY: usize = 1;
const WRITE_BINARY: usize = 5;

/// Codes of [`TransportError`].
const CANNOT_OPEN: TransportError = TransportError(1);
const CANNOT_WRITE: TransportError = TransportError(2);
const ENDED_INSIDE: TransportError = TransportError(3);

/// The handle of the output, for [`Semihosting::after_fault`]; `usize::MAX`, which no call takes, before it is open.
static OUTPUT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Two open files.
pub(crate) struct Semihosting {
    input: usize,
    output: usize,
}

impl Semihosting {
    /// Opens both files.
    pub(crate) fn open() -> Result<Self, TransportError> {
        let output = open(c"ember-out", WRITE_BINARY)?;
        OUTPUT.store(output, Ordering::Relaxed);
        Ok(Self {
            output,
            input: open(c"ember-in", READ_BINARY)?,
        })
    }

    /// For a fault handler, which cannot get at what was interrupted: the output, and no input.
    pub(crate) fn after_fault() -> Self {
        Self {
            output: OUTPUT.load(Ordering::Relaxed),
            input: usize::MAX,
        }
    }
}

impl Source for Semihosting {
    type Error = TransportError;

    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, TransportError> {
        let missing = machine::semihosting_call(
            SYS_READ,
            &[self.input, buffer.as_mut_ptr() as usize, buffer.len()],
        );
        if missing == 0 {
            Ok(true)
        } else if missing == buffer.len() {
            Ok(false)
        } else {
            Err(ENDED_INSIDE)
        }
    }
}

impl Sink for Semihosting {
    type Error = TransportError;

    fn write(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        let block = [self.output, bytes.as_ptr() as usize, bytes.len()];
        match machine::semihosting_call(SYS_WRITE, &block) {
            0 => Ok(()),
            _ => Err(CANNOT_WRITE),
        }
    }
}

/// Ends the emulation; `status` becomes the emulator's own.
pub(crate) fn exit(status: usize) -> ! {
    loop {
        machine::semihosting_call(SYS_EXIT_EXTENDED, &[APPLICATION_EXIT, status, 0]);
    }
}

#[inline(never)]
fn open(name: &core::ffi::CStr, mode: usize) -> Result<usize, TransportError> {
    let block = [name.as_ptr() as usize, mode, name.count_bytes()];
    match machine::semihosting_call(SYS_OPEN, &block) {
        usize::MAX => Err(CANNOT_OPEN),
        handle => Ok(handle),
    }
}
