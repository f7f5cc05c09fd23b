//! What can go wrong between this machine and a chip.

use crate::chips::ChipError;
use crate::session::access;
use ember_deploy::DeployError;
use std::path::PathBuf;

/// See each variant for what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no plan for the chip, or none for the image.
    #[error(transparent)]
    Chip(#[from] ChipError),
    /// Nothing that looks like a debug probe is connected.
    #[error(
        "no debug probe is connected. Check that\n\
         - the probe, or the board with one on it, is plugged in with a cable that carries data and not only power;\n\
         - inside a container or a virtual machine, its USB device is passed through.\n{}",
        access::advice()
    )]
    NoProbe,
    /// No probe can be used, and there is something that can be done without one.
    #[error("{problem}\n{left}")]
    WithoutProbe {
        /// Why none can be used.
        problem: String,
        /// What can be done.
        left: String,
    },
    /// The probe that was asked for is not connected.
    #[error("the probe {asked} is not connected{}", connected_or_none(.connected))]
    NotConnected {
        /// What was asked for.
        asked: String,
        /// Those that are connected, one per line.
        connected: String,
    },
    /// There are several probes and none was chosen.
    #[error("there are several debug probes; choose one, such as `--probe {example}`:{connected}")]
    SeveralProbes {
        /// One per line.
        connected: String,
        /// The selector of one.
        example: String,
    },
    /// The text is no selector.
    #[error(
        "`{text}` does not name a probe; write VID:PID or VID:PID:SERIAL with hexadecimal numbers, such as \
         0483:374b, as `cargo xtask probes` lists them"
    )]
    Selector {
        /// What was given.
        text: String,
    },
    /// The probe is there, but the system does not let this user open it.
    #[error(
        "this user may not open the probe {probe}. Check that\n{}",
        access::advice()
    )]
    NoAccess {
        /// Which one.
        probe: String,
    },
    /// The probe does not answer, or somebody else has it.
    #[error(
        "cannot open the probe {probe}: {problem}. Close other programs that use it (an IDE, a GDB server), or plug \
         it in again"
    )]
    Open {
        /// Which one.
        probe: String,
        /// What its driver says.
        problem: String,
    },
    /// The probe cannot do what it was asked to.
    #[error("the probe {probe} cannot do {what}: {problem}")]
    Setting {
        /// Which one.
        probe: String,
        /// The protocol or the speed.
        what: String,
        /// What its driver says.
        problem: String,
    },
    /// The chip does not answer.
    #[error(
        "the probe is there, but {chip} does not answer: {problem}. Check that the board has power, that SWDIO, \
         SWCLK and GND (or the JTAG pins) are connected and that the chip is a {chip}; then try {advice} and \
         `--speed 100` (long wires)"
    )]
    Attach {
        /// The chip that was asked for.
        chip: String,
        /// What probe-rs says.
        problem: String,
        /// What else to try.
        advice: &'static str,
    },
    /// The chip is locked against debugging.
    #[error(
        "{chip} is locked: its flash is protected against reading and writing through the debug port ({problem}). \
         Only erasing the whole chip opens it, and this program never does that. If nothing on it is needed: \
         `probe-rs erase --chip {chip} --allow-erase-all`, or the maker's tool; then try again"
    )]
    Locked {
        /// The chip that was asked for.
        chip: String,
        /// What probe-rs says.
        problem: String,
    },
    /// The image does not lie in the chip's memory.
    #[error(
        "the image's {bytes} bytes at {address:#010x} cannot be put into {chip}: {problem}. Nothing was changed; was \
         the image built for another chip?"
    )]
    Image {
        /// The chip.
        chip: String,
        /// The first address.
        address: u32,
        /// How many bytes.
        bytes: usize,
        /// What probe-rs says.
        problem: String,
    },
    /// Flashing did not come to its end.
    #[error("flashing {chip} failed {doing}: {problem}. {state}")]
    Flash {
        /// The chip.
        chip: String,
        /// When it failed.
        doing: &'static str,
        /// What probe-rs says.
        problem: String,
        /// What the chip can do now, and what to do.
        state: &'static str,
    },
    /// The chip's memory cannot be read.
    #[error("cannot read {bytes} bytes at {address:#010x} from the chip: {problem}")]
    Read {
        /// The first address.
        address: u32,
        /// How many bytes.
        bytes: usize,
        /// What probe-rs says.
        problem: String,
    },
    /// The chip was told to restart and did not.
    #[error(
        "{chip} does not restart under the debugger: {problem}. Unplug the board, plug it in again and try \
         `--connect-under-reset`"
    )]
    Restart {
        /// The chip.
        chip: String,
        /// What probe-rs says.
        problem: String,
    },
    /// The firmware did not set up RTT.
    #[error(
        "{chip} was started, but there is no RTT control block {place}: {problem}. The firmware on it is \
         another one than this image, or it does not run; flash it again"
    )]
    NoRtt {
        /// The chip.
        chip: String,
        /// Where it should be.
        place: String,
        /// What is there.
        problem: String,
    },
    /// The conversation with the firmware failed.
    #[error(transparent)]
    Talk(#[from] DeployError),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {problem}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A HEX file is not right.
    #[error("line {line} of {}: {problem}; build the image again", .path.display())]
    Hex {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Data that does not fit the images.
    #[error("{what} has {given} bytes, and {images} images need {needed}")]
    Answers {
        /// The expected outputs or the labels.
        what: &'static str,
        /// Bytes of it.
        given: usize,
        /// How many images there are.
        images: usize,
        /// Bytes that they need.
        needed: usize,
    },
    /// The firmware does not run the model that was written.
    #[error(
        "slot {slot} was written and read back, but the firmware runs slot {running}: it refused the new model with code \
         {refusal:#x}. Was the firmware built for such a model (its operators, its arena)? The old model goes on running"
    )]
    NotTaken {
        /// The slot that was written.
        slot: usize,
        /// The slot that runs.
        running: u32,
        /// What the firmware says about the slot that was written: `ember_link::Slots::refusals`.
        refusal: u32,
    },
    /// The stream of bytes broke.
    #[error(
        "the connection to the firmware is lost: {problem}. Its flash was not touched; check the cable and the power \
         and run the command again"
    )]
    Link {
        /// What probe-rs says.
        problem: String,
    },
}

impl ProbeError {
    /// The exit status of a program that ends with this error: 2 where no probe can be used, 130 after ctrl-C, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoProbe
            | Self::WithoutProbe { .. }
            | Self::NotConnected { .. }
            | Self::NoAccess { .. } => 2,
            Self::Talk(DeployError::Stopped { .. }) => 130,
            _ => 1,
        }
    }
}

fn connected_or_none(connected: &str) -> String {
    if connected.is_empty() {
        "; no probe is connected".to_owned()
    } else {
        format!("; connected are:{connected}")
    }
}
