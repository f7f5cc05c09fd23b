//! Runs a firmware in an emulator, sends it images, and collects what it answers.
//!
//! - [`Emulator`]: a firmware that was built for an emulated machine, with its images in a file, by semihosting.
//! - [`ChipEmulator`]: the image that would be flashed into a chip, over RTT, as through a probe.

mod chip;
mod cortex_m3;
mod embedded;
mod gdb;
mod hear;
mod process;
mod qemu;
mod rtt;

use crate::converse::{Expect, Images, Transcript};
use crate::error::DeployError;
use crate::machine::{Machine, QemuMachine};
use std::path::Path;
use std::time::Duration;

pub use crate::converse::{Answer, Progress};

pub use chip::{CHIP_MACHINES, ChipEmulator, ChipJob, ChipMachine, EmulatedChip};
pub use qemu::installed as qemu_installed;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The machine that the firmware was built for.
    pub machine: &'static Machine,
    /// The firmware.
    pub elf: &'a Path,
    /// The images, one after the other, as the model takes them (quantized): `[images, input_bytes]`.
    pub images: &'a [u8],
    /// Bytes of one image.
    pub input_bytes: usize,
    /// Stop and report when nothing came from the firmware for so long.
    pub patience: Duration,
    /// The built-in emulator starts no further image after so long.
    pub budget: Duration,
}

impl<'a> Job<'a> {
    /// A job with a patience of 60 s and a budget of 20 s.
    #[must_use]
    pub const fn new(
        machine: &'static Machine,
        elf: &'a Path,
        images: &'a [u8],
        input_bytes: usize,
    ) -> Self {
        Self {
            machine,
            elf,
            images,
            input_bytes,
            patience: Duration::from_secs(60),
            budget: Duration::from_secs(20),
        }
    }

    /// The images.
    ///
    /// # Errors
    /// [`DeployError::Images`] when their bytes are not a whole number of them.
    pub const fn images(&self) -> Result<Images<'a>, DeployError> {
        Images::new(self.images, self.input_bytes)
    }

    /// What the firmware says about itself if it is the right one.
    const fn expect(&self) -> Expect<'static> {
        Expect {
            target: self.machine.target,
            input_bytes: self.input_bytes,
            instructions_per_tick: Some(self.machine.instructions_per_tick),
        }
    }
}

/// What the firmware said about itself. Times are in instructions.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// CRC-32 of the model in the firmware.
    pub model_crc: u32,
    /// Bytes of the model.
    pub model_bytes: u32,
    /// Bytes of the arena that the firmware was built with.
    pub arena_bytes: u32,
    /// Bytes of it that the model takes.
    pub arena_used_bytes: u32,
    /// Bytes of all outputs.
    pub output_bytes: u32,
    /// Instructions to read and prepare the model.
    pub prepare_instructions: u64,
    /// Instructions per tick of its timer, as it measured on a loop of known length.
    pub measured_instructions_per_tick: f64,
    /// The target triple that it was built for.
    pub target: String,
}

/// What one operator cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorCost {
    /// Its index in the model.
    pub index: u32,
    /// Its builtin code in the schema.
    pub builtin_code: u32,
    /// Instructions.
    pub instructions: u64,
}

/// What came out of a run. But for `emulator`, two runs of the same job give the same in QEMU.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name and version of the emulator.
    pub emulator: String,
    /// What the firmware said about itself.
    pub device: Device,
    /// What each operator cost for the first image.
    pub operators: Vec<OperatorCost>,
    /// Images answered.
    pub images: usize,
    /// All outputs: `[images, output_bytes]`.
    pub outputs: Vec<u8>,
    /// Instructions of each inference: `[images]`. Multiples of [`Machine::instructions_per_tick`].
    pub instructions: Vec<u64>,
    /// The most bytes of stack in use.
    pub stack_bytes: u32,
}

impl Outcome {
    /// What was written down of a run on a machine with so many instructions per tick of its timer.
    fn new(emulator: String, transcript: Transcript, instructions_per_tick: f64) -> Self {
        let Transcript {
            greeting,
            operators,
            images,
            outputs,
            ticks,
            stack_bytes,
        } = transcript;
        let instructions = |ticks: u64| (ticks as f64 * instructions_per_tick).round() as u64;
        Self {
            emulator,
            device: Device {
                model_crc: greeting.model_crc,
                model_bytes: greeting.model_bytes,
                arena_bytes: greeting.arena_bytes,
                arena_used_bytes: greeting.arena_used_bytes,
                output_bytes: greeting.output_bytes,
                prepare_instructions: instructions(greeting.prepare_ticks),
                measured_instructions_per_tick: greeting
                    .instructions_per_tick()
                    .unwrap_or(instructions_per_tick),
                target: greeting.target,
            },
            operators: operators
                .iter()
                .map(|operator| OperatorCost {
                    index: operator.index,
                    builtin_code: operator.builtin_code,
                    instructions: instructions(operator.ticks),
                })
                .collect(),
            images,
            outputs,
            instructions: ticks.into_iter().map(instructions).collect(),
            stack_bytes,
        }
    }

    /// The outputs for one image.
    #[must_use]
    pub fn output(&self, image: usize) -> Option<&[u8]> {
        let each = self.device.output_bytes as usize;
        self.outputs.get(image * each..(image + 1) * each)
    }

    /// Mean over all images, rounded; 0 without images.
    #[must_use]
    pub fn instructions_per_inference(&self) -> u64 {
        let sum: u64 = self.instructions.iter().sum();
        let count = self.instructions.len() as u64;
        (sum + count / 2).checked_div(count).unwrap_or(0)
    }
}

/// Which emulator runs the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// QEMU: every machine.
    Qemu,
    /// The built-in one: Cortex-M3 only, and as many images as the budget allows.
    Embedded,
}

impl Emulator {
    /// QEMU where it is installed, else the built-in one.
    ///
    /// # Errors
    /// [`DeployError::QemuMissing`] when QEMU is not installed and the built-in emulator has no such machine.
    pub fn choose(machine: &Machine) -> Result<Self, DeployError> {
        if machine.embedded && qemu_installed(machine).is_none() {
            return Ok(Self::Embedded);
        }
        Self::Qemu.check(machine)?;
        Ok(Self::Qemu)
    }

    /// Whether it can run the machine here.
    ///
    /// # Errors
    /// [`DeployError::QemuMissing`] and [`DeployError::NotEmbedded`].
    pub fn check(self, machine: &Machine) -> Result<(), DeployError> {
        let QemuMachine {
            program, package, ..
        } = machine.qemu;
        match self {
            Self::Qemu if qemu_installed(machine).is_none() => {
                Err(DeployError::QemuMissing { program, package })
            }
            Self::Embedded if !machine.embedded => Err(DeployError::NotEmbedded {
                machine: machine.name,
                package,
            }),
            Self::Qemu | Self::Embedded => Ok(()),
        }
    }

    /// Runs `job` to its end.
    ///
    /// # Errors
    /// See [`DeployError`]: no emulator, a hang, a fault, an answer that is not right, or `progress` said to stop.
    pub fn run(self, job: &Job<'_>, progress: &mut Progress<'_>) -> Result<Outcome, DeployError> {
        self.check(job.machine)?;
        match self {
            Self::Qemu => qemu::run(job, progress),
            Self::Embedded => embedded::run(job, progress),
        }
    }
}
