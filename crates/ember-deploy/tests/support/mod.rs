//! A firmware to test with, and what it takes to build and run it.

use ember_deploy::DeployError;
use ember_deploy::emulate::qemu_installed;
use ember_deploy::firmware::{Build, Target, target_installed};
use ember_deploy::machine::Machine;
use std::path::{Path, PathBuf};

/// Where the small model is, from the root of the workspace.
pub(crate) const MODEL_SOURCE: &str = "crates/ember-codegen/tests/golden/tiny_cnn.rs";

/// The model of [`MODEL_SOURCE`].
#[allow(missing_docs, dead_code, unreachable_pub, reason = "generated")]
pub(crate) mod model {
    include!("../../../ember-codegen/tests/golden/tiny_cnn.rs");
}

/// The firmware for `machine` around the small model, in a file of `directory`; `None`, with a word about it, without the
/// Rust target.
#[allow(dead_code, reason = "not every test file builds this one")]
pub(crate) fn firmware(machine: &'static Machine, directory: &Path) -> Option<PathBuf> {
    let model_source = workspace().join(MODEL_SOURCE);
    let elf = build(machine, &model_source, directory)?;
    Some(elf.unwrap_or_else(|error| panic!("{error}")))
}

/// The firmware for `machine` around any model.
#[allow(dead_code, reason = "not every test file builds for machines")]
pub(crate) fn build(
    machine: &'static Machine,
    model_source: &Path,
    directory: &Path,
) -> Option<Result<PathBuf, DeployError>> {
    build_for(&Target::of_machine(machine), model_source, directory)
}

/// The firmware for `target` around any model.
#[allow(dead_code, reason = "not every test file builds for chips")]
pub(crate) fn build_for(
    target: &Target,
    model_source: &Path,
    directory: &Path,
) -> Option<Result<PathBuf, DeployError>> {
    let workspace = workspace();
    if !target_installed(&workspace, target.triple).expect("a compiler") {
        eprintln!("skipped: `rustup target add {}` first", target.triple);
        return None;
    }
    let build = Build {
        workspace: &workspace,
        target,
        model_source,
        offline: true,
        verbose: false,
    };
    // All firmware of one target is built into one file: it is copied before the next build, which may be another
    // process's.
    let lock = std::env::temp_dir().join("ember-deploy-tests.lock");
    let lock = std::fs::File::create(lock).expect("a file to lock");
    lock.lock().expect("a lock");
    let copy = directory.join(format!("{}.elf", target.name));
    let built = build.run().map(|elf| {
        std::fs::copy(elf, &copy).expect("a copy");
        copy
    });
    Some(built)
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
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
