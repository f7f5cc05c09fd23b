//! A firmware to test with, and what it takes to build and run it.

use ember_deploy::emulate::qemu_installed;
use ember_deploy::firmware::{Build, target_installed};
use ember_deploy::machine::Machine;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const MODEL_SOURCE: &str = "crates/ember-codegen/tests/golden/tiny_cnn.rs";

/// The model of [`MODEL_SOURCE`].
#[allow(missing_docs, dead_code, unreachable_pub, reason = "generated")]
pub(crate) mod model {
    include!("../../../ember-codegen/tests/golden/tiny_cnn.rs");
}

/// The firmware for `machine`, in a directory of its own; `None`, with a word about it, without the Rust target.
pub(crate) fn firmware(machine: &'static Machine, directory: &Path) -> Option<PathBuf> {
    // Two machines of one target are built into one file: it is copied before the next build.
    static BUILDING: Mutex<()> = Mutex::new(());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !target_installed(&workspace, machine.target).expect("a compiler") {
        eprintln!("skipped: `rustup target add {}` first", machine.target);
        return None;
    }
    let model_source = workspace.join(MODEL_SOURCE);
    let build = Build {
        workspace: &workspace,
        machine,
        model_source: &model_source,
        offline: true,
        verbose: false,
    };
    let guard = BUILDING.lock();
    let elf = build.run().unwrap_or_else(|error| panic!("{error}"));
    let copy = directory.join(format!("{}.elf", machine.name));
    std::fs::copy(elf, &copy).expect("a copy");
    drop(guard);
    Some(copy)
}

/// Whether the machine can be emulated here; a word about it if not.
#[allow(dead_code, reason = "not every test file runs what it builds")]
pub(crate) fn has_qemu(machine: &Machine) -> bool {
    let found = qemu_installed(machine).is_some();
    if !found {
        eprintln!("skipped: {} is not installed", machine.qemu.program);
    }
    found
}
