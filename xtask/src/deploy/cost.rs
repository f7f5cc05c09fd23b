//! What a firmware takes besides its model, before it is compiled: measured once per target by `cargo xtask bench
//! --chips`, and committed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use ember_deploy::chip::{Core, Plan};
use ember_deploy::converse::Patience;
use ember_deploy::emulate::{ChipEmulator, ChipJob};
use ember_deploy::firmware::{Build, Kernels, Target};
use ember_deploy::image::Image;
use ember_deploy::layout::Layout;
use ember_slot::write::SlotImage;
use serde::{Deserialize, Serialize};

use super::inputs;
use super::model::{self, Chosen};
use super::program::Program;
use crate::app::App;
use crate::stages::codegen;
use crate::{atomic, json, workspace, zoo};

/// What the firmware for a target takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Flash without the model, with the kernels of the zoo's seed-cnn.
    pub code_bytes: u32,
    /// Flash without the model, with every int8 kernel.
    pub code_bytes_all_kernels: u32,
    /// What checking signatures adds to either.
    pub signature_bytes: u32,
    /// Flash with the zoo's seed-cnn compiled, but for the model's constants.
    #[serde(default)]
    pub compiled_code_bytes: u32,
    /// RAM without arena, stack and the buffers of the channel to the host.
    pub static_ram_bytes: u32,
    /// The most stack that was in use, of every model of the zoo that fits the emulated chip.
    pub stack_bytes: u32,
}

/// Costs by target triple.
pub type Costs = BTreeMap<String, Cost>;

/// Chips that stand for every core: the first core of each is the chip's own, which an emulator runs; code for the others is
/// only linked, with the chip's memory, and its stack taken to be the first one's.
const CHIPS: &[(&str, &[Core])] = &[
    ("nRF51822_xxAA", &[Core::Armv6m]),
    ("STM32F205RGTx", &[Core::Armv7m]),
    (
        "STM32F405RGTx",
        &[
            Core::Armv7emF,
            Core::Armv7em,
            Core::Armv8mMain,
            Core::Armv8mMainF,
        ],
    ),
    ("fe310-g002", &[Core::Rv32imac, Core::Rv32imc]),
];

/// Flash for code while measuring: more than any firmware takes.
const AMPLE_CODE: u32 = 96 << 10;

/// RAM that must be left besides the arena for a model to be measured.
const AMPLE_STACK: u32 = 4 << 10;

/// Any point of the curve, for the size of the code that checks signatures: RFC 8032, 7.1, test 1.
const ANY_KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

/// The committed file.
#[must_use]
pub fn path() -> PathBuf {
    workspace::root().join("artifacts/zoo/firmware.json")
}

/// The committed costs of every target.
///
/// # Errors
/// A file that is not there or damaged.
pub fn read() -> Result<Costs> {
    json::read(&path())
}

/// What the firmware for `core` takes.
///
/// # Errors
/// As [`read`]; a target that was not measured.
pub fn of(core: Core) -> Result<Cost> {
    read()?.get(core.target()).copied().ok_or_else(|| {
        anyhow!(
            "{} has no row for {}: `cargo xtask bench --chips --update` measures it",
            workspace::shown(&path()),
            core.target()
        )
    })
}

/// `cargo xtask bench --chips`: with `update` measures every target and writes the figures down; else links the firmware for
/// one core of each chip and shows its size beside the figures.
///
/// # Errors
/// With `check`, a firmware that grew; what the compiler, an emulator or `ember-probe` say.
pub fn bench(app: &App, update: bool, check: bool) -> Result<()> {
    if update {
        let costs = measure(app)?;
        for (target, cost) in &costs {
            app.console.result(format!(
                "firmware for chips, {target}: {} bytes of code ({} with all kernels, {} more with signatures), {} of static \
                 RAM, {} of stack",
                cost.code_bytes,
                cost.code_bytes_all_kernels,
                cost.signature_bytes,
                cost.static_ram_bytes,
                cost.stack_bytes
            ));
        }
        return json::write(&path(), &costs);
    }
    let program = Program::build(app)?;
    let reference = model::choose(Some(zoo::REFERENCE))?;
    let mut grown = Vec::new();
    for (chip, _) in CHIPS {
        app.go_on()?;
        let plan = program.plan(chip)?;
        let before = of(plan.core)?;
        let linked = link(&plan, &reference, Kernels::OfModel, false)?;
        let now = (linked.code_bytes, linked.static_ram_bytes);
        let then = (before.code_bytes, before.static_ram_bytes);
        app.console.result(format!(
            "firmware for {chip}: {} bytes of code ({}), {} of static RAM ({})",
            now.0, then.0, now.1, then.1
        ));
        if now.0 > then.0 || now.1 > then.1 {
            grown.push(format!("{chip}: {then:?} to {now:?}"));
        }
    }
    if check && !grown.is_empty() {
        bail!(
            "firmware for chips grew in code or static RAM; where that is meant, `cargo xtask bench --chips --update`:\n  {}",
            grown.join("\n  ")
        );
    }
    Ok(())
}

/// Builds the firmware for every target and runs it where an emulator has the chip.
fn measure(app: &App) -> Result<Costs> {
    let program = Program::build(app)?;
    let models = zoo::entries()?
        .iter()
        .map(|entry| model::choose(Some(&entry.name)))
        .collect::<Result<Vec<_>>>()?;
    let reference = model::choose(Some(zoo::REFERENCE))?;
    let mut costs = Costs::new();
    for (chip, cores) in CHIPS {
        let plan = program.plan(chip)?;
        let mut stack_bytes = 0;
        for core in *cores {
            app.go_on()?;
            let plan = Plan {
                core: *core,
                ..plan.clone()
            };
            app.console
                .step("Measuring", format!("firmware for {}", core.target()));
            let usual = link(&plan, &reference, Kernels::OfModel, false)?;
            let all = link(&plan, &reference, Kernels::Int8, false)?;
            let signed = link(&plan, &reference, Kernels::Int8, true)?;
            let compiled_code_bytes = compiled(&plan, &reference)?;
            if cores.first() == Some(core) {
                for model in &models {
                    stack_bytes = stack_bytes.max(stack(&plan, model)?);
                }
            }
            costs.insert(
                core.target().to_owned(),
                Cost {
                    code_bytes: usual.code_bytes,
                    code_bytes_all_kernels: all.code_bytes,
                    signature_bytes: signed.code_bytes.saturating_sub(all.code_bytes),
                    compiled_code_bytes,
                    static_ram_bytes: usual.static_ram_bytes,
                    stack_bytes,
                },
            );
        }
    }
    Ok(costs)
}

/// A firmware that was linked.
struct Linked {
    target: Target,
    layout: Layout,
    image: Image,
    code_bytes: u32,
    static_ram_bytes: u32,
}

fn link(plan: &Plan, model: &Chosen, kernels: Kernels, signed: bool) -> Result<Linked> {
    let source = workspace::target_dir()?.join("bench/chip_model_data.rs");
    let text = ember_codegen::source::rust_source(model.mapped.bytes())?;
    atomic::write(&source, text.as_bytes())?;
    let model_bytes = u32::try_from(model.mapped.bytes().len())?;
    let layout = Layout::new(plan, AMPLE_CODE, model_bytes)?;
    let target = Target {
        kernels,
        public_key: signed.then_some(ANY_KEY),
        ..Target::of_chip(plan, &layout)
    };
    let elf = Build {
        workspace: &workspace::root(),
        target: &target,
        model_source: &source,
        offline: false,
        verbose: false,
    }
    .run()?;
    let image = Image::read(&elf)?;
    let size = image.size(&[])?;
    let arena_bytes = u32::try_from(model.mapped.slot_arena_bytes()?)?;
    Ok(Linked {
        code_bytes: u32::try_from(size.code_bytes)?,
        static_ram_bytes: u32::try_from(size.static_ram_bytes)?
            .saturating_sub(arena_bytes + target.transport.buffer_bytes()),
        target,
        layout,
        image,
    })
}

/// Bytes of code of the firmware with `model` compiled, without the model's constants.
fn compiled(plan: &Plan, model: &Chosen) -> Result<u32> {
    let source = workspace::target_dir()?.join("bench/chip_model_compiled.rs");
    let text = ember_codegen::compiled::source(model.mapped.bytes())?;
    atomic::write(&source, text.as_bytes())?;
    let layout = Layout::linked(plan, AMPLE_CODE)?;
    let elf = Build {
        workspace: &workspace::root(),
        target: &Target::of_chip(plan, &layout),
        model_source: &source,
        offline: false,
        verbose: false,
    }
    .run()?;
    let all = u32::try_from(Image::read(&elf)?.size(&[])?.flash_bytes)?;
    let constants = u32::try_from(codegen::constant(&source, "MODEL_BYTES")?)?;
    Ok(all.saturating_sub(constants))
}

/// The most stack that one inference of `model` takes; 0 where the chip has no room for it.
fn stack(plan: &Plan, model: &Chosen) -> Result<u32> {
    let arena_bytes = u32::try_from(model.mapped.slot_arena_bytes()?)?;
    if arena_bytes + AMPLE_STACK > plan.ram.length {
        return Ok(0);
    }
    let mut linked = link(plan, model, Kernels::OfModel, false)?;
    let slot = SlotImage::new(model.mapped.bytes(), 1, 1, None)?;
    for segment in linked.layout.fill(plan, &slot) {
        linked.image.add(segment)?;
    }
    let hex = workspace::target_dir()?.join("bench/chip.hex");
    atomic::write(&hex, linked.image.to_hex().as_bytes())?;
    let mut arena = model.mapped.arena()?;
    let mut session = model.mapped.session(&mut arena)?;
    let input_bytes = inputs::input_bytes(&mut session)?;
    let job = ChipJob {
        plan,
        target: &linked.target,
        image: &linked.image,
        hex: &hex,
        input_bytes,
        patience: Patience::default(),
    };
    let outcome = ChipEmulator::choose(plan)?.run(&job, &vec![0; input_bytes], &mut |_| {
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(outcome.stack_bytes)
}
