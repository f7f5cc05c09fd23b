//! Firmware of a compiled model: its outputs are the interpreter's on every machine, and neither the interpreter nor the reader of
//! files is in it.
//!
//! What needs QEMU says so and passes where QEMU is not installed.

mod support;

use ember_deploy::emulate::{Answer, Emulator, Job};
use ember_deploy::image::Image;
use ember_deploy::machine::{MACHINES, Machine};
use std::ops::ControlFlow;
use std::path::PathBuf;
use support::{build, has_qemu, images, model, on_the_host, workspace};

/// The same small model as [`support::MODEL_SOURCE`], compiled.
const COMPILED_SOURCE: &str = "crates/ember-codegen/tests/golden/tiny_cnn_compiled.rs";

fn carry_on(_: Option<Answer<'_>>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn compiled(machine: &'static Machine, directory: &std::path::Path) -> Option<PathBuf> {
    let elf = build(machine, &workspace().join(COMPILED_SOURCE), directory)?;
    Some(elf.unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn every_machine_gives_the_interpreters_outputs() {
    let directory = tempfile::tempdir().expect("a directory");
    let images = images(20);
    let expected = on_the_host(&images);
    for machine in MACHINES {
        if !has_qemu(machine) {
            continue;
        }
        let Some(elf) = compiled(machine, directory.path()) else {
            continue;
        };
        let job = Job::new(machine, &elf, &images, model::INPUT_BYTES);
        let outcome = Emulator::Qemu
            .run(&job, &mut carry_on)
            .unwrap_or_else(|error| panic!("{}: {error}", machine.name));
        assert_eq!(outcome.outputs, expected, "{}", machine.name);
        assert_eq!(outcome.device.model_bytes as usize, model::MODEL_BYTES);
        // It is ready when it starts.
        assert!(outcome.device.prepare_instructions < 200, "{outcome:?}");
        // Those that were joined and those that only rename are named too.
        let named: Vec<u32> = outcome.operators.iter().map(|one| one.index).collect();
        assert_eq!(named, [0, 1, 2, 3, 4], "{}", machine.name);
    }
}

#[test]
fn neither_interpreter_nor_reader_is_linked() {
    let directory = tempfile::tempdir().expect("a directory");
    let machine = Machine::find("cortex-m4").expect("it is in the table");
    let Some(elf) = compiled(machine, directory.path()) else {
        return;
    };
    let image = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
    let size = image.size(&[]).unwrap_or_else(|error| panic!("{error}"));
    let foreign = |name: &&str| name.contains("ember_micro") || name.contains("ember_tflite");
    let names = size.symbols.iter().map(|symbol| symbol.name.as_str());
    assert_eq!(names.filter(foreign).collect::<Vec<_>>(), [""; 0]);
    // Less than 7,000, the constants of 102 bytes included.
    assert!(size.flash_bytes <= 8_000, "{}", size.flash_bytes);
}
