//! A firmware to test with, and what it takes to build and run it.

use ember_deploy::DeployError;
use ember_deploy::emulate::qemu_installed;
use ember_deploy::firmware::{Build, Target, target_installed};
use ember_deploy::machine::Machine;
use ember_firmware::engine::{Engine, Observer};
use ember_firmware::interpreter::Interpreted;
use std::fs;
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

/// Images that look like nothing.
#[allow(dead_code, reason = "not every test file runs what it builds")]
pub(crate) fn images(count: usize) -> Vec<u8> {
    (0..count * model::INPUT_BYTES)
        .map(|index| (index * index / 7 + index * 31) as u8)
        .collect()
}

#[allow(dead_code, reason = "not every test file compares")]
struct Unobserved;

impl Observer for Unobserved {
    fn begin(&mut self, _: u32, _: u32) {}
    fn end(&mut self, _: u32, _: u32) {}
}

/// What the same engine gives here.
#[allow(dead_code, reason = "not every test file compares")]
pub(crate) fn on_the_host(images: &[u8]) -> Vec<u8> {
    #[repr(align(16))]
    struct Arena([u8; model::ARENA_BYTES]);
    let mut arena = Arena([0; model::ARENA_BYTES]);
    let mut engine = Interpreted::new(model::MODEL, &model::REGISTRY, &mut arena.0)
        .unwrap_or_else(|failure| panic!("{failure:?}"));
    let mut outputs = Vec::new();
    for image in images.chunks_exact(model::INPUT_BYTES) {
        engine.input(0).expect("one input").copy_from_slice(image);
        engine.invoke(&mut Unobserved).expect("an inference");
        outputs.extend_from_slice(engine.output(0).expect("one output"));
    }
    outputs
}

/// The source of the small model, with a kernel of our own in the place of the one for RESHAPE.
#[allow(dead_code, reason = "not every test file breaks something")]
pub(crate) fn broken_source(directory: &Path, body: &str) -> PathBuf {
    let root = workspace();
    let text = fs::read_to_string(root.join(MODEL_SOURCE)).expect("it is in the repository");
    let arena = format!("ARENA_BYTES: usize = {};", model::ARENA_BYTES);
    assert!(text.contains(&arena));
    let text = text.replace(&arena, "ARENA_BYTES: usize = 4096;").replace(
        "::ember_micro::registry::RESHAPE",
        "::ember_micro::Registration::of::<Broken>()",
    );
    // With its preparation and without.
    assert_eq!(text.matches("Broken").count(), 2);
    let kernel = format!(
        "
        pub struct Broken;

        impl ::ember_micro::Kernel for Broken {{
            const CODE: ::ember_micro::OpCode<'static> =
                ::ember_micro::OpCode::Builtin(::ember_micro::BuiltinOp::Reshape);
            const DTYPE: Option<::ember_micro::Dtype> = None;
            type Prepared = ();

            fn prepare(_: &::ember_micro::Prepare<'_>, _: &mut ()) -> Result<(), ::ember_micro::Refused> {{
                Ok(())
            }}

            #[allow(unsafe_code, reason = \"a fault is wanted\")]
            fn run(_: &(), _: ::ember_micro::Io<'_>) -> Result<(), ::ember_micro::InvokeFault> {{
                {body}
            }}
        }}
        "
    );
    let path = directory.join("model_data.rs");
    fs::write(&path, text + &kernel).expect("a file");
    path
}
