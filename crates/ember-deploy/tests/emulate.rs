//! Builds the firmware around a small model and runs it on every machine: the outputs are the host's, to the byte.
//!
//! What needs QEMU says so and passes where QEMU is not installed.

mod support;

use ember_deploy::DeployError;
use ember_deploy::emulate::{Answer, Emulator, Job, Outcome};
use ember_deploy::machine::{MACHINES, Machine};
use std::ops::ControlFlow;
use std::time::Duration;
use support::{firmware, has_qemu, images, model, on_the_host};

fn carry_on(_: Option<Answer<'_>>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn check(outcome: &Outcome, images: &[u8]) {
    let count = images.len() / model::INPUT_BYTES;
    assert_eq!(outcome.images, count);
    assert_eq!(outcome.outputs, on_the_host(images));
    assert_eq!(outcome.instructions.len(), count);
    assert_eq!(outcome.device.model_bytes as usize, model::MODEL_BYTES);
    let arena_bytes = model::LINKED.arena_bytes();
    assert_eq!(outcome.device.arena_bytes as usize, arena_bytes);
    assert_eq!(outcome.device.arena_used_bytes as usize, arena_bytes);
    assert!(!outcome.operators.is_empty());
    assert!((200..4096).contains(&outcome.stack_bytes), "{outcome:?}");
    let sum: u64 = outcome
        .operators
        .iter()
        .map(|operator| operator.instructions)
        .sum();
    let inference = outcome.instructions_per_inference();
    // The interpreter itself costs little, and reading the clock around each operator is not in the sum.
    assert!(
        sum.abs_diff(inference) * 5 < inference,
        "{sum} against {inference}"
    );
}

#[test]
fn every_machine_gives_the_hosts_outputs_in_qemu() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(20);
    for machine in MACHINES {
        if !has_qemu(machine) {
            continue;
        }
        let Some(elf) = firmware(machine, directory.path()) else {
            continue;
        };
        let job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
        let first = Emulator::Qemu
            .run(&job, &mut carry_on)
            .unwrap_or_else(|error| panic!("{}: {error}", machine.name));
        check(&first, &images);
        let second = Emulator::Qemu
            .run(&job, &mut carry_on)
            .expect("it just ran");
        assert_eq!(first, second, "{}", machine.name);
    }
}

#[test]
fn the_built_in_emulator_counts_what_qemu_counts() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let images = images(300);
    let job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
    let built_in = Emulator::Embedded
        .run(&job, &mut carry_on)
        .unwrap_or_else(|error| panic!("{error}"));
    check(&built_in, &images);
    assert!(!built_in.emulator.contains("QEMU"));

    if !has_qemu(machine) {
        return;
    }
    let qemu = Emulator::Qemu
        .run(&job, &mut carry_on)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(built_in.device, qemu.device);
    assert_eq!(built_in.stack_bytes, qemu.stack_bytes);
    // The two may see the edge of a tick at different instructions.
    let tick = machine.instructions_per_tick as u64;
    for (ours, theirs) in built_in.instructions.iter().zip(&qemu.instructions) {
        assert!(ours.abs_diff(*theirs) <= tick, "{ours} against {theirs}");
    }
    let sums = [&built_in, &qemu].map(|outcome| outcome.instructions.iter().sum::<u64>());
    assert!(
        sums[0].abs_diff(sums[1]) <= 10 * tick,
        "over all images it evens out: {sums:?}"
    );
}

#[test]
fn a_budget_ends_the_run_after_whole_images() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let images = images(300);
    let mut job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
    job.budget = Duration::ZERO;
    let outcome = Emulator::Embedded
        .run(&job, &mut carry_on)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.images, 1, "one image is always done");
    check(&outcome, &images[..model::INPUT_BYTES]);
}

#[test]
fn a_run_can_be_stopped() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let images = images(300);
    let job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
    for emulator in [Emulator::Embedded, Emulator::Qemu] {
        if emulator == Emulator::Qemu && !has_qemu(machine) {
            continue;
        }
        let mut stop = |answer: Option<Answer<'_>>| match answer {
            Some(answer) if answer.index == 9 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        match emulator.run(&job, &mut stop) {
            Err(DeployError::Stopped {
                done: 10,
                total: 300,
            }) => {}
            other => panic!("{emulator:?}: {other:?}"),
        }
    }
}

#[test]
fn a_silent_emulator_is_given_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    if !has_qemu(machine) {
        return;
    }
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let images = images(300);
    let mut job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
    // QEMU takes longer than this to start.
    job.patience = Duration::ZERO;
    match Emulator::Qemu.run(&job, &mut carry_on) {
        Err(DeployError::Hang { total: 300, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_does_not_fit_together_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let Some(elf) = firmware(machine, directory.path()) else {
        return;
    };
    let images = images(2);

    let job = Job::new(machine, &elf, &images, 7);
    let error = Emulator::Embedded.run(&job, &mut carry_on).unwrap_err();
    assert!(
        matches!(error, DeployError::Images { given, each: 7 } if given == images.len()),
        "{error}"
    );

    let job = Job::new(machine, &elf, &images, images.len());
    let error = Emulator::Embedded.run(&job, &mut carry_on).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("its model takes 36 bytes, and the images have 72"),
        "{error}"
    );

    let other = Machine::find("cortex-m4").expect("it is in the table");
    let job = Job::new(other, &elf, &images, model::INPUT_BYTES);
    let error = Emulator::Embedded.run(&job, &mut carry_on).unwrap_err();
    assert!(matches!(error, DeployError::NotEmbedded { .. }), "{error}");

    let nowhere = directory.path().join("nowhere.elf");
    let job = Job::new(machine, &nowhere, &images, model::INPUT_BYTES);
    for emulator in [Emulator::Embedded, Emulator::Qemu] {
        if emulator == Emulator::Qemu && !has_qemu(machine) {
            continue;
        }
        let error = emulator.run(&job, &mut carry_on).unwrap_err();
        assert!(error.to_string().contains("nowhere.elf"), "{error}");
    }
}
