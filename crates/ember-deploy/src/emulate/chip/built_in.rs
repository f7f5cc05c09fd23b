//! A chip in the built-in emulator, with its RTT buffers read and written in the emulator's memory.

use super::super::cortex_m3::{self, Stop};
use super::super::rtt::{Memory, Rtt};
use super::{CONTROL_BLOCK, ChipJob};
use crate::error::DeployError;
use crate::image::Segment;

/// Instructions between two looks at the buffers: from few, while bytes move, to many, during an inference. Counting
/// instructions and not time, two runs are the same.
const SHORTEST: u64 = 4_000;
const LONGEST: u64 = 1 << 20;

/// One tick of SysTick is one instruction: the processor's clock, without wait states.
pub(super) const INSTRUCTIONS_PER_TICK: u64 = 1;

pub(super) struct BuiltIn {
    core: cortex_m3::Core,
    rtt: Rtt,
    slice: u64,
}

impl BuiltIn {
    pub(super) fn start(job: &ChipJob<'_>, flash: &[Segment]) -> Result<Self, DeployError> {
        let rtt = job.image.symbols().named(CONTROL_BLOCK);
        let rtt = rtt.ok_or(DeployError::NoSymbol {
            name: CONTROL_BLOCK,
        })?;
        let mut core = cortex_m3::Core::new(job.plan.flash, job.plan.ram, INSTRUCTIONS_PER_TICK);
        core.erase(job.plan.erased_byte);
        for segment in flash {
            core.program(segment.address, &segment.bytes)
                .map_err(|stop| stopped(&core, stop))?;
        }
        core.reset(job.target.vectors())
            .map_err(|stop| stopped(&core, stop))?;
        Ok(Self {
            core,
            rtt: Rtt::new(rtt.address),
            slice: SHORTEST,
        })
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError> {
        let count = self.rtt.receive(&mut self.core, buffer)?;
        self.moved(count)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError> {
        let count = self.rtt.send(&mut self.core, bytes)?;
        self.moved(count)
    }

    const fn moved(&mut self, count: usize) -> Result<usize, DeployError> {
        if count > 0 {
            self.slice = SHORTEST;
        }
        Ok(count)
    }

    /// Executes some instructions.
    pub(super) fn idle(&mut self) -> Result<(), DeployError> {
        self.rtt.publish(&mut self.core)?;
        match self.core.run(self.slice) {
            Stop::Enough => {}
            stop => return Err(stopped(&self.core, stop)),
        }
        self.slice = LONGEST.min(self.slice * 2);
        self.rtt.refresh(&mut self.core)
    }

    /// The address of the next instruction.
    pub(super) const fn place(&self) -> u32 {
        self.core.program_counter()
    }
}

impl Memory for cortex_m3::Core {
    fn read(&mut self, address: u32, into: &mut [u8]) -> Result<(), DeployError> {
        match self.bytes(address, into.len() as u32) {
            Ok(bytes) => {
                into.copy_from_slice(bytes);
                Ok(())
            }
            Err(stop) => Err(stopped(self, stop)),
        }
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), DeployError> {
        match self.bytes_mut(address, bytes.len() as u32) {
            Ok(place) => {
                place.copy_from_slice(bytes);
                Ok(())
            }
            Err(stop) => Err(stopped(self, stop)),
        }
    }
}

fn stopped(core: &cortex_m3::Core, stop: Stop) -> DeployError {
    DeployError::Emulation {
        pc: core.program_counter(),
        instructions: core.instructions(),
        problem: stop.to_string(),
    }
}
