//! A chip in QEMU, with its RTT buffers read and written through QEMU's debugger interface.
//!
//! Memory can be looked at only while the machine stands still. The firmware calls one function over and over while it can
//! do nothing but wait for the host: a breakpoint on it stops the machine exactly when there is something to do, and what
//! the machine counts does not depend on how fast the host is.

use super::super::gdb::{Gdb, GdbError, Registers};
use super::super::process::{self, Process};
use super::super::rtt::{Memory, Rtt};
use super::{ChipJob, ChipMachine, STOP, WAIT};
use crate::error::DeployError;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long to wait for the machine to stop before the caller is asked whether to go on.
const SLICE: Duration = Duration::from_millis(20);

/// A machine that runs for so long without waiting for the host is stopped to see whether it has said something, as it does
/// before it gives up.
const LOOK: Duration = Duration::from_millis(500);

pub(super) struct InQemu {
    process: Process,
    gdb: Gdb<ChildStdin>,
    rtt: Rtt,
    /// Where the firmware waits for the host.
    wait: u32,
    /// Where it ends up after a failure.
    stop: Option<u32>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The firmware waits for the host.
    Waiting,
    /// It stands still at another instruction; at a breakpoint or not.
    Still { at_breakpoint: bool },
    /// It was told to run then.
    Running(Instant),
}

impl InQemu {
    pub(super) fn start(job: &ChipJob<'_>, machine: &ChipMachine) -> Result<Self, DeployError> {
        let symbols = job.image.symbols();
        let [rtt, wait] = [super::CONTROL_BLOCK, WAIT].map(|name| {
            let symbol = symbols.named(name).map(|symbol| symbol.address);
            symbol.ok_or(DeployError::NoSymbol { name })
        });
        let (rtt, wait) = (rtt?, wait?);
        let stop = symbols.named(STOP).map(|symbol| symbol.address);
        let loader = loader(job.hex)?;
        let arguments = |command: &mut Command| {
            command.args(["-S", "-gdb", "stdio", "-device", &loader]);
        };
        let directory = process::directory()?;
        let mut process = Process::start(machine.qemu, arguments, directory, Stdio::piped)?;
        let child = process.child();
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(process.ended("no connection"));
        };
        let registers = if job.target.triple.starts_with("riscv") {
            Registers::Riscv
        } else {
            Registers::Arm
        };
        let mut in_qemu = Self {
            process,
            gdb: Gdb::new(to, from, registers),
            rtt: Rtt::new(rtt),
            wait,
            stop,
            state: State::Still {
                at_breakpoint: false,
            },
        };
        for address in [Some(wait), stop].into_iter().flatten() {
            in_qemu.ask(|gdb| gdb.set_breakpoint(address))?;
        }
        Ok(in_qemu)
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError> {
        match self.state {
            State::Running(_) => Ok(0),
            State::Waiting | State::Still { .. } => {
                let (mut memory, rtt) = self.memory();
                rtt.receive(&mut memory, buffer)
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError> {
        match self.state {
            State::Running(_) | State::Still { .. } => Ok(0),
            State::Waiting => {
                let (mut memory, rtt) = self.memory();
                rtt.send(&mut memory, bytes)
            }
        }
    }

    /// Lets the machine run until it waits for the host, or for some time.
    pub(super) fn idle(&mut self) -> Result<(), DeployError> {
        let since = match self.state {
            State::Running(since) => since,
            State::Waiting => {
                // Only here: elsewhere, when the host looks depends on how fast it is.
                let (mut memory, rtt) = self.memory();
                rtt.publish(&mut memory)?;
                self.resume(true)?
            }
            State::Still { at_breakpoint } => self.resume(at_breakpoint)?,
        };
        if !self.ask(|gdb| gdb.stopped(SLICE))? {
            if since.elapsed() < LOOK {
                return Ok(());
            }
            self.ask(Gdb::interrupt)?;
        }
        let place = self.ask(Gdb::program_counter)?;
        self.state = if place == self.wait {
            State::Waiting
        } else {
            State::Still {
                at_breakpoint: Some(place) == self.stop,
            }
        };
        let (mut memory, rtt) = self.memory();
        rtt.refresh(&mut memory)
    }

    fn resume(&mut self, at_breakpoint: bool) -> Result<Instant, DeployError> {
        if at_breakpoint {
            self.ask(Gdb::step)?;
        }
        self.ask(Gdb::resume)?;
        let now = Instant::now();
        self.state = State::Running(now);
        Ok(now)
    }

    /// The address of the next instruction.
    pub(super) fn place(&mut self) -> Result<u32, DeployError> {
        if let State::Running(_) = self.state {
            self.ask(Gdb::interrupt)?;
            self.state = State::Still {
                at_breakpoint: false,
            };
        }
        self.ask(Gdb::program_counter)
    }

    fn memory(&mut self) -> (Stopped<'_>, &mut Rtt) {
        let Self {
            process, gdb, rtt, ..
        } = self;
        (Stopped { process, gdb }, rtt)
    }

    fn ask<T>(
        &mut self,
        question: impl FnOnce(&mut Gdb<ChildStdin>) -> Result<T, GdbError>,
    ) -> Result<T, DeployError> {
        question(&mut self.gdb).map_err(|error| explain(error, &mut self.process))
    }
}

/// The argument that loads a HEX file. A comma in it would begin another property.
fn loader(hex: &Path) -> Result<String, DeployError> {
    let path = std::path::absolute(hex).map_err(|source| DeployError::file("find", hex, source))?;
    let path = path.to_string_lossy().replace(',', ",,");
    Ok(format!("loader,file={path}"))
}

/// A machine that stands still.
struct Stopped<'q> {
    process: &'q mut Process,
    gdb: &'q mut Gdb<ChildStdin>,
}

impl Memory for Stopped<'_> {
    fn read(&mut self, address: u32, into: &mut [u8]) -> Result<(), DeployError> {
        let done = self.gdb.read(address, into);
        done.map_err(|error| explain(error, self.process))
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), DeployError> {
        let done = self.gdb.write(address, bytes);
        done.map_err(|error| explain(error, self.process))
    }
}

/// What became of QEMU.
fn explain(error: GdbError, process: &mut Process) -> DeployError {
    let problem = match error {
        GdbError::Closed => match process.end() {
            Ok(Some(status)) => return process.ended(&status.to_string()),
            Ok(None) => "something that is no packet".to_owned(),
            Err(error) => return error,
        },
        GdbError::Silent { request } => format!("no answer to `{request}`"),
        GdbError::Answer { request, answer } => format!("`{answer}` in answer to `{request}`"),
    };
    DeployError::Debugger { problem }
}
