//! Firmware that goes wrong in every way that it can: each is told, with its reason, by both emulators.

mod support;

use ember_deploy::DeployError;
use ember_deploy::emulate::{Emulator, Job, Outcome};
use ember_deploy::machine::Machine;
use ember_link::ErrorCode;
use std::ops::ControlFlow;
use std::time::Duration;
use support::{broken_source, build, has_qemu, model};

/// The emulators that there are.
fn emulators(machine: &Machine) -> Vec<Emulator> {
    let mut emulators = Vec::new();
    if machine.embedded {
        emulators.push(Emulator::Embedded);
    }
    if has_qemu(machine) {
        emulators.push(Emulator::Qemu);
    }
    emulators
}

/// Builds and runs a firmware whose RESHAPE is `body`, in each emulator.
fn run(machine: &str, body: &str, check: impl Fn(Emulator, Result<Outcome, DeployError>)) {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find(machine).expect("it is in the table");
    let source = broken_source(directory.path(), body);
    let Some(elf) = build(machine, &source, directory.path()) else {
        return;
    };
    let elf = elf.unwrap_or_else(|error| panic!("{error}"));
    let images = vec![7; model::INPUT_BYTES * 3];
    let mut job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
    job.patience = Duration::from_secs(2);
    for emulator in emulators(machine) {
        check(
            emulator,
            emulator.run(&job, &mut |_| ControlFlow::Continue(())),
        );
    }
}

#[test]
fn a_path_that_panics_does_not_link() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let source = broken_source(
        directory.path(),
        "core::hint::black_box(None::<u8>).unwrap(); Ok(())",
    );
    match build(machine, &source, directory.path()) {
        None => {}
        Some(Err(error @ DeployError::PanicPath { .. })) => {
            assert!(error.to_string().contains("thumbv7m-none-eabi"), "{error}");
        }
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn source_that_does_not_compile_shows_the_compilers_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m3").expect("it is in the table");
    let source = broken_source(directory.path(), "this is no Rust");
    match build(machine, &source, directory.path()) {
        None => {}
        Some(Err(error @ DeployError::Build { .. })) => {
            assert!(error.to_string().contains("error: expected"), "{error}");
        }
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn an_operator_that_refuses_is_named() {
    let body = "Err(::ember_micro::InvokeFault::Custom(7))";
    run("cortex-m3", body, |emulator, outcome| match outcome {
        Err(DeployError::Device {
            code: ErrorCode::Invoke,
            details: [4, _],
        }) => {}
        other => panic!("{emulator:?}: {other:?}"),
    });
}

#[test]
fn a_firmware_that_hangs_is_given_up() {
    let body = "loop { core::hint::spin_loop() }";
    run("cortex-m3", body, |emulator, outcome| match outcome {
        Err(DeployError::Hang {
            done: 0, total: 3, ..
        }) => {}
        other => panic!("{emulator:?}: {other:?}"),
    });
}

#[test]
fn a_fault_of_the_processor_is_told_with_its_address() {
    // Addresses where the machine has nothing.
    for (machine, address) in [
        ("cortex-m0", "0x7000_0000"),
        ("cortex-m3", "0x7000_0000"),
        ("rv32imac", "0xF000_0000"),
    ] {
        let body = format!(
            "core::hint::black_box(unsafe {{ core::ptr::read_volatile({address} as *const u32) }}); Ok(())"
        );
        run(machine, &body, |emulator, outcome| {
            match (emulator, outcome) {
                (
                    Emulator::Qemu,
                    Err(DeployError::Device {
                        code: ErrorCode::Fault,
                        details: [pc, _],
                    }),
                ) => {
                    let machine = Machine::find(machine).expect("it is in the table");
                    assert!(machine.flash.contains(pc.into(), 2), "{pc:#x}");
                }
                (Emulator::Embedded, Err(DeployError::Emulation { problem, .. })) => {
                    assert!(problem.contains("0x70000000"), "{problem}");
                }
                other => panic!("{machine}: {other:?}"),
            }
        });
    }
}

#[test]
fn a_stack_that_grows_too_far_is_told() {
    let body = "core::hint::black_box([1_u8; 17_000]); Ok(())";
    run("cortex-m3", body, |emulator, outcome| match outcome {
        Err(DeployError::Device {
            code: ErrorCode::StackExhausted,
            details: [16_384, 0],
        }) => {}
        other => panic!("{emulator:?}: {other:?}"),
    });
}
