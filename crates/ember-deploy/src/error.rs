//! What can go wrong between a model and a running device.

use crate::machine::Region;
use ember_link::{ErrorCode, LinkError, Refusal};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// See each variant for what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// No machine has this name.
    #[error(
        "there is no machine `{name}`; did you mean `{nearest}`? There are: {}",
        machine_names()
    )]
    UnknownMachine {
        /// What was asked for.
        name: String,
        /// The most similar name.
        nearest: &'static str,
    },
    /// QEMU is not installed.
    #[error(
        "{program} is not installed; install it (Debian, Ubuntu: `sudo apt-get install {package}`, Fedora: \
         `sudo dnf install {program}`, macOS: `brew install qemu`) or take a Cortex-M0 or Cortex-M3, which the built-in emulator runs"
    )]
    QemuMissing {
        /// The program that was looked for in PATH.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The built-in emulator has only one core.
    #[error(
        "the built-in emulator runs only `cortex-m3`, not `{machine}`; for `{machine}`, install QEMU: `sudo apt-get install {package}`"
    )]
    NotEmbedded {
        /// The machine that was asked for.
        machine: &'static str,
        /// The Debian package of the QEMU that can.
        package: &'static str,
    },
    /// No emulator has the chip.
    #[error(
        "nothing here emulates {chip} ({core}): {reason}. QEMU has {}, and what runs the same program; the built-in emulator \
         has the Cortex-M0, M0+, M3 and M23. Take one of these, or a real {chip}",
        chip_names()
    )]
    NoEmulator {
        /// The chip that was asked for.
        chip: String,
        /// Its processor.
        core: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The image lacks what an emulator has to find in it.
    #[error("there is no `{name}` in the firmware's ELF file; build it again, for a chip")]
    NoSymbol {
        /// The symbol.
        name: &'static str,
    },
    /// The rings in the device's RAM are not right.
    #[error(
        "the RTT control block at {address:#010x} is not right: {problem}; something wrote over it, or the chip has restarted"
    )]
    Rtt {
        /// Where it is.
        address: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// The emulator's debugger interface does not do what it should.
    #[error("QEMU's debugger interface gave {problem}; is this QEMU 7.2 or later?")]
    Debugger {
        /// What was asked, and the answer.
        problem: String,
    },
    /// The firmware is silent, and this is where it is.
    #[error("{source}; the processor is at {pc:#010x}{}", in_function(.function.as_deref()))]
    Stuck {
        /// Program counter.
        pc: u32,
        /// The function that it is in, where the image says.
        function: Option<String>,
        /// The silence.
        source: Box<DeployError>,
    },
    /// The emulator ended in a way that the firmware did not ask for.
    #[error("{emulator} ended with {status} before the firmware was done{}", quoted(.output))]
    EmulatorEnded {
        /// Which emulator.
        emulator: String,
        /// Its exit status.
        status: String,
        /// What it wrote to its standard error.
        output: String,
    },
    /// Nothing came from the device for too long.
    #[error("nothing came from the firmware for {} s (it had answered {done} of {total} images); the emulator was stopped", .waited.as_secs())]
    Hang {
        /// How long.
        waited: Duration,
        /// Images answered.
        done: usize,
        /// Images sent.
        total: usize,
    },
    /// The firmware never said hello.
    #[error(
        "no hello came from the firmware within {} s{}; is this chip running Ember's firmware, and was it reset?",
        .waited.as_secs_f32(), after_garbage(*.skipped)
    )]
    NoHello {
        /// How long was waited.
        waited: Duration,
        /// Bytes that came and were no frame.
        skipped: u64,
    },
    /// What carries the bytes to and from the device failed.
    #[error("cannot {action} the device: {source}")]
    Channel {
        /// What was tried, such as "read from".
        action: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The caller's progress callback asked to stop.
    #[error("stopped after {done} of {total} images")]
    Stopped {
        /// Images answered.
        done: usize,
        /// Images sent.
        total: usize,
    },
    /// The firmware reported an error.
    #[error("the firmware reports: {}", describe_failure(*.code, *.details))]
    Device {
        /// Which one.
        code: ErrorCode,
        /// What [`ErrorCode`] says for the code.
        details: [u32; 2],
    },
    /// The bytes that came are not the frames that were expected.
    #[error("the firmware's answer is not right after {done} images: {problem}")]
    Protocol {
        /// Images answered.
        done: usize,
        /// What is wrong.
        problem: String,
    },
    /// A frame is not right.
    #[error("a frame from the firmware is not right after {done} images: {source}")]
    Link {
        /// Images answered.
        done: usize,
        /// What is wrong with it.
        source: LinkError,
    },
    /// The images do not have the size that the model wants.
    #[error(
        "the images are {given} bytes in all, which is no multiple of the {each} bytes of the model's inputs"
    )]
    Images {
        /// Bytes that were given.
        given: usize,
        /// Bytes of one image.
        each: usize,
    },
    /// The emulated processor did something that the built-in emulator does not do.
    #[error(
        "the built-in emulator stopped at {pc:#010x} after {instructions} instructions: {problem}"
    )]
    Emulation {
        /// Program counter.
        pc: u32,
        /// Instructions before.
        instructions: u64,
        /// What it was.
        problem: String,
    },
    /// cargo could not build the firmware.
    #[error("`{command}` failed{}", quoted(.output))]
    Build {
        /// The command line.
        command: String,
        /// What cargo wrote.
        output: String,
    },
    /// The firmware has a path that panics.
    #[error(
        "the firmware for {target} has a path that panics, so it does not link; what calls it:\n{output}"
    )]
    PanicPath {
        /// The target triple.
        target: &'static str,
        /// The linker's lines about it.
        output: String,
    },
    /// The compiler has no standard library for the target.
    #[error("the Rust target {target} is not installed and could not be: install it with `rustup target add {target}`{}", quoted(.output))]
    TargetMissing {
        /// The target triple.
        target: &'static str,
        /// What rustup wrote.
        output: String,
    },
    /// A program could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// Which one.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Two parts of an image want the same place.
    #[error(
        "the byte of flash at {address:#x} is in two parts of the image: the firmware reaches into a slot"
    )]
    Overlap {
        /// The first such byte.
        address: u32,
    },
    /// The linker found no room for the firmware's code.
    #[error(
        "the firmware for {target} is {bytes} bytes larger than the flash that it was given: give it more"
    )]
    Overflow {
        /// What it was built for.
        target: String,
        /// Bytes that are missing.
        bytes: u32,
    },
    /// A firmware and its model need more memory than a chip has.
    #[error(
        "{chip} has {available} bytes of {memory}, and {needed} are needed; take a smaller model or a chip with more {memory}"
    )]
    NoRoom {
        /// Which chip.
        chip: String,
        /// Flash or RAM.
        memory: &'static str,
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// The chip has no firmware that takes a model.
    #[error("{chip} cannot be given a model alone: {problem}")]
    NoFirmware {
        /// Which chip.
        chip: String,
        /// What was found.
        problem: String,
    },
    /// The firmware on the chip names a slot where there can be none.
    #[error(
        "the firmware on the chip has a slot of {} bytes at {:#010x}, and {problem}: deploy the firmware again",
        slot.length, slot.origin
    )]
    SlotPlace {
        /// The slot, as the firmware says.
        slot: Region,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The model is too large for a slot of the firmware on the chip.
    #[error(
        "the model and its header have {needed} bytes, and slot {slot} of the firmware on the chip has {available}: \
         deploy a smaller model, or firmware and model together"
    )]
    SlotTooSmall {
        /// Which slot, counted from 0.
        slot: usize,
        /// Bytes of model and header.
        needed: u64,
        /// Bytes of the slot.
        available: u32,
    },
    /// The model needs more arena than the firmware on the chip has.
    #[error(
        "the model needs {needed} bytes of arena, and the firmware on the chip has {available}: deploy a smaller model, \
         or firmware and model together"
    )]
    ArenaTooSmall {
        /// Bytes that the model needs.
        needed: u32,
        /// Bytes that the firmware has.
        available: u32,
    },
    /// The model has operators that the firmware on the chip cannot run.
    #[error(
        "the firmware on the chip has no kernel for {operators}: deploy firmware and model together"
    )]
    NoKernel {
        /// The schema's names.
        operators: String,
    },
    /// The firmware on the chip runs only signed models.
    #[error(
        "the firmware on the chip runs only models that are signed for the public key {fingerprint}: give the private key"
    )]
    KeyNeeded {
        /// The first 8 bytes of the public key's SHA-256.
        fingerprint: String,
    },
    /// The model would be signed with a key that the firmware does not know.
    #[error(
        "the firmware on the chip runs only models that are signed for the public key {expected}, and the key that was \
         given is {given}: give the one that belongs to the firmware"
    )]
    OtherKey {
        /// The first 8 bytes of the SHA-256 of the given key's public key.
        given: String,
        /// The same of the firmware's.
        expected: String,
    },
    /// What was written is not what can be read.
    #[error("the slot at {address:#010x} cannot be read back: {problem}")]
    Readback {
        /// Where the slot is.
        address: u32,
        /// What is wrong.
        problem: String,
    },
    /// No slot can be built.
    #[error(transparent)]
    Slot(#[from] ember_slot::write::BuildError),
    /// There is no UF2 file for the chip.
    #[error("there can be no UF2 file for {chip}: {problem}; take another format")]
    NoUf2 {
        /// Which chip.
        chip: String,
        /// Why.
        problem: String,
    },
    /// A HEX file is damaged.
    #[error("line {line} of the HEX file: {problem}")]
    Hex {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The ELF file is not one that we can use.
    #[error("{}: {problem}", path.display())]
    Elf {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The HEX file is not one that the chip can be loaded with.
    #[error("{}: {problem}; write it again, for this chip", path.display())]
    NotLoadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DeployError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.into(),
            source,
        }
    }
}

fn machine_names() -> String {
    let names: Vec<_> = crate::machine::MACHINES
        .iter()
        .map(|machine| machine.name)
        .collect();
    names.join(", ")
}

fn chip_names() -> String {
    let names: Vec<_> = crate::emulate::CHIP_MACHINES
        .iter()
        .filter(|machine| !machine.names.is_empty())
        .map(|machine| machine.chip)
        .collect();
    names.join(", ")
}

fn in_function(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(", in `{name}`"))
}

/// A program's output below a sentence about it; nothing when there was none.
fn quoted(output: &str) -> String {
    if output.trim().is_empty() {
        String::new()
    } else {
        format!(":\n{}", output.trim_end())
    }
}

fn after_garbage(bytes: u64) -> String {
    match bytes {
        0 => String::new(),
        _ => format!(", only {bytes} bytes that are no frame"),
    }
}

/// A device's error as a sentence.
fn describe_failure(code: ErrorCode, [first, second]: [u32; 2]) -> String {
    match code {
        ErrorCode::Model => {
            "it cannot read its model; build it again from a model that the host can read"
                .to_owned()
        }
        ErrorCode::Prepare => format!(
            "it cannot prepare its model ({}: {second}); build it again from a model that the host can prepare",
            describe_preparation(first)
        ),
        ErrorCode::Invoke => {
            format!("the inference failed (runtime error {first} at operator {second})")
        }
        ErrorCode::ImageLength => {
            format!("an image of {first} bytes came, and the model's inputs are {second} bytes")
        }
        ErrorCode::Frame => format!(
            "after {second} images, {} came from the host",
            LinkError::describe(first)
        ),
        ErrorCode::Transport => {
            format!("after {second} images, the transport failed (code {first})")
        }
        ErrorCode::StackExhausted => {
            format!("the stack took all {first} bytes that are watched; results cannot be trusted")
        }
        ErrorCode::NoModel => {
            let refusals: Vec<_> = [("the first", first), ("the second", second)]
                .into_iter()
                .filter_map(|(slot, word)| Some(format!("{slot} {}", describe_refusal(word)?)))
                .collect();
            format!(
                "no slot has a model that runs: {}; deploy one",
                refusals.join(", ")
            )
        }
        ErrorCode::Fault => {
            format!("the processor took a fault at {first:#010x} (cause {second:#010x})")
        }
    }
}

/// What is wrong with a slot, from [`ember_link::Slots::refusals`], as the end of a sentence about it; `None`: nothing, as far
/// as the firmware has looked.
#[must_use]
pub fn describe_refusal(word: u32) -> Option<String> {
    if word == 0 {
        return None;
    }
    let Some((refusal, detail)) = Refusal::from_word(word) else {
        return Some(format!(
            "was refused for a reason that is not known here ({word:#x})"
        ));
    };
    Some(match refusal {
        Refusal::Short => "has no room for a header".to_owned(),
        Refusal::Empty => "holds no model".to_owned(),
        Refusal::Header => "has a header that is not as it was written".to_owned(),
        Refusal::Format => format!("has format {detail}, which the firmware does not know"),
        Refusal::Field => "has a header that was not built by Ember".to_owned(),
        Refusal::Length => format!("tells of a model of {detail} bytes, which it has no room for"),
        Refusal::Hash => "holds a model that is not as it was written".to_owned(),
        Refusal::Unsigned => "holds a model that is not signed".to_owned(),
        Refusal::Signature => "holds a model that the firmware's key did not sign".to_owned(),
        Refusal::Model => "holds something that the firmware cannot read as a model".to_owned(),
        Refusal::Arena => {
            format!("holds a model that needs {detail} bytes of arena, more than the firmware has")
        }
        Refusal::Prepare => format!(
            "holds a model that the firmware cannot prepare ({})",
            describe_preparation(detail)
        ),
    })
}

/// What the numbers of preparation errors mean; `firmware/src/interpreter.rs` gives them.
const fn describe_preparation(number: u32) -> &'static str {
    match number {
        1 => "the arena is misaligned, by bytes",
        2 => "the arena is too small, bytes needed",
        3 => "the model is too large",
        4 => "no kernel for operator",
        5 => "invalid operator",
        6 => "a value is read before it is written, by operator",
        7 => "a value is written twice, by operator",
        8 => "the arena plan is invalid at tensor",
        _ => "unknown reason",
    }
}

#[cfg(test)]
mod tests {
    use super::{DeployError, describe_refusal};
    use ember_link::{ErrorCode, Refusal};
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_is_told_in_its_own_words() {
        let told: BTreeSet<_> = Refusal::ALL
            .iter()
            .map(|refusal| describe_refusal(refusal.to_word(9000)).unwrap())
            .collect();
        assert_eq!(told.len(), Refusal::ALL.len());
        assert_eq!(describe_refusal(0), None);
    }

    #[test]
    fn a_chip_without_a_model_says_what_is_wrong_with_each_slot() {
        let told = |details| {
            DeployError::Device {
                code: ErrorCode::NoModel,
                details,
            }
            .to_string()
        };
        assert_eq!(
            told([Refusal::Empty.to_word(0), Refusal::Arena.to_word(9000)]),
            "the firmware reports: no slot has a model that runs: the first holds no model, the second holds a model that \
             needs 9000 bytes of arena, more than the firmware has; deploy one"
        );
        assert_eq!(
            told([Refusal::Hash.to_word(0), 0]),
            "the firmware reports: no slot has a model that runs: the first holds a model that is not as it was written; \
             deploy one"
        );
    }
}
