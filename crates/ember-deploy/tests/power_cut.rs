//! A model-only update whose power is cut, on an emulated core: the firmware boots from what the cut left in flash and
//! classifies as the old model does or as the new one does, to the byte.
//!
//! `tests/update.rs` cuts at every single step and asks the code that the firmware asks; here the firmware itself is
//! asked, at some hundred steps of every kind.

#[path = "support/flash.rs"]
mod flash;
mod support;

use ember_core::BuiltinOp;
use ember_deploy::DeployError;
use ember_deploy::converse::Patience;
use ember_deploy::emulate::{ChipEmulator, ChipJob};
use ember_deploy::firmware::Target;
use ember_deploy::image::{Image, Segment};
use ember_deploy::layout::{Layout, SIGNED_STACK_BYTES};
use ember_deploy::update::{Installed, Needs, NewModel};
use ember_firmware::engine::{Engine, Observer};
use ember_firmware::interpreter::Interpreted;
use ember_link::ErrorCode;
use ember_slot::Operators;
use ember_slot::write::{SigningKey, SlotImage};
use flash::{FlashError, Order, SimulatedFlash};
use std::ops::ControlFlow;
use std::time::Duration;
use support::{MODEL_SOURCE, build_for, images, model, workspace};

/// Bytes for the firmware; the rest of the chip's flash is for models.
const CODE_BYTES: u32 = 48 << 10;

/// Made with `openssl genpkey -algorithm ed25519`, used nowhere else.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJHyOSmZHTtIwaM1w5Rrww5eFhitMJLcKagUlqTo1gT\n-----END PRIVATE KEY-----\n";

struct Unobserved;

impl Observer for Unobserved {
    fn begin(&mut self, _: u32, _: u32) {}
    fn end(&mut self, _: u32, _: u32) {}
}

/// What a model answers here; `None` when the bytes are no model.
fn on_the_host(bytes: &[u8]) -> Option<Vec<u8>> {
    #[repr(align(16))]
    struct Arena([u8; model::ARENA_BYTES]);
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let mut engine = Interpreted::new(bytes, &model::REGISTRY, &mut arena.0).ok()?;
    engine.input(0)?.copy_from_slice(&images(1));
    engine.invoke(&mut Unobserved).ok()?;
    Some(engine.output(0)?.to_vec())
}

/// The same model with another weight, so that it answers otherwise.
fn changed_model() -> Vec<u8> {
    let answer = on_the_host(model::MODEL).expect("it is a model");
    (0..model::MODEL.len())
        .map(|place| {
            let mut bytes = model::MODEL.to_vec();
            bytes[place] ^= 0x40;
            bytes
        })
        .find(|bytes| on_the_host(bytes).is_some_and(|other| other != answer))
        .expect("a weight that matters")
}

/// An STM32F100RB, which QEMU has too, with a firmware that has its model in slots.
struct Chip {
    target: Target,
    firmware: Image,
    flash: SimulatedFlash,
    layout: Layout,
    directory: tempfile::TempDir,
    key: Option<SigningKey>,
}

impl Chip {
    /// `None`, with a word about it, without the Rust target.
    fn new(slots: usize, key: Option<SigningKey>) -> Option<Self> {
        // 128 sectors of 1 KiB.
        let mut flash = SimulatedFlash::new(0x0800_0000, &[(0x400, 128)]);
        "STM32F100RB".clone_into(&mut flash.plan.name);
        flash.plan.ram.length = 8 << 10;
        let mut layout = Layout::new(&flash.plan, CODE_BYTES, 2 * model::MODEL.len() as u32)
            .unwrap_or_else(|error| panic!("{error}"));
        layout.slots.truncate(slots);
        let mut target = Target::of_chip(&flash.plan, &layout);
        target.public_key = key.as_ref().map(|key| *key.public().as_bytes());
        let directory = tempfile::tempdir().expect("a directory");
        let elf = build_for(&target, &workspace().join(MODEL_SOURCE), directory.path())?;
        let elf = elf.unwrap_or_else(|error| panic!("{error}"));
        let firmware = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
        for segment in firmware.segments() {
            flash.put(segment.address, &segment.bytes);
        }
        Some(Self {
            target,
            firmware,
            flash,
            layout,
            directory,
            key,
        })
    }

    /// What `deploy --model-only` does.
    fn update(&mut self, bytes: &[u8]) -> Result<(), FlashError> {
        let new = NewModel {
            bytes,
            version: None,
            needs: Needs {
                arena_bytes: model::ARENA_BYTES as u32,
                operators: Operators::NONE.with(BuiltinOp::Conv2d),
            },
            key: self.key.as_ref(),
        };
        let plan = self.flash.plan.clone();
        let update = Installed::read(&mut self.flash, &plan)?.update(&new)?;
        update.write(&mut self.flash)
    }

    /// Boots from the flash as it is, and asks for one inference.
    fn boot_in(&self, emulator: ChipEmulator) -> Result<Vec<u8>, DeployError> {
        let mut whole = self.firmware.clone();
        for slot in &self.layout.slots {
            let mut bytes = self.flash.region(*slot).to_vec();
            // Erased flash need not be in the file.
            bytes.truncate(
                bytes
                    .iter()
                    .rposition(|byte| *byte != 0xFF)
                    .map_or(0, |last| last + 1),
            );
            if !bytes.is_empty() {
                whole.add(Segment {
                    address: slot.origin,
                    bytes,
                })?;
            }
        }
        let hex = self.directory.path().join("whole.hex");
        std::fs::write(&hex, whole.to_hex()).expect("a file");
        let job = ChipJob {
            plan: &self.flash.plan,
            target: &self.target,
            image: &self.firmware,
            hex: &hex,
            input_bytes: model::INPUT_BYTES,
            patience: Patience {
                hello: Duration::from_secs(60),
                silence: Duration::from_secs(60),
            },
        };
        emulator
            .run(&job, &images(1), &mut |_| ControlFlow::Continue(()))
            .map(|outcome| {
                if self.key.is_some() {
                    assert!(outcome.stack_bytes <= SIGNED_STACK_BYTES, "{outcome:?}");
                }
                outcome.outputs
            })
    }

    fn boot(&self) -> Result<Vec<u8>, DeployError> {
        self.boot_in(ChipEmulator::BuiltIn)
    }
}

/// The steps at which the power is cut: every erase, every byte of the header, the first and the last bytes of the model,
/// and every 37th of the others, which is each place in a page and in a sector once.
fn cuts(steps: u64) -> impl Iterator<Item = u64> {
    let header = 128;
    let written = (header + model::MODEL.len() as u64).next_multiple_of(32);
    let erases = steps - written;
    (0..steps).filter(move |step| {
        *step < erases + header + 8 || steps - *step < 48 || step.is_multiple_of(37)
    })
}

#[test]
fn a_chip_whose_update_was_cut_off_classifies() {
    let Some(mut chip) = Chip::new(2, None) else {
        return;
    };
    let (old, new) = (model::MODEL.to_vec(), changed_model());
    let answers = [&old, &new].map(|bytes| on_the_host(bytes).expect("a model"));
    assert!(matches!(
        chip.boot(),
        Err(DeployError::Device {
            code: ErrorCode::NoModel,
            ..
        })
    ));
    chip.update(&old).expect("there is power");
    assert_eq!(
        chip.boot().unwrap_or_else(|error| panic!("{error}")),
        answers[0]
    );

    let qemu = ChipEmulator::choose(&chip.flash.plan)
        .ok()
        .filter(|emulator| *emulator != ChipEmulator::BuiltIn);
    if qemu.is_none() {
        eprintln!("skipped: QEMU is not installed, only the built-in emulator is asked");
    }
    let before = chip.flash.clone();
    for order in [Order::EraseAllFirst, Order::Backwards] {
        chip.flash = before.clone();
        (chip.flash.order, chip.flash.steps) = (order, 0);
        chip.update(&new).expect("there is power");
        assert_eq!(
            chip.boot().unwrap_or_else(|error| panic!("{error}")),
            answers[1]
        );
        let mut seen = [0, 0];
        for cut in cuts(chip.flash.steps) {
            chip.flash = before.clone();
            (chip.flash.order, chip.flash.steps_left) = (order, Some(cut));
            assert!(matches!(chip.update(&new), Err(FlashError::Cut)));
            let answer = chip
                .boot()
                .unwrap_or_else(|error| panic!("{order:?} {cut}: {error}"));
            let which = answers.iter().position(|one| *one == answer);
            let which = which.unwrap_or_else(|| panic!("{order:?} {cut}: neither model's answer"));
            seen[which] += 1;
            // QEMU takes its time to start: every twentieth is asked there too.
            if let Some(emulator) = qemu
                && (seen[0] + seen[1]) % 20 == 1
            {
                let there = chip.boot_in(emulator);
                let there = there.unwrap_or_else(|error| panic!("QEMU, {order:?} {cut}: {error}"));
                assert_eq!(there, answers[which], "QEMU, {order:?} {cut}");
            }
        }
        // Most cuts leave the old model; those after its last byte that is not as erased flash, the new one.
        assert!(seen[0] > 150, "{order:?} {seen:?}");
    }
}

#[test]
fn a_chip_with_one_slot_says_that_it_has_no_model_until_it_gets_one() {
    let Some(mut chip) = Chip::new(1, None) else {
        return;
    };
    chip.update(model::MODEL).expect("there is power");
    let before = chip.flash.clone();
    let new = changed_model();
    for cut in [0, 1, 60, 600] {
        chip.flash = before.clone();
        chip.flash.steps_left = Some(cut);
        assert!(matches!(chip.update(&new), Err(FlashError::Cut)));
        match chip.boot() {
            Err(DeployError::Device {
                code: ErrorCode::NoModel,
                ..
            }) => {}
            other => panic!("{cut}: {other:?}"),
        }
        chip.flash.steps_left = None;
        chip.update(&new).expect("there is power");
        assert_eq!(
            chip.boot().unwrap_or_else(|error| panic!("{error}")),
            on_the_host(&new).unwrap()
        );
    }
}

#[test]
fn a_keyed_chip_runs_signed_models_only() {
    let key = SigningKey::from_pem(KEY).expect("a key");
    let Some(mut chip) = Chip::new(2, Some(key)) else {
        return;
    };
    let (old, new) = (model::MODEL.to_vec(), changed_model());
    chip.update(&old).expect("there is power");
    let answer = on_the_host(&old).expect("a model");
    assert_eq!(
        chip.boot().unwrap_or_else(|error| panic!("{error}")),
        answer
    );
    // Without the key, a newer model does not run; with it, it does, and not if it was cut off.
    let unsigned = SlotImage::new(&new, 99, 1, None).expect("a slot");
    chip.flash
        .put(chip.layout.slots[1].origin, unsigned.bytes());
    assert_eq!(
        chip.boot().unwrap_or_else(|error| panic!("{error}")),
        answer
    );
    chip.flash.steps_left = Some(700);
    assert!(matches!(chip.update(&new), Err(FlashError::Cut)));
    assert_eq!(
        chip.boot().unwrap_or_else(|error| panic!("{error}")),
        answer
    );
    chip.flash.steps_left = None;
    chip.update(&new).expect("there is power");
    assert_eq!(
        chip.boot().unwrap_or_else(|error| panic!("{error}")),
        on_the_host(&new).expect("a model")
    );
}
