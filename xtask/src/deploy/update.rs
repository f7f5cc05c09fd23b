//! A new model for a chip that runs Ember, and nothing else: over a debug probe, or in the image that an emulator was given
//! last.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use ember_core::BuiltinOp;
use ember_deploy::DeployError;
use ember_deploy::chip::{Boot, Plan};
use ember_deploy::firmware::Target;
use ember_deploy::image::{Image, Segment, parse_hex};
use ember_deploy::layout::Layout;
use ember_deploy::machine::Region;
use ember_deploy::update::{Flash, Installed, Needs, NewModel};
use ember_slot::Operators;
use ember_slot::write::SigningKey;

use super::inputs::{self, Questions};
use super::model::Chosen;
use super::program::Program;
use super::{build, emulate, probe, show};
use crate::app::App;
use crate::cli::deploy::Deploy;
use crate::stages::data;
use crate::{atomic, toolchain, workspace};

/// Replaces the model, and asks the chip about it.
///
/// # Errors
/// A chip without Ember's firmware, a model that this firmware would not run, no probe (exit code 2), and answers that are
/// not the host's.
pub fn run(
    app: &App,
    program: &Program,
    plan: &Plan,
    model: &Chosen,
    settings: &Deploy,
) -> Result<()> {
    // A key that is none is found before the chip is touched.
    let key = build::signing_key(settings, None)?;
    if settings.dry_run {
        app.go_on()?;
        return toolchain::run_ours(command(program, plan, model, settings)?.arg("--dry-run"));
    }
    let data = data::resolve(app, &settings.data)?;
    let questions = inputs::ask(&model.mapped, &data.dataset.test, settings.images as usize)?;
    let run = if settings.emulate {
        Some(in_image(
            app,
            plan,
            model,
            key.as_ref(),
            &questions,
            settings,
        )?)
    } else {
        let mut command = command(program, plan, model, settings)?;
        probe::talk(app, &mut command, plan, &questions, settings)?
    };
    match run {
        Some(run) => show::result(app, plan, model, &questions, &run),
        None => Ok(()),
    }
}

/// The command line of `ember-probe` that replaces the model.
fn command(program: &Program, plan: &Plan, model: &Chosen, settings: &Deploy) -> Result<Command> {
    let mut command = program.command("update");
    probe::reach(&mut command, plan, settings);
    let operators: Vec<_> = operators(model)?
        .into_iter()
        .map(|operator| operator.code().to_string())
        .collect();
    command
        .arg("--model")
        .arg(&model.path)
        .args([
            "--arena-bytes",
            &model.mapped.slot_arena_bytes()?.to_string(),
        ])
        .args(["--operators", &operators.join(",")]);
    if let Some(version) = settings.model_version {
        command.args(["--model-version", &version.to_string()]);
    }
    if let Some(key) = &settings.sign {
        command.arg("--sign").arg(key);
    }
    Ok(command)
}

/// The model's builtin operators: what the firmware on the chip has no kernel for is said before anything is written.
fn operators(model: &Chosen) -> Result<BTreeSet<BuiltinOp>> {
    let read = model.mapped.model()?;
    Ok(read
        .main()
        .operators()
        .filter_map(|operator| operator.builtin())
        .collect())
}

/// Updates the image that was deployed last to this chip as a probe would update the chip, and boots it.
fn in_image(
    app: &App,
    plan: &Plan,
    model: &Chosen,
    key: Option<&SigningKey>,
    questions: &Questions,
    settings: &Deploy,
) -> Result<show::Run> {
    let folder = build::folder(&plan.name);
    let mut flash = ImageFlash::read(plan, &folder)?;
    let installed = Installed::read(&mut flash, plan)?;
    let needs = Needs {
        arena_bytes: u32::try_from(model.mapped.slot_arena_bytes()?)?,
        operators: operators(model)?
            .into_iter()
            .fold(Operators::NONE, Operators::with),
    };
    let update = installed.update(&NewModel {
        bytes: model.mapped.bytes(),
        version: settings.model_version,
        needs,
        key,
    })?;
    let before = update
        .running
        .map_or_else(|| "no slot".to_owned(), |slot| format!("slot {slot}"));
    update.write(&mut flash)?;
    app.console.step(
        "Updated",
        format!(
            "slot {} at {:#010x}: {}, version {}, sequence {}; before it, {before} was running",
            update.slot,
            update.region.origin,
            model.title,
            update.header.model_version,
            update.header.sequence
        ),
    );
    let (image, hex) = flash.save(&folder)?;
    let layout = Layout {
        code: Region {
            origin: plan.flash.origin,
            length: installed
                .slots()
                .iter()
                .map(|slot| slot.origin - plan.flash.origin)
                .min()
                .unwrap_or(plan.flash.length),
        },
        slots: installed.slots().to_vec(),
    };
    let target = Target::of_chip(plan, &layout);
    emulate::run(app, plan, &target, &image, &hex, questions)
}

/// A chip's flash as the files of a deployment have it. Bytes that no file has read as erased.
struct ImageFlash<'p> {
    plan: &'p Plan,
    bytes: BTreeMap<u32, u8>,
}

impl<'p> ImageFlash<'p> {
    fn read(plan: &'p Plan, folder: &Path) -> Result<Self> {
        let hex = folder.join("image.hex");
        if !hex.is_file() {
            bail!(
                "nothing was deployed to {} yet: `cargo xtask deploy --chip {} --emulate` first",
                plan.name,
                plan.name
            );
        }
        let text = String::from_utf8_lossy(&workspace::read(&hex)?).into_owned();
        let segments = parse_hex(&text).with_context(|| workspace::shown(&hex))?;
        let bytes = segments
            .into_iter()
            .flat_map(|segment| (segment.address..).zip(segment.bytes))
            .collect();
        Ok(Self { plan, bytes })
    }

    /// Writes the HEX file anew, and gives it with the image in it.
    fn save(&self, folder: &Path) -> Result<(Image, PathBuf)> {
        let mut image = Image::read(&folder.join("firmware.elf"))?;
        if self.plan.boot == Boot::LpcChecksum {
            image.add_lpc_checksum()?;
        }
        let linked: Vec<_> = image
            .segments()
            .iter()
            .map(|segment| {
                let start = u64::from(segment.address);
                start..start + segment.bytes.len() as u64
            })
            .collect();
        let mut added: Vec<Segment> = Vec::new();
        for (address, byte) in &self.bytes {
            if linked
                .iter()
                .any(|range| range.contains(&u64::from(*address)))
            {
                continue;
            }
            match added.last_mut() {
                Some(last) if last.address + last.bytes.len() as u32 == *address => {
                    last.bytes.push(*byte);
                }
                _ => added.push(Segment {
                    address: *address,
                    bytes: vec![*byte],
                }),
            }
        }
        for segment in added {
            image.add(segment)?;
        }
        let hex = folder.join("image.hex");
        atomic::write(&hex, image.to_hex().as_bytes())?;
        Ok((image, hex))
    }
}

impl Flash for ImageFlash<'_> {
    type Error = DeployError;

    fn read(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), DeployError> {
        for (address, byte) in (address..).zip(bytes) {
            *byte = self
                .bytes
                .get(&address)
                .copied()
                .unwrap_or(self.plan.erased_byte);
        }
        Ok(())
    }

    fn write(&mut self, segment: &Segment) -> Result<(), DeployError> {
        let end = u64::from(segment.address) + segment.bytes.len() as u64;
        for sector in self.plan.sectors() {
            if u64::from(sector.origin) < end && u64::from(segment.address) < sector.end() {
                self.bytes
                    .retain(|address, _| !sector.contains((*address).into(), 1));
            }
        }
        self.bytes
            .extend((segment.address..).zip(segment.bytes.iter().copied()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Flash, ImageFlash};
    use ember_deploy::chip::{Boot, Core, Plan, Sectors};
    use ember_deploy::image::Segment;
    use ember_deploy::machine::Region;

    #[test]
    fn a_write_erases_the_sectors_that_it_touches_and_no_other() {
        let plan = Plan {
            name: "test".into(),
            family: "test".into(),
            core: Core::Armv7m,
            flash: Region {
                origin: 0x100,
                length: 0x30,
            },
            sectors: vec![Sectors {
                origin: 0x100,
                bytes: 0x10,
                count: 3,
            }],
            page_bytes: 4,
            erased_byte: 0xff,
            ram: Region {
                origin: 0x2000_0000,
                length: 0x1000,
            },
            boot: Boot::Plain,
            reserved: Vec::new(),
            start: Vec::new(),
            notes: Vec::new(),
        };
        let mut flash = ImageFlash {
            plan: &plan,
            bytes: (0x100..0x130).map(|address| (address, 1)).collect(),
        };
        let segment = Segment {
            address: 0x110,
            bytes: vec![2; 4],
        };
        flash.write(&segment).unwrap();
        let mut found = [0; 0x30];
        flash.read(0x100, &mut found).unwrap();
        let expected: Vec<u8> = [[1; 0x10], [0xff; 0x10], [1; 0x10]].concat();
        assert_eq!(found[..0x10], expected[..0x10]);
        assert_eq!(found[0x10..0x14], [2; 4]);
        assert_eq!(found[0x14..], expected[0x14..]);
    }
}
