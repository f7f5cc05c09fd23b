//! Cross-compiles the firmware around the model, and checks that it fits.

use anyhow::Result;
use ember_deploy::firmware::{Build, Target};
use ember_deploy::image::Image;
use ember_deploy::machine::{MACHINES, Machine};
use ember_lite::MappedModel;
use serde::{Deserialize, Serialize};

use super::{codegen, file};
use crate::app::App;
use crate::cli::Engine;
use crate::manifest::{Inputs, RunDir};
use crate::zoo::Zoo;
use crate::{atomic, json, toolchain, workspace};

/// Stack that an image must leave room for, in bytes; the run measures what it really takes.
const STACK_BYTES: u64 = 1024;

/// Where to run without being told: the core of most boards.
pub const DEFAULT: &str = "cortex-m4";

/// `size.json`: where an image's bytes are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Size {
    /// All that is written to the chip.
    pub flash_bytes: u64,
    /// Of it, the model.
    pub model_bytes: u64,
    /// The rest: vector table, code, constants, initial values.
    pub code_bytes: u64,
    /// Variables without the arena and the stack.
    pub static_ram_bytes: u64,
    /// The arena.
    pub arena_bytes: u64,
    /// Functions and variables, the largest first.
    pub symbols: Vec<(String, u32)>,
}

/// The machines with these names; all of them for none.
///
/// # Errors
/// A name that there is not, with the nearest one.
pub fn machines(names: &[String]) -> Result<Vec<&'static Machine>> {
    if names.is_empty() {
        return Ok(MACHINES.iter().collect());
    }
    names.iter().map(|name| Ok(Machine::find(name)?)).collect()
}

/// The machines with these names; the usual one for none.
///
/// # Errors
/// As [`machines`].
pub fn chosen(names: &[String]) -> Result<Vec<&'static Machine>> {
    if names.is_empty() {
        machines(&[DEFAULT.to_owned()])
    } else {
        machines(names)
    }
}

/// The machines for which the firmware of a committed model is committed, as a hash: all for the reference, the usual one
/// for the others.
///
/// # Errors
/// None: the names are known.
pub fn committed(zoo: &Zoo) -> Result<Vec<&'static Machine>> {
    if zoo.is_reference() {
        machines(&[])
    } else {
        chosen(&[])
    }
}

/// A firmware: for which machine, and what runs the model in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Firmware {
    /// The machine.
    pub machine: &'static Machine,
    /// The engine.
    pub engine: Engine,
}

impl Firmware {
    /// What to call it: the machine, and the engine where it is not the interpreter.
    #[must_use]
    pub fn name(self) -> String {
        match self.engine {
            Engine::Interpreter => self.machine.name.to_owned(),
            Engine::Compiled => format!("{}-{}", self.machine.name, self.engine.name()),
        }
    }

    /// The stage that builds it, in the manifest.
    #[must_use]
    pub fn stage(self) -> String {
        format!("firmware for {}", self.name())
    }

    /// A file of it, relative to the run.
    #[must_use]
    pub fn file(self, name: &str) -> String {
        format!("firmware/{}/{name}", self.name())
    }
}

impl From<&'static Machine> for Firmware {
    fn from(machine: &'static Machine) -> Self {
        Self {
            machine,
            engine: Engine::default(),
        }
    }
}

/// Builds a firmware of `run`.
///
/// # Errors
/// A missing target, a build that fails, a panic path, an image that does not fit.
pub fn run(app: &App, run: &RunDir, force: bool, firmware: Firmware) -> Result<()> {
    let machine = firmware.machine;
    let source = codegen::existing(run, firmware.engine)?;
    let model_path = run.existing(file::INT8, "quantize")?;
    let root = workspace::root();
    let target = Target::of_machine(machine);
    let inputs = Inputs::of_sources("firmware")?
        .value("machine", machine.name)
        // The processor and the memories too, which are of the crate that builds.
        .value("target", format!("{target:?}"))
        .value("rustc", toolchain::rustc_version()?)
        .file(&root.join("Cargo.toml"))?
        .file(&root.join("Cargo.lock"))?
        .file(&source)?;
    app.stage(run, &firmware.stage(), force, inputs, || {
        app.console.step(
            "Compiling",
            format!("firmware for {} ({})", firmware.name(), machine.target),
        );
        let build = Build {
            workspace: &root,
            target: &target,
            model_source: &source,
            offline: false,
            verbose: false,
        };
        let elf = build.run()?;
        let elf_bytes = workspace::read(&elf)?;
        let image = Image::parse(&elf_bytes, &elf)?;
        image.check_fits(machine.name, machine.flash, machine.ram, STACK_BYTES)?;
        let (report, model_bytes, arena_bytes) = match firmware.engine {
            Engine::Interpreter => {
                let report = image.size(&workspace::read(&model_path)?)?;
                let arena_bytes = MappedModel::open(&model_path)?.linked_arena_bytes()? as u64;
                (report.clone(), report.model_bytes, arena_bytes)
            }
            // Its constants are among the code's.
            Engine::Compiled => {
                let figure = |name| codegen::constant(&source, name);
                (
                    image.size(&[])?,
                    figure("MODEL_BYTES")?,
                    figure("ARENA_BYTES")?,
                )
            }
        };
        let size = Size {
            flash_bytes: report.flash_bytes,
            model_bytes,
            code_bytes: report.flash_bytes.saturating_sub(model_bytes),
            static_ram_bytes: report.static_ram_bytes.saturating_sub(arena_bytes),
            arena_bytes,
            symbols: report
                .symbols
                .into_iter()
                .map(|symbol| (symbol.name, symbol.bytes))
                .collect(),
        };
        let name = |end: &str| firmware.file(end);
        atomic::write(&run.file(&name("firmware.elf")), &elf_bytes)?;
        atomic::write(&run.file(&name("firmware.bin")), &image.to_bin()?.1)?;
        atomic::write(&run.file(&name("firmware.hex")), image.to_hex().as_bytes())?;
        json::write(&run.file(&name("size.json")), &size)?;
        app.console.step(
            "Firmware",
            format!(
                "{}: {} bytes of flash ({} code + {} model), {} bytes of static RAM + {} arena",
                firmware.name(),
                size.flash_bytes,
                size.code_bytes,
                size.model_bytes,
                size.static_ram_bytes,
                size.arena_bytes
            ),
        );
        Ok(
            ["firmware.elf", "firmware.bin", "firmware.hex", "size.json"]
                .map(name)
                .to_vec(),
        )
    })
}

/// Where the bytes of a firmware are.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read_size(run: &RunDir, firmware: Firmware) -> Result<Size> {
    let made_by = format!(
        "firmware --on {} --engine {}",
        firmware.machine.name,
        firmware.engine.name()
    );
    json::read(&run.existing(&firmware.file("size.json"), &made_by)?)
}
