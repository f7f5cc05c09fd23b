//! Chips of probe-rs's registry, emulated: the firmware is built for the chip's own memory, and the HEX file that would be
//! flashed classifies over RTT. The outputs are the host's, to the byte.
//!
//! What needs QEMU says so and passes where QEMU is not installed.

mod support;

use ember_deploy::DeployError;
use ember_deploy::chip::{Boot, Core, Plan, Sectors};
use ember_deploy::converse::{Answer, Conversation, LiveAnswer, Patience};
use ember_deploy::emulate::{CHIP_MACHINES, ChipEmulator, ChipJob, ChipMachine, Outcome};
use ember_deploy::firmware::Target;
use ember_deploy::image::Image;
use ember_deploy::layout::Layout;
use ember_deploy::machine::Region;
use ember_link::ErrorCode;
use ember_slot::write::SlotImage;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{MODEL_SOURCE, broken_source, build_for, images, model, on_the_host, workspace};

/// A chip as probe-rs 0.32's registry has it: name, core, origin of the flash and its sectors, RAM; sizes in KiB.
#[derive(Clone, Copy)]
struct Chip {
    name: &'static str,
    core: Core,
    flash: u32,
    /// How many of which size.
    sectors: &'static [(u32, u32)],
    ram: (u32, u32),
}

const STM32: u32 = 0x0800_0000;
const RAM: u32 = 0x2000_0000;

const F100: Chip = Chip {
    name: "STM32F100RB",
    core: Core::Armv7m,
    flash: STM32,
    sectors: &[(128, 1)],
    ram: (RAM, 8),
};

/// One for each row of the table of machines, in its order.
const CHIPS: &[Chip] = &[
    Chip {
        name: "fe310-g002",
        core: Core::Rv32imac,
        // As the quirks have it: behind the boot loader of the board.
        flash: 0x2001_0000,
        sectors: &[(1008, 4)],
        ram: (0x8000_0000, 16),
    },
    Chip {
        name: "LM3S6965",
        core: Core::Armv7m,
        flash: 0,
        sectors: &[(256, 1)],
        ram: (RAM, 64),
    },
    Chip {
        name: "LM3S811",
        core: Core::Armv7m,
        flash: 0,
        sectors: &[(64, 1)],
        ram: (RAM, 8),
    },
    Chip {
        name: "nRF51822_xxAA",
        core: Core::Armv6m,
        flash: 0,
        sectors: &[(256, 1)],
        ram: (RAM, 16),
    },
    F100,
    Chip {
        name: "STM32F205RF",
        core: Core::Armv7m,
        flash: STM32,
        sectors: &[(4, 16), (1, 64), (5, 128)],
        ram: (RAM, 128),
    },
    Chip {
        name: "STM32F405RG",
        core: Core::Armv7emF,
        flash: STM32,
        sectors: &[(4, 16), (1, 64), (7, 128)],
        ram: (RAM, 128),
    },
];

fn plan(chip: Chip) -> Plan {
    let mut sectors: Vec<Sectors> = Vec::new();
    let mut length = 0;
    for (count, kibibytes) in chip.sectors {
        sectors.push(Sectors {
            origin: chip.flash + length,
            bytes: kibibytes << 10,
            count: *count,
        });
        length += count * (kibibytes << 10);
    }
    Plan {
        name: chip.name.to_owned(),
        family: String::new(),
        core: chip.core,
        flash: Region {
            origin: chip.flash,
            length,
        },
        sectors,
        page_bytes: 256,
        erased_byte: 0xff,
        ram: Region {
            origin: chip.ram.0,
            length: chip.ram.1 << 10,
        },
        boot: Boot::Plain,
        reserved: Vec::new(),
        start: Vec::new(),
        notes: Vec::new(),
    }
}

/// More than the firmware has around the small model.
const CODE_BYTES: u32 = 40 << 10;

/// A firmware, and the HEX file of it.
struct Built {
    plan: Plan,
    target: Target,
    image: Image,
    hex: PathBuf,
}

impl Built {
    /// Around the small model, in a file of `directory`; `None` without the Rust target.
    fn new(chip: Chip, directory: &Path) -> Option<Self> {
        Self::around(&workspace().join(MODEL_SOURCE), chip, directory)
    }

    fn around(model: &Path, chip: Chip, directory: &Path) -> Option<Self> {
        let plan = plan(chip);
        let layout = Layout::new(&plan, CODE_BYTES, model::MODEL_BYTES as u32)
            .unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let target = Target::of_chip(&plan, &layout);
        let elf = build_for(&target, model, directory)?;
        let elf = elf.unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let mut image = Image::read(&elf).unwrap_or_else(|error| panic!("{}: {error}", plan.name));
        let slot = SlotImage::new(model::MODEL, 1, 1, None).expect("a model");
        for segment in layout.fill(&plan, &slot) {
            image.add(segment).expect("it lies in a slot");
        }
        // QEMU takes a comma for the end of a file's name.
        let hex = directory.join(format!("{}, to flash.hex", plan.name));
        std::fs::write(&hex, image.to_hex()).expect("a file");
        Some(Self {
            plan,
            target,
            image,
            hex,
        })
    }

    fn job(&self) -> ChipJob<'_> {
        ChipJob {
            plan: &self.plan,
            target: &self.target,
            image: &self.image,
            hex: &self.hex,
            input_bytes: model::INPUT_BYTES,
            patience: Patience {
                hello: Duration::from_secs(30),
                silence: Duration::from_secs(30),
            },
        }
    }
}

fn carry_on(_: Option<Answer<'_>>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn check(outcome: &Outcome, images: &[u8]) {
    let count = images.len() / model::INPUT_BYTES;
    assert_eq!(outcome.images, count);
    assert_eq!(outcome.outputs, on_the_host(images));
    assert_eq!(outcome.instructions.len(), count);
    assert!(!outcome.operators.is_empty());
    assert!((200..4096).contains(&outcome.stack_bytes), "{outcome:?}");
}

/// While a machine stands still, QEMU may let its time go on: the timer's edges are elsewhere in each run.
fn same_but_for_ticks(first: &Outcome, second: &Outcome, tick: u64) {
    assert_eq!(first.outputs, second.outputs);
    assert_eq!(first.stack_bytes, second.stack_bytes);
    assert_eq!(first.device.model_crc, second.device.model_crc);
    for (a, b) in first.instructions.iter().zip(&second.instructions) {
        assert!(a.abs_diff(*b) <= 2 * tick, "{a} against {b}");
    }
}

#[test]
fn the_built_in_emulator_has_every_chip_with_a_small_processor() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(40);
    // Chips that QEMU does not have, of every core that is compiled for what the built-in emulator executes.
    let others = [
        ("STM32F103CB", Core::Armv7m),
        ("SAML10E16A", Core::Armv8mBase),
        ("STM32G071RB", Core::Armv6m),
    ]
    .map(|(name, core)| Chip { name, core, ..F100 });
    for chip in CHIPS.iter().chain(&others) {
        let plan = plan(*chip);
        let small = matches!(chip.core, Core::Armv6m | Core::Armv7m | Core::Armv8mBase);
        assert_eq!(
            ChipEmulator::built_in(&plan).is_ok(),
            small,
            "{}",
            chip.name
        );
        if !small {
            continue;
        }
        let Some(built) = Built::new(*chip, directory.path()) else {
            continue;
        };
        let run = || {
            ChipEmulator::BuiltIn
                .run(&built.job(), &images, &mut carry_on)
                .unwrap_or_else(|error| panic!("{}: {error}", chip.name))
        };
        let first = run();
        check(&first, &images);
        assert_eq!(first, run(), "{}", chip.name);
        let Ok(ChipEmulator::Qemu(machine)) = ChipEmulator::choose(&built.plan) else {
            continue;
        };
        let qemu = ChipEmulator::Qemu(machine)
            .run(&built.job(), &images, &mut carry_on)
            .unwrap_or_else(|error| panic!("{}: {error}", chip.name));
        same_but_for_ticks(&first, &qemu, machine.instructions_per_tick.ceil() as u64);
    }
}

#[test]
fn every_chip_that_qemu_has_gives_the_hosts_outputs() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(40);
    assert_eq!(CHIPS.len(), CHIP_MACHINES.len());
    for (chip, machine) in CHIPS.iter().zip(CHIP_MACHINES) {
        let Some(built) = Built::new(*chip, directory.path()) else {
            continue;
        };
        assert_eq!(ChipMachine::of(&built.plan), Some(machine), "{}", chip.name);
        match ChipEmulator::choose(&built.plan) {
            Ok(ChipEmulator::Qemu(_)) => {}
            _ => {
                eprintln!("skipped: {} is not installed", machine.qemu.program);
                continue;
            }
        }
        let run = || {
            ChipEmulator::Qemu(machine)
                .run(&built.job(), &images, &mut carry_on)
                .unwrap_or_else(|error| panic!("{}: {error}", chip.name))
        };
        let first = run();
        check(&first, &images);
        let second = run();
        check(&second, &images);
        same_but_for_ticks(&first, &second, machine.instructions_per_tick.ceil() as u64);
    }
}

/// The emulators of a chip that both have.
fn emulators(plan: &Plan) -> Vec<ChipEmulator> {
    let mut emulators = vec![ChipEmulator::built_in(plan).expect("it has this processor")];
    match ChipEmulator::choose(plan) {
        Ok(qemu @ ChipEmulator::Qemu(_)) => emulators.push(qemu),
        _ => eprintln!("skipped: QEMU is not installed"),
    }
    emulators
}

/// Builds a firmware whose RESHAPE is `body`, and runs it in both emulators.
fn run_broken(body: &str, check: impl Fn(ChipEmulator, Result<Outcome, DeployError>)) {
    let directory = tempfile::tempdir().expect("a directory");
    let source = broken_source(directory.path(), body);
    let Some(built) = Built::around(&source, F100, directory.path()) else {
        return;
    };
    let mut job = built.job();
    job.patience.silence = Duration::from_secs(2);
    for emulator in emulators(&built.plan) {
        check(emulator, emulator.run(&job, &images(3), &mut carry_on));
    }
}

#[test]
fn a_firmware_that_hangs_is_told_with_its_place() {
    let body = "loop { core::hint::spin_loop() }";
    run_broken(body, |emulator, outcome| match outcome {
        Err(DeployError::Stuck { pc, source, .. }) => {
            assert!(
                (STM32..STM32 + (128 << 10)).contains(&pc),
                "{emulator:?}: {pc:#x}"
            );
            assert!(
                matches!(
                    *source,
                    DeployError::Hang {
                        done: 0,
                        total: 3,
                        ..
                    }
                ),
                "{emulator:?}: {source}"
            );
        }
        other => panic!("{emulator:?}: {other:?}"),
    });
}

#[test]
fn a_fault_is_told() {
    let body = "core::hint::black_box(unsafe { core::ptr::read_volatile(0x7000_0000 as *const u32) }); Ok(())";
    run_broken(body, |emulator, outcome| match (emulator, outcome) {
        (
            ChipEmulator::Qemu(_),
            Err(DeployError::Device {
                code: ErrorCode::Fault,
                details: [pc, _],
            }),
        ) => assert!((STM32..STM32 + (128 << 10)).contains(&pc), "{pc:#x}"),
        (ChipEmulator::BuiltIn, Err(DeployError::Emulation { problem, .. })) => {
            assert!(problem.contains("0x70000000"), "{problem}");
        }
        other => panic!("{other:?}"),
    });
}

#[test]
fn a_run_can_be_stopped() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(built) = Built::new(F100, directory.path()) else {
        return;
    };
    for emulator in emulators(&built.plan) {
        let mut stop = |answer: Option<Answer<'_>>| match answer {
            Some(answer) if answer.index == 9 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        match emulator.run(&built.job(), &images(300), &mut stop) {
            Err(DeployError::Stopped {
                done: 10,
                total: 300,
            }) => {}
            other => panic!("{emulator:?}: {other:?}"),
        }
    }
}

#[test]
fn a_live_stream_runs_on_an_emulated_chip() {
    let directory = tempfile::tempdir().expect("a directory");
    let Some(built) = Built::new(F100, directory.path()) else {
        return;
    };
    let job = built.job();
    let images = images(7);
    let expected = on_the_host(&images);
    for emulator in emulators(&built.plan) {
        let mut chip = emulator.start(&job).expect("it starts");
        let expect = emulator.expect(&job);
        let mut conversation = Conversation::open(&mut chip, expect, job.patience, &mut carry_on)
            .unwrap_or_else(|error| panic!("{emulator:?}: {error}"));
        let mut stream = images
            .chunks(model::INPUT_BYTES)
            .map(<[u8]>::to_vec)
            .cycle();
        let mut seen = 0;
        let mut answered = |answer: Option<LiveAnswer<'_>>| {
            let Some(answer) = answer else {
                return ControlFlow::Continue(());
            };
            let at = seen % 7 * model::OUTPUT_BYTES;
            assert_eq!(answer.outputs, &expected[at..][..model::OUTPUT_BYTES]);
            seen += 1;
            if seen < 20 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let summary = conversation
            .live(&mut stream, &mut answered)
            .unwrap_or_else(|error| panic!("{emulator:?}: {error}"));
        assert!((20..22).contains(&summary.answered), "{summary:?}");
    }
}

#[test]
fn what_cannot_run_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let unknown = plan(Chip {
        name: "STM32L476RG",
        core: Core::Armv7emF,
        ..F100
    });
    let error = ChipEmulator::choose(&unknown).unwrap_err();
    let text = error.to_string();
    for words in [
        "STM32L476RG (Cortex-M4F/M7F)",
        "STM32F405RG",
        "FE310",
        "a Cortex-M0",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let error = ChipEmulator::built_in(&unknown).unwrap_err();
    assert!(matches!(error, DeployError::NoEmulator { .. }), "{error}");

    let Some(built) = Built::new(F100, directory.path()) else {
        return;
    };
    let whole = std::fs::read_to_string(&built.hex).expect("it was written");
    let damaged = directory.path().join("damaged.hex");
    let missing = directory.path().join("missing.hex");
    let elsewhere = directory.path().join("elsewhere.hex");
    std::fs::write(&damaged, whole.replacen(":10", ":11", 1)).expect("a file");
    let moved = ":020000042000DA\n:0400000001020304F2\n:00000001FF\n";
    std::fs::write(&elsewhere, moved).expect("a file");
    for emulator in emulators(&built.plan) {
        for (hex, words) in [
            (&damaged, "damaged.hex: "),
            (&missing, "missing.hex"),
            (&elsewhere, "outside of the chip's flash"),
        ] {
            let job = ChipJob { hex, ..built.job() };
            let error = emulator.run(&job, &images(1), &mut carry_on).unwrap_err();
            assert!(error.to_string().contains(words), "{emulator:?}: {error}");
        }
    }
}
