//! Runs the image that would be flashed on an emulated chip, and talks to it as to a real one: over RTT.

mod built_in;
mod hex;
mod machines;
mod qemu;

use super::process;
use super::{Outcome, Progress};
use crate::chip::{Core, Plan};
use crate::converse::{Channel, Conversation, Expect, Images, Patience};
use crate::error::DeployError;
use crate::firmware::Target;
use crate::image::Image;
use built_in::BuiltIn;
use qemu::InQemu;
use std::path::Path;

pub use machines::{CHIP_MACHINES, ChipMachine};

/// The symbol of RTT's control block.
const CONTROL_BLOCK: &str = "_SEGGER_RTT";

/// The function that the firmware calls while it waits for the host.
const WAIT: &str = "firmware::machine::wait_for_host";

/// The function that it ends in when it has given up.
const STOP: &str = "firmware::machine::stop";

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct ChipJob<'a> {
    /// The chip.
    pub plan: &'a Plan,
    /// What the firmware was built for.
    pub target: &'a Target,
    /// The firmware, for its symbols.
    pub image: &'a Image,
    /// The HEX file that would be flashed. It is what runs.
    pub hex: &'a Path,
    /// Bytes of one image.
    pub input_bytes: usize,
    /// How long the firmware may be silent.
    pub patience: Patience,
}

/// What emulates a chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChipEmulator {
    /// A machine of QEMU.
    Qemu(&'static ChipMachine),
    /// The built-in emulator, with the chip's memory.
    BuiltIn,
}

impl ChipEmulator {
    /// QEMU where it has the chip, else the built-in emulator where it has the processor, else a machine of QEMU that can
    /// stand in for the chip; QEMU only where it is installed.
    ///
    /// # Errors
    /// [`DeployError::QemuMissing`] when only QEMU has the chip and is not installed, [`DeployError::NoEmulator`] when nothing
    /// has it.
    pub fn choose(plan: &Plan) -> Result<Self, DeployError> {
        let installed = |machine: &&ChipMachine| process::find(machine.qemu).is_some();
        if let Some(machine) = ChipMachine::of(plan).filter(installed) {
            return Ok(Self::Qemu(machine));
        }
        if let Ok(built_in) = Self::built_in(plan) {
            return Ok(built_in);
        }
        match ChipMachine::like(plan) {
            Some(machine) if installed(&machine) => Ok(Self::Qemu(machine)),
            Some(machine) => Err(DeployError::QemuMissing {
                program: machine.qemu.program,
                package: machine.qemu.package,
            }),
            None => Err(no_emulator(plan)),
        }
    }

    /// The built-in emulator.
    ///
    /// # Errors
    /// [`DeployError::NoEmulator`] when it does not have the processor, or the firmware begins with stores to registers of
    /// the chip.
    pub fn built_in(plan: &Plan) -> Result<Self, DeployError> {
        if has_core(plan.core) && plan.start.is_empty() {
            Ok(Self::BuiltIn)
        } else {
            Err(no_emulator(plan))
        }
    }

    /// What a person should know about how near to the chip this is; nothing where QEMU has the chip itself.
    #[must_use]
    pub fn note(self, plan: &Plan) -> Option<String> {
        match self {
            Self::Qemu(machine) if machine.is_named(plan) => None,
            Self::Qemu(machine) => Some(format!(
                "{} stands in for {}: the same instructions and addresses, other peripherals",
                machine.chip, plan.name
            )),
            Self::BuiltIn => Some(format!(
                "the built-in emulator has the processor and the memory of {}, and no peripherals",
                plan.name
            )),
        }
    }

    /// Its name and version.
    #[must_use]
    pub fn title(self) -> String {
        match self {
            Self::Qemu(machine) => process::version(machine.qemu),
            Self::BuiltIn => "built-in (Cortex-M3)".to_owned(),
        }
    }

    /// Instructions per tick of the firmware's timer.
    #[must_use]
    pub const fn instructions_per_tick(self) -> f64 {
        match self {
            Self::Qemu(machine) => machine.instructions_per_tick,
            Self::BuiltIn => built_in::INSTRUCTIONS_PER_TICK as f64,
        }
    }

    /// Starts the chip. What is returned is its RTT channel; when it is dropped, the emulator ends.
    ///
    /// # Errors
    /// [`DeployError::NoSymbol`] when the image is not one that talks over RTT, and what goes wrong with the file or the
    /// emulator.
    pub fn start(self, job: &ChipJob<'_>) -> Result<EmulatedChip, DeployError> {
        let flash = hex::read(job.hex, job.plan.flash)?;
        Ok(EmulatedChip(match self {
            Self::Qemu(machine) => Kind::Qemu(InQemu::start(job, machine)?),
            Self::BuiltIn => Kind::BuiltIn(BuiltIn::start(job, &flash)?),
        }))
    }

    /// What the firmware says about itself if it is the right one.
    #[must_use]
    pub const fn expect<'a>(self, job: &ChipJob<'a>) -> Expect<'a> {
        Expect {
            target: job.target.triple,
            input_bytes: job.input_bytes,
            instructions_per_tick: Some(self.instructions_per_tick()),
        }
    }

    /// Starts the chip and has it infer `images`, one after the other and quantized as the model takes them.
    ///
    /// # Errors
    /// As [`ChipEmulator::start`] and [`Conversation::run`]; [`DeployError::Stuck`] when the firmware is silent for too long.
    pub fn run(
        self,
        job: &ChipJob<'_>,
        images: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<Outcome, DeployError> {
        let images = Images::new(images, job.input_bytes)?;
        let mut chip = self.start(job)?;
        let transcript = Conversation::open(&mut chip, self.expect(job), job.patience, progress)
            .and_then(|mut conversation| conversation.run(images, progress))
            .map_err(|error| chip.locate(error, job.image))?;
        Ok(Outcome::new(
            self.title(),
            transcript,
            self.instructions_per_tick(),
        ))
    }
}

fn no_emulator(plan: &Plan) -> DeployError {
    let reason = if plan.start.is_empty() {
        "neither QEMU nor the built-in emulator has this processor with this memory"
    } else {
        "its firmware begins with stores to the chip's own registers, which no emulator here has"
    };
    DeployError::NoEmulator {
        chip: plan.name.clone(),
        core: plan.core.title(),
        reason,
    }
}

/// Whether the built-in emulator runs programs that are compiled for `core`: Armv6-M is a part of Armv7-M, and Cortex-M23 gets
/// Armv6-M programs.
const fn has_core(core: Core) -> bool {
    match core {
        Core::Armv6m | Core::Armv7m | Core::Armv8mBase => true,
        Core::Armv7em
        | Core::Armv7emF
        | Core::Armv8mMain
        | Core::Armv8mMainF
        | Core::Rv32imc
        | Core::Qingke
        | Core::Rv32imac => false,
    }
}

/// The RTT channel of a chip that runs in an emulator.
pub struct EmulatedChip(Kind);

enum Kind {
    Qemu(InQemu),
    BuiltIn(BuiltIn),
}

impl Channel for EmulatedChip {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DeployError> {
        match &mut self.0 {
            Kind::Qemu(chip) => chip.read(buffer),
            Kind::BuiltIn(chip) => chip.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, DeployError> {
        match &mut self.0 {
            Kind::Qemu(chip) => chip.write(bytes),
            Kind::BuiltIn(chip) => chip.write(bytes),
        }
    }

    fn idle(&mut self) -> Result<(), DeployError> {
        match &mut self.0 {
            Kind::Qemu(chip) => chip.idle(),
            Kind::BuiltIn(chip) => chip.idle(),
        }
    }
}

impl EmulatedChip {
    /// Adds to an error about a silence where in the program the processor is.
    #[must_use]
    pub fn locate(&mut self, error: DeployError, image: &Image) -> DeployError {
        if !matches!(
            error,
            DeployError::NoHello { .. } | DeployError::Hang { .. }
        ) {
            return error;
        }
        let place = match &mut self.0 {
            Kind::Qemu(chip) => chip.place(),
            Kind::BuiltIn(chip) => Ok(chip.place()),
        };
        match place {
            Ok(pc) => DeployError::Stuck {
                pc,
                function: image.symbols().at(pc).map(|symbol| symbol.name.clone()),
                source: Box::new(error),
            },
            // The first error says more.
            Err(_) => error,
        }
    }
}
