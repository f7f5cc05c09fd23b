//! Runs a firmware on an emulated machine, sends it images, and collects what it answers.

mod collect;
mod cortex_m3;
mod embedded;
mod qemu;

use crate::error::DeployError;
use crate::machine::{Machine, QemuMachine};
use ember_link::{Sink, write_end, write_image};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

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

    /// Number of images.
    ///
    /// # Errors
    /// [`DeployError::Images`] when their bytes are not a whole number of them.
    pub fn image_count(&self) -> Result<usize, DeployError> {
        match self.images.len().checked_rem(self.input_bytes) {
            Some(0) => Ok(self.images.len() / self.input_bytes),
            _ => Err(DeployError::Images {
                given: self.images.len(),
                each: self.input_bytes,
            }),
        }
    }
}

/// One image has been answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its index.
    pub index: usize,
    /// How many images there are.
    pub total: usize,
    /// All outputs of the model, one after the other.
    pub outputs: &'a [u8],
}

/// Is called with each answer as it comes, and every now and then with none; `Break` stops the emulator.
pub type Progress<'p> = dyn FnMut(Option<Answer<'_>>) -> ControlFlow<()> + 'p;

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

/// Bytes in memory as a sink for frames.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The frame of one request: first the first image with profile, then every image, then the end.
fn request(job: &Job<'_>, number: usize, into: &mut Bytes) {
    let image = |index: usize| {
        let start = index.checked_mul(job.input_bytes)?;
        job.images.get(start..)?.get(..job.input_bytes)
    };
    let Ok(()) = match (number, image(0), number.checked_sub(1).and_then(image)) {
        (0, Some(first), _) => write_image(into, 0, true, first),
        (_, _, Some(bytes)) => write_image(into, number as u32 - 1, false, bytes),
        _ => write_end(into),
    };
}
