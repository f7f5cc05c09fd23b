//! What a model costs on the emulated cores: bytes and instructions, counted exactly.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ember_data::{DatasetSource, LoadOptions, Split, SyntheticOptions};
use ember_deploy::emulate::Emulator;
use ember_lite::MappedModel;
use serde::{Deserialize, Serialize};

use super::macs;
use crate::app::App;
use crate::deploy::inputs;
use crate::manifest::RunDir;
use crate::stages::emulate::{self, Target, op_name};
use crate::stages::firmware::Firmware;
use crate::stages::{codegen, file, firmware};
use crate::zoo::{self, Zoo};
use crate::{atomic, workspace};

/// Inputs that are counted: the instructions differ little between them.
const INPUTS: usize = 20;
/// The same for models other than the reference, of which some are large.
const FEW_INPUTS: usize = 3;

/// What one core needs for one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Flash without the model.
    pub code_bytes: u64,
    /// Variables without arena and stack.
    pub static_ram_bytes: u64,
    /// The arena.
    pub arena_bytes: u64,
    /// High-water mark.
    pub stack_bytes: u64,
    /// Reading and preparing the model, once.
    pub init_instructions: u64,
    /// Mean over the inputs.
    pub instructions_per_inference: u64,
    /// Name and instructions of each operator.
    pub ops: Vec<(String, u64)>,
    /// Functions and constants with their bytes, where the model is the reference on the usual machine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub symbols: BTreeMap<String, u64>,
}

/// A model to be measured.
pub enum Subject {
    /// A committed one, which has a baseline.
    Zoo(Zoo),
    /// A file.
    File(PathBuf),
}

impl Subject {
    /// What to call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Zoo(zoo) => zoo.name().to_owned(),
            // Collections of models have a folder for each.
            Self::File(path) => {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let folder = path.parent().and_then(Path::file_name);
                match folder {
                    Some(folder) if stem == "model" => folder.to_string_lossy().into_owned(),
                    _ => stem.into_owned(),
                }
            }
        }
    }

    /// The committed models with these names, or the files; all committed models for neither.
    ///
    /// # Errors
    /// A name that there is not, or a file.
    pub fn chosen(zoo: &[String], files: &[PathBuf]) -> Result<Vec<Self>> {
        if let Some(path) = files.iter().find(|path| !path.is_file()) {
            bail!("{} is not there: expected a .tflite file", path.display());
        }
        let files = files.iter().cloned().map(Self::File);
        if zoo.is_empty() && files.len() > 0 {
            return Ok(files.collect());
        }
        let zoo = zoo::chosen(zoo)?.into_iter().map(Self::Zoo);
        Ok(zoo.chain(files).collect())
    }

    /// Whether it is the reference model, of which more is counted.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        matches!(self, Self::Zoo(zoo) if zoo.is_reference())
    }
}

/// A model with what each machine needs for it.
pub struct Measured {
    /// Multiply-accumulates of each operator.
    pub macs: Vec<u64>,
    /// Bytes of the file.
    pub model_bytes: u64,
    /// By the firmware's name.
    pub costs: BTreeMap<String, Cost>,
}

/// Builds firmware of a model and runs it.
///
/// # Errors
/// A model that cannot run or does not fit, a missing emulator, or answers that are not the host's.
pub fn measure(app: &App, subject: &Subject, firmwares: &[Firmware]) -> Result<Measured> {
    for firmware in firmwares {
        Emulator::Qemu.check(firmware.machine)?;
    }
    let name = subject.name();
    let dir = workspace::target_dir()?.join("bench").join(&name);
    let run = RunDir::at(&dir, &name);
    match subject {
        Subject::Zoo(zoo) => zoo.lay_out(&run)?,
        Subject::File(path) => atomic::write(&run.file(file::INT8), &workspace::read(path)?)?,
    }
    let model = MappedModel::open(&run.file(file::INT8))?;
    let count = if subject.is_reference() {
        INPUTS
    } else {
        FEW_INPUTS
    };
    let questions = inputs::ask(&model, &images(count)?, count)?;
    let mut costs = BTreeMap::new();
    for firmware in firmwares {
        app.go_on()?;
        codegen::run(app, &run, false, firmware.engine)?;
        let mut cost = on_machine(app, &run, *firmware, &questions)
            .with_context(|| format!("{name} on {}", firmware.name()))?;
        if !(subject.is_reference() && firmware.machine.name == firmware::DEFAULT) {
            cost.symbols.clear();
        }
        costs.insert(firmware.name(), cost);
    }
    Ok(Measured {
        macs: macs::of_model(&model.model()?),
        model_bytes: model.bytes().len() as u64,
        costs,
    })
}

fn on_machine(
    app: &App,
    run: &RunDir,
    firmware: Firmware,
    questions: &inputs::Questions,
) -> Result<Cost> {
    firmware::run(app, run, false, firmware)?;
    let target = Target {
        firmware,
        emulator: Emulator::Qemu,
        images: None,
    };
    let elf = run.file(&firmware.file("firmware.elf"));
    let outcome = emulate::send(app, &target, &elf, &questions.inputs, questions.input_bytes)?;
    let mismatches = questions.mismatches(&outcome.outputs);
    if mismatches > 0 {
        bail!(
            "{mismatches} of {} answers are not the host's: the chip and the host must agree to the byte",
            questions.count()
        );
    }
    let size = firmware::read_size(run, firmware)?;
    Ok(Cost {
        code_bytes: size.code_bytes,
        static_ram_bytes: size.static_ram_bytes,
        arena_bytes: size.arena_bytes,
        stack_bytes: u64::from(outcome.stack_bytes),
        init_instructions: outcome.device.prepare_instructions,
        instructions_per_inference: outcome.instructions_per_inference(),
        ops: outcome
            .operators
            .iter()
            .map(|cost| (op_name(cost.builtin_code), cost.instructions))
            .collect(),
        symbols: size
            .symbols
            .into_iter()
            .map(|(name, bytes)| (name, u64::from(bytes)))
            .collect(),
    })
}

/// Drawn digits, which every machine has.
///
/// # Errors
/// None that is known: nothing is read.
pub fn images(count: usize) -> Result<Split> {
    let options = LoadOptions {
        synthetic: SyntheticOptions {
            train: 1,
            test: count,
            ..SyntheticOptions::default()
        },
        ..LoadOptions::for_workspace(&workspace::root())
    };
    let loaded = ember_data::load(&DatasetSource::Synthetic, &options, &|_| {})?;
    Ok(loaded.dataset.test)
}
