//! Builds the firmware for a chip, puts the model into its slot, and writes the image's files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use ember_deploy::DeployError;
use ember_deploy::chip::{Boot, Plan};
use ember_deploy::firmware::{Build, Kernels, Target};
use ember_deploy::image::{Image, Segment};
use ember_deploy::layout::{Layout, Need};
use ember_slot::write::{SigningKey, SlotImage};
use ember_slot::{HEADER_BYTES, PublicKey};

use super::model::Chosen;
use crate::app::App;
use crate::cli::Engine;
use crate::cli::deploy::{Deploy, Format};
use crate::stages::codegen;
use crate::{atomic, workspace};

/// What is flashed, and what a host has to know to talk to it.
pub struct Built {
    /// Where the parts are on the chip.
    pub layout: Layout,
    /// What the firmware was built for.
    pub target: Target,
    /// Firmware and model.
    pub image: Image,
    /// The same as Intel HEX: the file that is flashed.
    pub hex: PathBuf,
    /// Bytes of flash that the firmware takes without the model.
    pub code_bytes: u64,
    /// Bytes of RAM without arena and stack.
    pub static_ram_bytes: u64,
}

/// The folder of a chip's files.
#[must_use]
pub fn folder(chip: &str) -> PathBuf {
    workspace::root().join("artifacts/deploy").join(chip)
}

/// The sequence of the model that comes with a firmware. What follows counts on from it.
const FIRST_SEQUENCE: u32 = 1;

/// How often a firmware that turned out larger than was thought is linked again with more room.
const ATTEMPTS: usize = 3;

/// Builds for `plan`'s chip.
///
/// # Errors
/// What the compiler says; an image that does not fit; a key that is none.
pub fn run(
    app: &App,
    plan: &Plan,
    model: &Chosen,
    need: &Need,
    settings: &Deploy,
) -> Result<Built> {
    let folder = folder(&plan.name);
    let compiled = settings.engine == Engine::Compiled;
    let (name, text) = if compiled {
        (
            "model_compiled.rs",
            ember_codegen::compiled::source(model.mapped.bytes()),
        )
    } else {
        (
            "model_data.rs",
            ember_codegen::source::rust_source(model.mapped.bytes()),
        )
    };
    let source = folder.join(name);
    let text = text.with_context(|| format!("cannot turn {} into Rust source", model.title))?;
    atomic::write(&source, text.as_bytes())?;
    // What the firmware has of the model in itself, and of RAM for it.
    let (model_bytes, arena_bytes) = if compiled {
        let figure = |name| anyhow::Ok(u32::try_from(codegen::constant(&source, name)?)?);
        (figure("MODEL_BYTES")?, figure("ARENA_BYTES")?)
    } else {
        (need.model_bytes, need.arena_bytes)
    };
    let public_key = settings.public_key.as_deref().map(public_key).transpose()?;
    let signing_key = signing_key(settings, public_key.as_ref())?;
    let slot = SlotImage::new(
        model.mapped.bytes(),
        FIRST_SEQUENCE,
        settings.model_version.unwrap_or(1),
        signing_key.as_ref(),
    )?;
    let root = workspace::root();
    app.console.step(
        "Compiling",
        format!("firmware for {} ({})", plan.name, plan.core.target()),
    );
    let mut code_bytes = need.code_bytes;
    for _ in 0..ATTEMPTS {
        let layout = if compiled {
            Layout::linked(plan, code_bytes + model_bytes)?
        } else {
            Layout::new(plan, code_bytes, model_bytes)?
        };
        let target = Target {
            kernels: if settings.all_kernels {
                Kernels::Int8
            } else {
                Kernels::OfModel
            },
            arena_bytes: (!compiled).then_some(arena_bytes),
            public_key: public_key.map(|key| *key.as_bytes()),
            ..Target::of_chip(plan, &layout)
        };
        let build = Build {
            workspace: &root,
            target: &target,
            model_source: &source,
            offline: false,
            verbose: false,
        };
        let elf = match build.run() {
            Err(DeployError::Overflow { bytes, .. }) => {
                // The layout has whole sectors, so what is missing is missing behind the last of them.
                code_bytes = layout.code.length + bytes - if compiled { model_bytes } else { 0 };
                continue;
            }
            other => other?,
        };
        let linked = workspace::read(&elf)?;
        let mut image = Image::parse(&linked, &elf)?;
        image.check_fits(&plan.name, layout.code, plan.ram, need.stack_bytes.into())?;
        let size = image.size(&[])?;
        if plan.boot == Boot::LpcChecksum {
            image.add_lpc_checksum()?;
        }
        add_reserved(&mut image, plan)?;
        for segment in layout.fill(plan, &slot) {
            image.add(segment)?;
        }
        let built = Built {
            hex: folder.join("image.hex"),
            code_bytes: if compiled {
                size.flash_bytes.saturating_sub(model_bytes.into())
            } else {
                size.code_bytes
            },
            static_ram_bytes: size.static_ram_bytes.saturating_sub(arena_bytes.into()),
            layout,
            target,
            image,
        };
        atomic::write(&folder.join("firmware.elf"), &linked)?;
        write(&built, plan, settings, &folder)?;
        app.console.step(
            "Firmware",
            format!(
                "{}: {} bytes of flash ({} code, {model_bytes} model), {} bytes of static RAM + {arena_bytes} arena; slots for \
                 models: {}; {}",
                plan.name,
                built.code_bytes + u64::from(model_bytes) + if compiled { 0 } else { HEADER_BYTES as u64 },
                built.code_bytes,
                built.static_ram_bytes,
                slots(&built.layout),
                workspace::shown(&folder)
            ),
        );
        return Ok(built);
    }
    bail!(
        "the firmware for {} grew at each attempt to link it",
        plan.name
    )
}

/// Where models go, for a person.
fn slots(layout: &Layout) -> String {
    if layout.slots.is_empty() {
        return "none".to_owned();
    }
    let slots = layout.slots.iter();
    let slots: Vec<_> = slots
        .map(|slot| format!("{} bytes at {:#010x}", slot.length, slot.origin))
        .collect();
    slots.join(" and ")
}

/// Writes the image in the formats that were asked for, and always as HEX, which is what is flashed. What an earlier
/// command left in other formats is removed: it would be another image.
fn write(built: &Built, plan: &Plan, settings: &Deploy, folder: &Path) -> Result<()> {
    atomic::write(&built.hex, built.image.to_hex().as_bytes())?;
    for (format, name) in [
        (Format::Elf, "image.elf"),
        (Format::Bin, "image.bin"),
        (Format::Uf2, "image.uf2"),
    ] {
        let path = folder.join(name);
        if !settings.format.contains(&format) {
            remove(&path)?;
            continue;
        }
        let bytes = match format {
            Format::Elf => built.image.to_elf(),
            Format::Bin => built.image.to_bin()?.1,
            Format::Hex => continue,
            Format::Uf2 => built.image.to_uf2_for(plan)?,
        };
        atomic::write(&path, &bytes)?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", workspace::shown(path)))
        }
        _ => Ok(()),
    }
}

/// Puts in what a chip must find in the reserved parts of sectors that are written.
fn add_reserved(image: &mut Image, plan: &Plan) -> Result<(), DeployError> {
    let near_code = Target::first_code(plan);
    for reserved in &plan.reserved {
        if let Some(bytes) = &reserved.bytes
            && reserved.region.end() <= near_code
        {
            image.add(Segment {
                address: reserved.region.origin,
                bytes: bytes.clone(),
            })?;
        }
    }
    Ok(())
}

/// The public key in a PEM file.
///
/// # Errors
/// A file that cannot be read or holds no such key, with the command that makes one.
pub fn public_key(path: &Path) -> Result<PublicKey> {
    PublicKey::from_pem(&text(path)?).with_context(|| workspace::shown(path))
}

/// The key to sign with, if any: `--public-key` without a signature would give a firmware that runs no model.
///
/// # Errors
/// A file that holds no private key, a key that does not belong to `public`, or no key where one is needed.
pub fn signing_key(settings: &Deploy, public: Option<&PublicKey>) -> Result<Option<SigningKey>> {
    let key = settings
        .sign
        .as_deref()
        .map(|path| SigningKey::from_pem(&text(path)?).with_context(|| workspace::shown(path)))
        .transpose()?;
    match (&key, public) {
        (None, Some(_)) => bail!(
            "the firmware of --public-key runs only signed models: give the private key that belongs to it with --sign"
        ),
        (Some(key), Some(public)) if key.public() != *public => {
            bail!("the key of --sign does not belong to the one of --public-key")
        }
        _ => Ok(key),
    }
}

fn text(path: &Path) -> Result<String> {
    String::from_utf8(workspace::read(path)?)
        .ok()
        .with_context(|| {
            format!(
                "{} is not a PEM file: it is no text",
                workspace::shown(path)
            )
        })
}
