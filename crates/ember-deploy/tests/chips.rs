//! Chips of probe-rs's registry, emulated: the firmware is built for the chip's own memory, and the HEX file that would be
//! flashed classifies over RTT. The outputs are the host's, to the byte.
//!
//! What needs QEMU says so and passes where QEMU is not installed.

#[path = "support/chip.rs"]
mod chip;
mod support;

use chip::{Built, Chip, F100, IN_QEMU, LIKE_IN_QEMU, NOT_IN_QEMU, STM32, plan};
use ember_deploy::DeployError;
use ember_deploy::chip::{Core, Plan, Store};
use ember_deploy::converse::{Answer, Conversation, LiveAnswer};
use ember_deploy::emulate::{CHIP_MACHINES, ChipEmulator, ChipJob, ChipMachine, Outcome};
use ember_link::ErrorCode;
use std::ops::ControlFlow;
use std::time::Duration;
use support::{broken_source, images, model, on_the_host};

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
fn every_chip_gives_the_hosts_outputs_in_each_emulator_that_has_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(40);
    for chip in IN_QEMU.iter().chain(&NOT_IN_QEMU) {
        let small = matches!(chip.core, Core::Armv6m | Core::Armv7m | Core::Armv8mBase);
        let Some(built) = Built::new(*chip, directory.path()) else {
            continue;
        };
        let run = |emulator: ChipEmulator| {
            let outcome = emulator
                .run(&built.job(), &images, &mut carry_on)
                .unwrap_or_else(|error| panic!("{}: {error}", chip.name));
            check(&outcome, &images);
            outcome
        };
        let built_in = ChipEmulator::built_in(&built.plan).map(run);
        assert_eq!(built_in.is_ok(), small, "{}", chip.name);
        if let Ok(outcome) = &built_in {
            assert_eq!(*outcome, run(ChipEmulator::BuiltIn), "{}", chip.name);
        }
        let Ok(emulator @ ChipEmulator::Qemu(machine)) = ChipEmulator::choose(&built.plan) else {
            eprintln!("{}: QEMU has no such chip, or is not installed", chip.name);
            continue;
        };
        assert_eq!(emulator.note(&built.plan), None);
        let tick = machine.instructions_per_tick.ceil() as u64;
        let qemu = run(emulator);
        same_but_for_ticks(&qemu, &run(emulator), tick);
        if let Ok(outcome) = &built_in {
            same_but_for_ticks(outcome, &qemu, tick);
        }
    }
}

#[test]
fn there_is_a_chip_for_every_machine() {
    let machines = CHIP_MACHINES
        .iter()
        .filter(|machine| !machine.names.is_empty());
    let of = IN_QEMU.iter().map(|chip| ChipMachine::of(&plan(*chip)));
    assert!(of.eq(machines.map(Some)));
    for chip in NOT_IN_QEMU {
        assert_eq!(ChipMachine::of(&plan(chip)), None);
    }
}

#[test]
fn a_machine_of_qemu_stands_in_for_a_chip_with_its_processor() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(10);
    for (chip, qemu) in LIKE_IN_QEMU {
        let Some(built) = Built::new(chip, directory.path()) else {
            continue;
        };
        match ChipEmulator::choose(&built.plan) {
            Ok(emulator @ ChipEmulator::Qemu(machine)) => {
                assert_eq!(machine.qemu.machine, qemu);
                let note = emulator.note(&built.plan).expect("it is not the chip");
                assert!(
                    note.contains(chip.name) && note.contains(machine.chip),
                    "{note}"
                );
                let outcome = emulator
                    .run(&built.job(), &images, &mut carry_on)
                    .unwrap_or_else(|error| panic!("{}: {error}", chip.name));
                check(&outcome, &images);
            }
            Err(DeployError::QemuMissing { .. }) => eprintln!("skipped: QEMU is not installed"),
            other => panic!("{other:?}"),
        }
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
        name: "nRF9160_xxAA",
        core: Core::Armv8mMainF,
        ..F100
    });
    let error = ChipEmulator::choose(&unknown).unwrap_err();
    let text = error.to_string();
    for words in [
        "nRF9160_xxAA (Cortex-M33F)",
        "STM32F405RG",
        "FE310",
        "Cortex-M0",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let stores = Plan {
        start: vec![Store {
            address: 0x4005_200E,
            bytes: 2,
            value: 0xC520,
        }],
        ..plan(F100)
    };
    let error = ChipEmulator::choose(&stores).unwrap_err();
    assert!(error.to_string().contains("own registers"), "{error}");
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
